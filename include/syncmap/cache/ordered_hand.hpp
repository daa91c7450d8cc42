// The hand of a cache with a plain policy: it takes the entry with the lowest number, as policy/next_in_order.hpp says which.
//
// *LRU*: the number is drawn at each use. A thread counts its uses, and goes on with the shared count wherever that is ahead;
// each put of a new key, and each 64th use of a thread, adds to the shared one. So the order is exact with one thread. Of two
// uses by different threads the order is right, if one of the threads has 64 uses in between, or a new key came in between.
//
// *SIEVE*: the number is drawn when the entry comes. The hand goes from low numbers to high ones and begins again at the
// lowest. A used entry is passed, and counts as unused then; the first unused one goes. Exact with one thread.
//
// An entry that has expired goes before all others.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include <syncmap/cache/bound.hpp>
#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/numbered_state.hpp>
#include <syncmap/cache/policy/next_in_order.hpp>
#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

template <class Engine, class Sync, class Lifetimes, numbered_by By>
class ordered_hand : public bound<Engine, Sync, Lifetimes> {
    using base = bound<Engine, Sync, Lifetimes>;

public:
    using typename base::admission;
    using typename base::entry;
    using typename base::lane_type;
    using typename base::sighting;
    using typename base::visitor;

    ordered_hand(Engine& engine, std::size_t capacity, const typename base::weigher_type& weigher, Lifetimes& lifetimes,
                 bool has_listener, bool counts, const typename Engine::allocator_type& a)
        : base(engine, capacity, weigher, lifetimes, has_listener, counts, a), chosen_(a) {}

    std::size_t policy_bytes() noexcept {
        const std::size_t others = base::policy_bytes();
        const std::unique_lock<typename Sync::mutex> guard(choosing_);
        return others + chosen_.bytes();
    }

protected:
    using base::engine_;
    using base::lifetimes_;
    using typename base::removal;

    static constexpr bool is_plain = true;
    enum class duel : unsigned char { evicted, lost, no_main_entry };
    static constexpr unsigned always = 1;

    /// A use of the entry, by the thread whose lane this is.
    void count_use(lane_type& mine, entry& e) noexcept {
        if constexpr (By == numbered_by::last_use) {
            e.mark.set_number(next_use(mine));
        } else {
            e.mark.use();
        }
    }
    /// The entry comes; no other thread sees it yet.
    void number(lane_type& mine, entry& e) noexcept {
        const std::uint64_t arrival = now_.fetch_add(1, std::memory_order_relaxed) + 1;
        e.mark.set_number(By == numbered_by::last_use ? next_use(mine) : arrival);
    }

    /// Evicts the next entry. The calling thread waits where another one is choosing.
    [[gnu::noinline]] duel sweep(visitor& by, lane_type& l, admission& mine, unsigned, bool) {
        bool goes_on = By == numbered_by::arrival;
        for (unsigned rounds = 0; rounds <= most_rounds;) {
            candidate next;
            {
                const std::unique_lock<typename Sync::mutex> guard(choosing_);
                if (!chosen_.pop(next)) {
                    // What was chosen last was used since, or other threads compute it: the entries behind it come next.
                    if (choose(by, goes_on ? at_ : 0)) {
                        goes_on = true;
                    } else {
                        at_ = 0;
                        ++rounds;
                    }
                    continue;
                }
                at_ = (std::max)(at_, next.number);
            }
            if (takes_chosen(by, l, mine, next, rounds == most_rounds)) {
                if (By == numbered_by::arrival && next.number == now_.load(std::memory_order_relaxed)) begin_again();
                return duel::evicted;
            }
        }
        return duel::no_main_entry;
    }

    /// The entry with the lowest place leaves first.
    std::uint64_t place_of(const entry& e) const noexcept {
        constexpr std::uint64_t used = By == numbered_by::arrival ? std::uint64_t{1} << 63 : 0;
        return e.mark.number() | (e.mark.uses() != 0 ? used : 0);
    }

private:
    using chosen_type = next_in_order<typename Engine::allocator_type>;
    using candidate = typename chosen_type::candidate;
    static constexpr int group_shift = 6;
    static constexpr std::uint64_t last_of_group = 63;
    static constexpr unsigned most_rounds = 3; ///< in the last one, entries that threads compute go as well

    std::uint64_t next_use(lane_type& mine) noexcept {
        const std::uint64_t shared = now_.load(std::memory_order_relaxed) << group_shift;
        if (!mine.is_exclusive) return shared | last_of_group;
        const std::uint64_t next = (std::max)(mine.ticket + 1, shared);
        if ((next & last_of_group) == last_of_group) now_.fetch_add(1, std::memory_order_relaxed);
        return mine.ticket = next;
    }

    /// The newest entry has left. The one that comes now is behind the hand, not in front of it.
    void begin_again() noexcept {
        const std::unique_lock<typename Sync::mutex> guard(choosing_);
        at_ = 0;
    }
    /// Chooses among the entries with higher numbers than `from`. False: there are none.
    bool choose(visitor& by, std::uint64_t from) {
        typename Lifetimes::glance time(lifetimes_);
        chosen_.begin(engine_.approx_size());
        std::uint64_t bucket = 0;
        do {
            bucket = engine_.sweep_bucket(by, bucket, [&](sighting& seen, std::size_t) {
                const auto& mark = seen->mark;
                if (mark.where() != queue::in_main) return true;
                if (from == 0 && time.is_over(*seen)) {
                    chosen_.offer({0, seen->hash()});
                } else if (const std::uint64_t number = mark.number(); number > from) {
                    chosen_.offer({number, seen->hash()});
                }
                return true;
            });
        } while (bucket != 0);
        return chosen_.end();
    }
    /// Evicts an entry that was chosen, unless it was used since.
    bool takes_chosen(visitor& by, lane_type& l, admission& mine, const candidate& next, bool takes_any) {
        sighting seen(by);
        if (!engine_.find(next.hash, seen) || std::addressof(*seen) == mine.own) return false;
        if (typename Lifetimes::glance(lifetimes_).is_over(*seen))
            return this->erase_expired(by, l, mine, seen) == removal::erased;
        auto& mark = seen->mark;
        if (mark.where() != queue::in_main || mark.number() != next.number) return false;
        if (By == numbered_by::arrival && mark.uses() != 0 && !takes_any) {
            mark.set_uses(0);
            return false;
        }
        if (engine_.erase_if_still(by, seen, takes_any) != removal::erased) return false;
        this->evicted(by, l, mine, *seen);
        return true;
    }

    alignas(detail::cache_line_bytes) typename Sync::template atomic<std::uint64_t> now_{0};
    typename Sync::mutex choosing_; ///< of what follows
    chosen_type chosen_;
    std::uint64_t at_ = 0; ///< the highest number that has left `chosen_`
};

} // namespace syncmap::cache_detail
