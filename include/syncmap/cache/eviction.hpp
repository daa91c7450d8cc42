// What leaves a full cache: S3-FIFO's small queue and ghost, CLOCK over the main queue, TinyLFU's duel between the two.
//
// The main queue is the table itself: the *hand* sweeps over it in the order of hashes. It skips small entries, takes one from
// the uses of a main one, and stops at a main entry without uses: the victim [E4]. After 256 used ones it takes the least used
// of them [E6]. An expired entry is a victim at once. The oldest small entry leaves small with each put of a new key: used
// twice or more, it becomes main, and the victim goes; else the two are compared by what the history has counted of them, and
// the one seen less often goes.
//
// All structures hold hashes of entries, never pointers. Which entry a hash names now is found again each time.
// The rules [E1] to [E10] and [Q5] are those of docs/cache.md and of the comments here.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/main_hand.hpp>
#include <syncmap/cache/permits.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/policy/policy_tables.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/cache/weights.hpp>
#include <syncmap/operation/marked_entries.hpp>

namespace syncmap::cache_detail {

/// `Lifetimes`: those of the cache's entries, see time/lifetimes.hpp.
template <class Engine, class Sync, class Lifetimes>
class eviction : private main_hand<eviction<Engine, Sync, Lifetimes>, Engine, Sync, Lifetimes> {
    using hand = main_hand<eviction, Engine, Sync, Lifetimes>;
    friend hand;
    using hand::always;
    using hand::challenge;
    using hand::sweep;
    using typename hand::duel;
    using allocator = typename Engine::allocator_type;

public:
    using visitor = acting_thread<Engine>;
    using sighting = typename Engine::sighting;
    using entry = typename Engine::entry_type;
    using lane_type = lane<Sync>;
    using tables = policy_tables<Sync, allocator>;
    using queue_type = small_queue<Sync, allocator>;
    using position = typename queue_type::position;
    using lifetimes_type = Lifetimes;

    static_assert(marked_entries<Engine>);

    /// `is_weighted`: the entries weigh what the weigher of the cache says. How many fit is not known then.
    eviction(Engine& engine, std::size_t capacity, bool is_weighted, Lifetimes& lifetimes, const allocator& a)
        : engine_(engine), lifetimes_(lifetimes), capacity_(capacity), wanted_(capacity), permits_(capacity),
          policy_(is_weighted ? (std::min)(capacity, first_entries) : capacity, a), is_weighted_(is_weighted) {}

    bool is_weighted() const noexcept { return is_weighted_; }
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
        std::size_t need = 1; ///< permits: what the entry weighs
        std::size_t held = 0; ///< those in hand
        const entry* own = nullptr; ///< of a put that replaces an entry: that one, which stays. Not looked at
        bool is_placed = false; ///< its queue is known, and the history has heard of it
        queue where = queue::in_main;
        unsigned count = 0;
        position at{};            ///< of the small queue
        entry* victims = nullptr; ///< erased, and not retired yet; linked by `next_label`, which also has the reason
        tables* in = nullptr;    ///< the policy tables that the put uses
        lane_type* lane = nullptr;
    };

    /// Before a put of a new key inserts: gets a permit, by an eviction if need be, and a place in a queue. Nothing is locked.
    /// It gets no permit where the capacity is 0.
    ///
    /// Throws: `bad_alloc`, where the table is being saved for a snapshot. The admission then is as it was, but for its place.
    void admit(visitor& by, std::uint64_t hash, admission& mine) {
        lane_type& l = lanes_.of_slot(by.slot());
        enter(l, mine);
        if (!mine.is_placed) place(by, l, hash, mine);
        if (mine.held >= mine.need) return;
        if (mine.held == 0 && takes(by, mine.need)) { // after an attempt that has come to nothing, say
            mine.held = mine.need;
        } else {
            gather(by, l, mine, mine.need);
        }
    }
    /// Before a put replaces an entry by one that weighs more: the same for the difference.
    void admit_more(visitor& by, const entry* own, admission& mine, std::size_t difference) {
        lane_type& l = lanes_.of_slot(by.slot());
        enter(l, mine);
        mine.own = own;
        mine.held += takes(by, difference) ? difference : 0;
        if (mine.held < difference) gather(by, l, mine, difference);
        mine.own = nullptr;
    }

    /// The entry was inserted: its hash goes into its queue.
    void inserted(visitor& by, std::uint64_t hash, admission& mine) {
        if (mine.where == queue::in_small) {
            const std::uint64_t other = mine.at.put(hash, mine.count);
            // Pairs with the fence of `empty`: that thread finds the hash, or this one sees that the ring is not in use.
            Sync::fence_after_rmw();
            const bool is_in_use = mine.in == std::addressof(policy_.now());
            if (other != queue_type::none) promote(by, other); // of a thread that took this position a round earlier
            if (is_in_use) [[likely]]
                return;
            if (const std::uint64_t own = mine.at.take(); own != queue_type::none) promote(by, own);
        }
    }
    /// The put does not use the policy tables any more.
    void leave(admission& mine) noexcept {
        if (std::exchange(mine.in, nullptr) != nullptr) mine.lane->leave();
    }

    /// The entry that was evicted for this put: the listener's, or freed. May run destructors of the user's, which may use the
    /// cache.
    void finish(visitor& by, admission& mine) noexcept {
        while (mine.victims != nullptr) {
            entry& gone = *mine.victims;
            const std::uint64_t link = gone.next_label;
            mine.victims = reinterpret_cast<entry*>(static_cast<std::uintptr_t>(link & ~reasons));
            by.dismiss(engine_, gone, static_cast<syncmap::removal>(link & reasons));
        }
    }

    /// Takes some buckets of what `invalidate_all` has left apart, if no other thread does, and gives back the permits. Their
    /// entries are retired at the end of the operation. Returns whether it has done all that was asked for.
    bool take_apart(visitor& by, std::size_t buckets) {
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

    /// Changes the capacity [R1]. Returns when no more than `n` entries are there, unless another call has changed it again.
    /// Throws: `bad_alloc`; nothing has happened then.
    void set_capacity(visitor& by, std::size_t n) {
        bool has_shrunk = false;
        change_tables(by, lanes_.of_slot(by.slot()), is_weighted_ ? 0 : n, [&] {
            const std::size_t before = wanted_.exchange(n, std::memory_order_relaxed);
            has_shrunk = n <= before / 2;
            // What `capacity` says comes before the permits that it allows, and after the evictions.
            if (n > capacity()) capacity_.store(n, std::memory_order_relaxed);
            if (n >= before) {
                permits_.give(n - before);
            } else {
                permits_.withdraw(before - n);
            }
        });
        if (permits_.free_now() < 0 && engine_.has_cleared()) engine_.ensure_table(by);
        while (permits_.free_now() < 0 && take_apart(by, buckets_at_a_time) && engine_.has_cleared()) {}
        for (unsigned fruitless = 0; permits_.free_now() < 0;) {
            if (evict_one(by, fruitless != 0)) {
                fruitless = 0;
            } else {
                Sync::back_off(fruitless++);
            }
        }
        {
            const std::unique_lock<typename Sync::mutex> guard(changing_);
            if (permits_.free_now() >= 0) capacity_.store(wanted_.load(std::memory_order_relaxed), std::memory_order_relaxed);
            policy_.free_unused(lanes_, [&] { return engine_.pass_heavy_barrier(by); });
        }
        if (has_shrunk) engine_.shrink_to_fit(); // it has room for the entries of before [E11]
    }

private:
    template <class>
    friend struct eviction_inspector; // of the tests
    template <class>
    friend class ranking;
    static constexpr std::size_t buckets_for_a_permit = 16, buckets_at_a_time = 1024;
    static constexpr std::size_t first_entries = 1'024; ///< with weights: for so many the policy tables are made at first

    class in_lane {
    public:
        explicit in_lane(lane_type& l) noexcept : lane_(l) { lane_.enter(); }
        in_lane(const in_lane&) = delete;
        in_lane& operator=(const in_lane&) = delete;
        ~in_lane() { lane_.leave(); }

    private:
        lane_type& lane_;
    };
    void enter(lane_type& l, admission& mine) noexcept {
        if (mine.in != nullptr) return;
        l.enter();
        mine.lane = std::addressof(l);
        mine.in = std::addressof(policy_.now());
    }
    /// An entry leaves, for none that comes. False: all that is left is in the hands of other threads.
    bool evict_one(visitor& by, bool waits) {
        struct eviction_alone {
            eviction& of;
            visitor& by;
            admission gone{};
            ~eviction_alone() {
                of.leave(gone);
                of.give_back(gone);
                of.finish(by, gone);
            }
        } one{*this, by};
        lane_type& l = lanes_.of_slot(by.slot());
        enter(l, one.gone);
        return evict_any(by, l, one.gone, 1, waits);
    }
    /// Other policy tables, if those in use do not fit so many entries; 0: they fit. `f()` runs with them.
    template <class F>
    void change_tables(visitor& by, lane_type& l, std::size_t entries, F f) {
        const in_lane using_tables(l);
        tables* replaced = nullptr;
        {
            const std::unique_lock<typename Sync::mutex> guard(changing_);
            if (!is_weighted_ || entries != 0) replaced = policy_.change_for(entries);
            f();
        }
        if (replaced != nullptr) empty(by, replaced->small_ring);
    }
    /// All hashes of a ring that is in use no more become main.
    void empty(visitor& by, queue_type& ring) noexcept {
        Sync::fence(); // as in `inserted`
        for (std::size_t i = 0; i < ring.size(); ++i) {
            if (const std::uint64_t name = ring.take_behind_oldest(i); name != queue_type::none) promote(by, name);
        }
    }

    /// A hash that was taken out of the small queue. Unless the entry is found to have left small, it becomes main at the end.
    class in_hand {
    public:
        in_hand(eviction& of, visitor& by, std::uint64_t name) noexcept : of_(of), by_(by), name_(name) {}
        in_hand(const in_hand&) = delete;
        in_hand& operator=(const in_hand&) = delete;
        ~in_hand() {
            if (name_ != queue_type::none) of_.promote(by_, name_);
        }
        void is_gone() noexcept { name_ = queue_type::none; }

    private:
        eviction& of_;
        visitor& by_;
        std::uint64_t name_;
    };

    /// P2 to P4, and what permits come with them.
    void place(visitor& by, lane_type& l, std::uint64_t hash, admission& mine) {
        const std::uint64_t tick = l.tick();
        if (is_weighted_ && !place_weight(by, l, tick, mine)) return;
        mine.in->keys.prefetch(hash);
        const bool asks_first = !mine.in->small_ring.by_lines();
        if (asks_first) ask_history(hash, mine.in->small_ring.now(), tick, mine);
        std::uint64_t leaving = queue_type::none;
        unsigned leaving_count = 0;
        if (!asks_first || mine.where == queue::in_small) {
            mine.at = mine.in->small_ring.next(l);
            fetch_ahead(by, l, mine.in->small_ring);
            leaving_count = mine.at.count();
            leaving = mine.at.take();
        }
        {
            // No longer than this: an entry that is in hand is found by no other thread that needs a permit.
            in_hand kept(*this, by, leaving);
            if (takes(by, mine.need)) mine.held = mine.need;
            if (leaving != queue_type::none && (mine.held == 0 || has_only_rest(mine)))
                leave_small(by, l, mine, leaving, leaving_count, kept);
        }
        if (!asks_first) ask_history(hash, mine.at.number(), tick, mine);
        mine.is_placed = true;
        if (mine.held < mine.need && mine.need > 1) leave_more(by, l, mine);
    }
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
    /// What the pool has after this put is what the last victims weighed beyond the need. So the cache counts as full, and the
    /// entry that leaves small has to win a duel.
    bool has_only_rest(const admission& mine) const noexcept {
        if (!is_weighted_) return false;
        const std::int64_t rest = permits_.free_now();
        return rest > 0 && rest < static_cast<std::int64_t>(mine.need);
    }
    /// The next of small leave too, each by a duel, until there is room.
    [[gnu::noinline]] void leave_more(visitor& by, lane_type& l, admission& mine) {
        const std::size_t most = (std::min)(mine.in->small_ring.size(), std::size_t{most_left_at_once});
        for (std::size_t i = 1; i < most && mine.held < mine.need; ++i) {
            mine.held += permits_.take_some(mine.need - mine.held);
            const std::uint64_t name = mine.in->small_ring.take_behind_oldest(i);
            if (name == queue_type::none || mine.held == mine.need) continue;
            in_hand kept(*this, by, name);
            leave_small(by, l, mine, name, mine.in->keys.count(name), kept);
        }
    }
    static constexpr std::size_t most_left_at_once = 64;

    void ask_history(std::uint64_t hash, std::uint64_t now, std::uint64_t tick, admission& mine) noexcept {
        mine.in->keys.age(tick);
        const auto told = mine.in->keys.come(hash, now);
        mine.where = told.returned ? queue::in_main : queue::in_small;
        mine.count = told.count;
    }

    /// What the thread's next puts will look at [E9].
    void fetch_ahead(const visitor& by, const lane_type& l, const queue_type& ring) const noexcept {
        if (const std::uint64_t farther = ring.peek(l, 6); farther != queue_type::none) engine_.prefetch(by, farther);
        if (const std::uint64_t nearer = ring.peek(l, 3); nearer != queue_type::none) engine_.prefetch_entry(nearer);
    }

    /// The entry that a hash names becomes main, if it is small.
    void promote(visitor& by, std::uint64_t name) noexcept {
        for (sighting seen(by); find(name, seen) && !seen->mark.promote();) engine_.wait_for_writer(by, seen);
    }
    bool find(std::uint64_t name, sighting& seen) const noexcept {
        return engine_.find(name, seen) || (name == queue_type::name_of(queue_type::none) && engine_.find(0, seen));
    }

    /// P3: the oldest small entry becomes main in the place of a main one, or goes itself.
    void leave_small(visitor& by, lane_type& l, admission& mine, std::uint64_t name, unsigned count, in_hand& kept) {
        for (sighting seen(by); find(name, seen);) {
            auto& mark = seen->mark;
            const queue where = mark.where();
            if (where == queue::left) { // its value is being overwritten
                engine_.wait_for_writer(by, seen);
                continue;
            }
            if (where != queue::in_small) break;
            if (typename Lifetimes::glance(lifetimes_).is_over(*seen)) {
                const removal done = erase_expired(by, l, mine, seen);
                if (done == removal::gone) continue;
                if (done == removal::erased) kept.is_gone();
                return;
            }
            const unsigned uses = mark.uses();
            if (uses != 0) mine.in->keys.add(seen->hash(), uses);
            const unsigned strength = uses >= 2 ? always : (std::min)(history<Sync, allocator>::most, count + uses);
            if (challenge(by, l, mine, strength) == duel::evicted) return; // `kept` promotes it
            switch (engine_.erase_if_still(by, seen)) {
            case removal::erased:
                kept.is_gone();
                evicted(l, mine, *seen);
                return;
            case removal::busy: return; // a thread computes its key
            case removal::gone: continue; // erased, or another node has its place
            }
        }
        kept.is_gone();
    }
    using removal = typename Engine::removal;

    void evicted(lane_type& l, admission& mine, entry& victim) noexcept {
        takes_out(mine, victim, syncmap::removal::size);
        l.count(counted::eviction);
    }
    void takes_out(admission& mine, entry& gone, syncmap::removal why) noexcept {
        mine.held += weight_of(gone);
        gone.next_label = reinterpret_cast<std::uintptr_t>(mine.victims) | static_cast<std::uint64_t>(why);
        mine.victims = std::addressof(gone);
    }
    static constexpr std::uint64_t reasons = 7; ///< the bits of a node's address that are 0
    static_assert(alignof(entry) > reasons);

    removal erase_expired(visitor& by, lane_type& l, admission& mine, sighting& seen) {
        const removal done = engine_.erase_if_still(by, seen);
        if (done != removal::erased) return done;
        takes_out(mine, *seen, syncmap::removal::expired);
        l.count(counted::expiration);
        return done;
    }

    /// So many permits, if the pool has them. Those of entries that were cleared come before evictions [V2].
    bool takes(visitor& by, std::size_t wanted) {
        if (permits_.take(wanted)) return true;
        return takes_apart(by) && permits_.take(wanted);
    }
    bool takes_apart(visitor& by) {
        if (!engine_.has_cleared()) return false;
        engine_.ensure_table(by); // where another thread has cleared again meanwhile
        take_apart(by, buckets_for_a_permit);
        return true;
    }
    /// So many permits, by erasing whatever can go; fewer, where the capacity is less than what the entry weighs. Waits for
    /// other threads only where all of the capacity is in their hands [E5]. Of the threads that need several permits, one at a
    /// time keeps some while it waits.
    void gather(visitor& by, lane_type& l, admission& mine, std::size_t wanted) {
        std::unique_lock<typename Sync::mutex> turn(gathering_, std::defer_lock);
        for (unsigned fruitless = 0; mine.held < wanted && !is_too_heavy(mine.need);) {
            if (evict_any(by, l, mine, wanted - mine.held, fruitless != 0)) {
                fruitless = 0;
            } else if (wanted > 1 && !turn.owns_lock()) {
                give_back(mine);
                turn.lock();
            } else {
                if (fruitless == most_fruitless) mine.own = nullptr; // perhaps another entry has that node's address now
                Sync::back_off(fruitless++);
            }
        }
    }
    static constexpr unsigned most_fruitless = 64;
    /// Gets permits, if an entry can go or some are in the pool, of which it takes `most`. A thread that has found nothing
    /// writes nothing while it waits: the threads that it waits for need their lines.
    bool evict_any(visitor& by, lane_type& l, admission& mine, std::size_t most, bool waits) {
        if (sweep(by, l, mine, always, waits) == duel::evicted || takes_some(by, mine, most)) return true;
        for (std::size_t i = 0; i < mine.in->small_ring.size(); ++i) {
            const std::uint64_t name = mine.in->small_ring.take_behind_oldest(i);
            if (name == queue_type::none) continue;
            in_hand kept(*this, by, name);
            sighting seen(by);
            if (find(name, seen) && may_go(*seen, mine) && engine_.erase_if_still(by, seen, true) == removal::erased) {
                kept.is_gone();
                evicted(l, mine, *seen);
                return true;
            }
            if (takes_some(by, mine, most)) return true;
        }
        return false;
    }
    bool takes_some(visitor& by, admission& mine, std::size_t most) {
        std::size_t taken = permits_.take_some(most);
        if (taken == 0 && takes_apart(by)) taken = permits_.take_some(most);
        mine.held += taken;
        return taken != 0;
    }
    static bool may_go(entry& e, const admission& mine) noexcept {
        return e.mark.where() != queue::outside && std::addressof(e) != mine.own;
    }

    typename Sync::template atomic<std::uint64_t> cleared_{0};
    Engine& engine_;
    Lifetimes& lifetimes_;
    typename Sync::template atomic<std::size_t> capacity_;
    typename Sync::template atomic<std::size_t> wanted_; ///< less than `capacity_` while entries are evicted for it
    permits<Sync> permits_;
    policy_memory<Sync, allocator> policy_;
    typename Sync::mutex changing_; ///< of capacity and policy tables
    typename Sync::mutex gathering_; ///< see `gather`
    const bool is_weighted_;
    lanes<Sync> lanes_{};
};

} // namespace syncmap::cache_detail
