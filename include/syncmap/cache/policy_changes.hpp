// Other policy tables for a cache: when its capacity or the mean weight of its entries has changed by two.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/small_exits.hpp>

namespace syncmap::cache_detail {

template <class Engine, class Sync, class Lifetimes>
class policy_changes : public small_exits<Engine, Sync, Lifetimes> {
    using base = small_exits<Engine, Sync, Lifetimes>;

public:
    using base::base;
    using base::leave;
    using base::weight;
    using typename base::admission;
    using typename base::lane_type;
    using typename base::tables;
    using typename base::visitor;

protected:
    using base::changing_;
    using base::engine_;
    using base::enter;
    using base::first_entries;
    using base::is_weighted_;
    using base::lanes_;
    using base::policy_;
    using base::wanted_;

    /// Of entries with weights: the policy tables are made anew when the mean weight has changed by two. False: the entry is
    /// placed, outside of the queues, or in main, as it weighs more than all of small may.
    [[gnu::noinline]] bool place_weight(visitor& by, lane_type& l, std::uint64_t tick, admission& mine) {
        if (tick % 256 == 0 || (tick < 256 && (tick & (tick - 1)) == 0)) {
            const std::size_t now = mine.in->entries;
            leave(mine);
            fit_to_weights(by, l, now);
            enter(l, mine);
        }
        if (mine.need != 0 && mine.need <= wanted_.load(std::memory_order_relaxed) / 10) return true;
        mine.where = mine.need == 0 ? queue::outside : queue::in_main;
        mine.is_placed = true;
        return false;
    }
    /// `now`: for so many entries those in use are made. They grow with the entries that are there: a few weigh too little to
    /// tell how many will fit.
    void fit_to_weights(visitor& by, lane_type& l, std::size_t now) {
        const std::size_t entries = this->share_in_queues(by, engine_.size());
        const auto all = static_cast<double>((std::max)(weight(), std::size_t{1}));
        const double fitting =
            static_cast<double>(wanted_.load(std::memory_order_relaxed)) * (static_cast<double>(entries) + 1) / all;
        const auto most = static_cast<double>((std::max)(now, first_entries + 4 * entries));
        try {
            static_cast<void>(change_tables(by, l, static_cast<std::size_t>((std::min)(fitting, most)), [] {}));
        } catch (...) {
            return; // the allocator's: the tables stay as they are
        }
        const std::unique_lock<typename Sync::mutex> guard(changing_);
        policy_.free_unused(lanes_, [&] { return engine_.pass_heavy_barrier(by); });
    }
    /// Other policy tables, if those in use do not fit so many entries; 0: they fit. `f()` runs with them.
    template <class F>
    void change_tables(visitor& by, lane_type& l, std::size_t entries, F f) {
        const in_lane using_tables(l);
        tables* replaced = nullptr;
        {
            const std::unique_lock<typename Sync::mutex> guard(changing_);
            if (!(is_weighted_ || base::is_plain) || entries != 0) replaced = policy_.change_for(entries);
            f();
        }
        if (replaced != nullptr) this->empty(by, replaced->small_ring);
    }

private:
    class in_lane {
    public:
        explicit in_lane(lane_type& l) noexcept : lane_(l) { lane_.enter(); }
        in_lane(const in_lane&) = delete;
        in_lane& operator=(const in_lane&) = delete;
        ~in_lane() { lane_.leave(); }

    private:
        lane_type& lane_;
    };
};

} // namespace syncmap::cache_detail
