// The bound of a cache, and what a write has in hand of it: permits, a place in a queue, entries that it has taken out.
//
// The layers of an eviction, each on the one before:
//
//   bound            permits, policy tables, and what a write has got (here)
//   main_hand        the hand over the main queue; with a plain policy ordered_hand
//   small_exits      entries that leave the small queue
//   policy_changes   other policy tables, for another number of entries
//   eviction         the steps of a put, and changes of the capacity
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/numbered_state.hpp>
#include <syncmap/cache/permits.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/policy/policy_tables.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/cache/weights.hpp>
#include <syncmap/operation/marked_entries.hpp>

namespace syncmap::cache_detail {

/// What a write has to do beside its entry: as the options of the cache say, or a put for its own entry.
enum class feature : std::uint8_t {
    none = 0,
    lifetimes = 1,
    weights = 2,
    listener = 4,
    expired = 8, ///< of a write that has found an expired entry
    tags = 16 ///< with lifetimes
};
constexpr feature operator|(feature a, feature b) noexcept {
    return static_cast<feature>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr feature operator&(feature a, feature b) noexcept {
    return static_cast<feature>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}

constexpr feature operator~(feature a) noexcept { return static_cast<feature>(~static_cast<unsigned>(a) & 31U); }

/// `Lifetimes`: those of the cache's entries, see time/lifetimes.hpp.
template <class Engine, class Sync, class Lifetimes>
class bound {
protected:
    using allocator = typename Engine::allocator_type;
    using removal = typename Engine::removal;
    using mark_type = decltype(Engine::entry_type::mark);

public:
    using visitor = acting_thread<Engine>;
    using sighting = typename Engine::sighting;
    using entry = typename Engine::entry_type;
    using lane_type = lane<Sync>;
    using tables = policy_tables<Sync, allocator>;
    using queue_type = small_queue<Sync, allocator>;
    using position = typename queue_type::position;
    using lifetimes_type = Lifetimes;

    using weigher_type = weigher<typename Engine::key_type, typename Engine::mapped_type>;
    using feature = cache_detail::feature;

    static_assert(marked_entries<Engine>);

    /// `weigher`: empty, or the entries weigh what it says. How many fit is not known then.
    bound(Engine& engine, std::size_t capacity, const weigher_type& weigher, Lifetimes& lifetimes, bool has_listener,
          bool counts, const allocator& a)
        : engine_(engine), lifetimes_(lifetimes), weigher_(weigher), capacity_(capacity), wanted_(capacity), permits_(capacity),
          policy_(entries_of_tables(capacity, static_cast<bool>(weigher)), a),
          features_((weigher ? feature::weights : feature::none) | features_of(lifetimes.default_prefix()) |
                    (has_listener ? feature::listener : feature::none)),
          is_weighted_(static_cast<bool>(weigher)), lanes_(counts) {}

    static feature features_of(prefix_kind in_front) noexcept {
        if (in_front == prefix_kind::none) return feature::none;
        return in_front == prefix_kind::extended ? feature::lifetimes | feature::tags : feature::lifetimes;
    }
    /// What each write has to do.
    feature features() const noexcept { return features_; }
    bool is_weighted() const noexcept { return is_weighted_; }
    /// What the policy has allocated.
    std::size_t policy_bytes() noexcept {
        const std::unique_lock<typename Sync::mutex> guard(changing_);
        return policy_.bytes();
    }
    /// Throws: what the weigher throws.
    std::size_t weight_by_weigher(const entry& e) const { return weigher_(e); }
    /// Whether such an entry can be stored at all.
    bool is_too_heavy(std::size_t weight) const noexcept { return weight > wanted_.load(std::memory_order_relaxed); }
    /// What the entries weigh, and puts have reserved.
    std::size_t weight() {
        const std::unique_lock<typename Sync::mutex> guard(changing_);
        return static_cast<std::size_t>(static_cast<std::int64_t>(wanted_.load(std::memory_order_relaxed)) -
                                        permits_.free_now());
    }

    /// What the entries never exceed.
    std::size_t capacity() const noexcept { return capacity_.load(std::memory_order_relaxed); }
    /// Whether nothing can be stored.
    bool is_closed() const noexcept { return wanted_.load(std::memory_order_relaxed) == 0; }
    permits<Sync>& pool() noexcept { return permits_; }
    const permits<Sync>& pool() const noexcept { return permits_; }
    Lifetimes& lifetimes() const noexcept { return lifetimes_; }
    lanes<Sync>& counters() noexcept { return lanes_; }
    const lanes<Sync>& counters() const noexcept { return lanes_; }

    /// What a put of a new key has got for it.
    struct admission {
        admission() noexcept {} // with a constructor that is defaulted GCC zeroes all of it first, by `rep stos`

        std::size_t need = 1; ///< permits: what the entry weighs
        std::size_t held = 0; ///< those in hand
        const entry* own = nullptr; ///< of a put that replaces an entry: that one, which stays. Not looked at
        bool is_placed = false; ///< its queue is known, and the history has heard of it
        bool is_in_sample = false; ///< the leaning hears of its key
        queue where = queue::in_main;
        unsigned count = 0;
        position at{};            ///< of the small queue
        entry* victims = nullptr; ///< erased, and not retired yet; linked by `next_label`, which also has the reason
        tables* in = nullptr;    ///< the policy tables that the put uses
        lane_type* lane = nullptr;
    };

    /// The put does not use the policy tables any more.
    void leave(admission& mine) noexcept {
        if (std::exchange(mine.in, nullptr) != nullptr) mine.lane->leave();
    }

    /// The entry that was evicted for this put: the listener's, or freed. May run destructors of the user's, which may use the
    /// cache.
    void finish([[maybe_unused]] visitor& by, [[maybe_unused]] admission& mine) noexcept {
        if constexpr (Engine::entries_are_nodes) {
            while (mine.victims != nullptr) {
                entry& gone = *mine.victims;
                const std::uint64_t link = gone.next_label;
                mine.victims = reinterpret_cast<entry*>(static_cast<std::uintptr_t>(link & ~reasons));
                by.dismiss(engine_, gone, static_cast<syncmap::removal>(link & reasons));
            }
        }
    }

    /// Takes some buckets of what `invalidate_all` has left apart, if no other thread does, and gives back the permits. Their
    /// entries are retired at the end of the operation. Returns whether it has done all that was asked for.
    [[gnu::noinline]] bool take_apart(visitor& by, std::size_t buckets) {
        return engine_.take_apart(
            by, buckets,
            [&](std::size_t entries, std::uint64_t labels) { // see weights.hpp
                permits_.give(entries + static_cast<std::size_t>(labels));
                cleared_.fetch_add(entries, std::memory_order_relaxed);
            },
            [&](entry& gone) { by.dismiss_later(gone, syncmap::removal::invalidated); });
    }
    /// How many entries `invalidate_all` has removed, as far as they are taken apart.
    std::uint64_t cleared() const noexcept { return cleared_.load(std::memory_order_relaxed); }

    /// The permits that were not used go back to the pool.
    void give_back(admission& mine) noexcept {
        if (mine.held != 0) permits_.give(std::exchange(mine.held, 0));
    }

protected:
    static constexpr std::size_t buckets_for_a_permit = 16, buckets_at_a_time = 1024;
    static constexpr unsigned most_rounds_for_a_permit = 64;
    static constexpr std::size_t first_entries = 1'024; ///< with weights: for so many the policy tables are made at first

    /// For how many entries the policy tables are made at first. A plain policy uses none.
    static std::size_t entries_of_tables(std::size_t capacity, bool is_weighted) noexcept {
        if constexpr (numbered_mark<mark_type>) return 1;
        return is_weighted ? (std::min)(capacity, first_entries) : capacity;
    }

    void enter(lane_type& l, admission& mine) noexcept {
        if (mine.in != nullptr) return;
        l.enter();
        mine.lane = std::addressof(l);
        mine.in = std::addressof(policy_.now());
    }

    void evicted(visitor& by, lane_type& l, admission& mine, entry& victim) noexcept {
        takes_out(by, mine, victim, syncmap::removal::size);
        if (lanes_.counts()) l.count(counted::eviction);
    }
    void takes_out(visitor& by, admission& mine, entry& gone, syncmap::removal why) noexcept {
        if constexpr (Engine::entries_are_nodes) {
            mine.held += weight_of(gone);
            if (by.tells_in_order()) [[unlikely]] {
                static_cast<void>(by.keeps(gone, why));
                return;
            }
            gone.next_label = reinterpret_cast<std::uintptr_t>(mine.victims) | static_cast<std::uint64_t>(why);
            mine.victims = std::addressof(gone);
        } else { // it is gone
            mine.held += 1;
        }
    }
    static constexpr std::uint64_t reasons = 7; ///< the bits of a node's address that are 0
    static_assert(!Engine::entries_are_nodes || alignof(entry) > reasons);

    removal erase_expired(visitor& by, lane_type& l, admission& mine, sighting& seen) {
        const removal done = engine_.erase_if_still(by, seen);
        if (done != removal::erased) return done;
        takes_out(by, mine, *seen, lifetimes_.reason_of(*seen));
        if (lanes_.counts()) l.count(counted::expiration);
        return done;
    }

    /// So many permits, if the pool has them. Those of entries that were cleared come before evictions [V2].
    bool takes(visitor& by, std::size_t wanted) {
        return permits_.take(wanted) ||
               (engine_.has_cleared() && takes_of_cleared(by, wanted, [&] { return permits_.take(wanted); }));
    }
    bool takes_some(visitor& by, admission& mine, std::size_t most) {
        const auto taken = [&] {
            const std::size_t n = permits_.take_some(most);
            mine.held += n;
            return n != 0;
        };
        return taken() || (engine_.has_cleared() && takes_of_cleared(by, most, taken));
    }
    /// Takes apart what was cleared until `taken()` is true. False: nothing is left, or another thread is at it; for a single
    /// permit also where many buckets in a row had none.
    template <class Taken>
    [[gnu::noinline]] bool takes_of_cleared(visitor& by, std::size_t wanted, Taken taken) {
        const unsigned most = wanted == 1 ? most_rounds_for_a_permit : ~0U;
        bool goes_on = true;
        for (unsigned round = 0; goes_on && round < most && engine_.has_cleared(); ++round) {
            engine_.ensure_table(by); // where another thread has cleared again meanwhile
            goes_on = take_apart(by, buckets_for_a_permit);
            if (taken()) return true;
        }
        return false;
    }

    typename Sync::template atomic<std::uint64_t> cleared_{0};
    Engine& engine_;
    Lifetimes& lifetimes_;
    const weigher_type& weigher_;
    typename Sync::template atomic<std::size_t> capacity_;
    typename Sync::template atomic<std::size_t> wanted_; ///< less than `capacity_` while entries are evicted for it
    permits<Sync> permits_;
    policy_memory<Sync, allocator> policy_;
    typename Sync::mutex changing_; ///< of capacity and policy tables
    typename Sync::mutex gathering_; ///< see `gather`
    const feature features_;
    const bool is_weighted_;
    lanes<Sync> lanes_;
};

} // namespace syncmap::cache_detail
