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
#include <syncmap/cache/permits.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/policy/policy_tables.hpp>
#include <syncmap/cache/removals.hpp>
#include <syncmap/operation/marked_entries.hpp>

namespace syncmap::cache_detail {

/// `Lifetimes`: those of the cache's entries, see time/lifetimes.hpp.
template <class Engine, class Sync, class Lifetimes>
class eviction {
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

    eviction(Engine& engine, std::size_t capacity, Lifetimes& lifetimes, const allocator& a)
        : engine_(engine), lifetimes_(lifetimes), capacity_(capacity), wanted_(capacity), permits_(capacity),
          policy_(capacity, a) {}

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
        bool has_permit = false;
        bool is_placed = false; ///< its queue is known, and the history has heard of it
        queue where = queue::in_main;
        unsigned count = 0;
        position at{};            ///< of the small queue
        entry* victim = nullptr; ///< erased, and not retired yet
        syncmap::removal reason = syncmap::removal::size; ///< of the victim
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
        if (mine.is_placed) { // an earlier attempt has come to nothing
            if (!mine.has_permit) mine.has_permit = take_permit(by) || make_permit(by, l, mine);
            return;
        }
        const std::uint64_t tick = l.tick();
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
            mine.has_permit = take_permit(by);
            if (leaving != queue_type::none && !mine.has_permit) leave_small(by, l, mine, leaving, leaving_count, kept);
        }
        if (!asks_first) ask_history(hash, mine.at.number(), tick, mine);
        mine.is_placed = true;
        if (!mine.has_permit) mine.has_permit = make_permit(by, l, mine);
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
        if (mine.victim != nullptr) by.dismiss(engine_, *std::exchange(mine.victim, nullptr), mine.reason);
    }

    /// Takes some buckets of what `invalidate_all` has left apart, if no other thread does, and gives back the permits. Their
    /// entries are retired at the end of the operation. Returns whether it has done all that was asked for.
    bool take_apart(visitor& by, std::size_t buckets) {
        return engine_.take_apart(
            by, buckets,
            [&](std::size_t entries) {
                permits_.give(entries);
                cleared_.fetch_add(entries, std::memory_order_relaxed);
            },
            [&](entry& gone) { by.dismiss_later(gone, syncmap::removal::invalidated); });
    }
    /// How many entries `invalidate_all` has removed, as far as they are taken apart.
    std::uint64_t cleared() const noexcept { return cleared_.load(std::memory_order_relaxed); }

    /// A permit that was not used goes back to the pool.
    void give_back(admission& mine) noexcept {
        if (std::exchange(mine.has_permit, false)) permits_.give();
    }

    /// Changes the capacity [R1]. Returns when no more than `n` entries are there, unless another call has changed it again.
    /// Throws: `bad_alloc`; nothing has happened then.
    void set_capacity(visitor& by, std::size_t n) {
        bool has_shrunk = false;
        {
            const in_lane using_tables(lanes_.of_slot(by.slot()));
            tables* replaced = nullptr;
            {
                const std::unique_lock<typename Sync::mutex> guard(changing_);
                replaced = policy_.change_for(n);
                const std::size_t before = wanted_.exchange(n, std::memory_order_relaxed);
                // What `capacity` says comes before the permits that it allows, and after the evictions.
                if (n > capacity()) capacity_.store(n, std::memory_order_relaxed);
                if (n >= before) {
                    permits_.give(n - before);
                } else {
                    permits_.withdraw(before - n);
                }
            }
            has_shrunk = replaced != nullptr && replaced->entries > n;
            if (replaced != nullptr) empty(by, replaced->small_ring);
        }
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
    static constexpr std::size_t buckets_for_a_permit = 16;

    enum class duel : unsigned char { evicted, lost, no_main_entry };
    static constexpr unsigned always = history<Sync, allocator>::most + 1; ///< a count that wins each duel

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
        return one.gone.has_permit = evict_any(by, l, one.gone, waits);
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
            if (where == queue::in_main) break;
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
        mine.victim = std::addressof(victim);
        mine.reason = syncmap::removal::size;
        mine.has_permit = true;
        l.count(counted::eviction);
    }

    removal erase_expired(visitor& by, lane_type& l, admission& mine, sighting& seen) {
        const removal done = engine_.erase_if_still(by, seen);
        if (done != removal::erased) return done;
        mine.victim = std::addressof(*seen);
        mine.reason = syncmap::removal::expired;
        mine.has_permit = true;
        l.count(counted::expiration);
        return done;
    }

    /// A permit by erasing whatever can go. Waits for other threads only where all of the capacity is in their hands [E5].
    /// Permits of entries that were cleared come before evictions [V2].
    bool take_permit(visitor& by) {
        if (permits_.take()) return true;
        if (!engine_.has_cleared()) return false;
        engine_.ensure_table(by); // where another thread has cleared again meanwhile
        take_apart(by, buckets_for_a_permit);
        return permits_.take();
    }
    bool make_permit(visitor& by, lane_type& l, admission& mine) {
        for (unsigned attempt = 0; !is_closed(); ++attempt) {
            if (evict_any(by, l, mine, attempt != 0)) return true;
            Sync::back_off(attempt);
        }
        return false;
    }
    /// Gets a permit, if an entry can go or one is in the pool. A thread that has found nothing writes nothing while it waits:
    /// the threads that it waits for need their lines.
    bool evict_any(visitor& by, lane_type& l, admission& mine, bool waits) {
        if (sweep(by, l, mine, always, waits) == duel::evicted || take_permit(by)) return true;
        for (std::size_t i = 0; i < mine.in->small_ring.size(); ++i) {
            const std::uint64_t name = mine.in->small_ring.take_behind_oldest(i);
            if (name == queue_type::none) continue;
            in_hand kept(*this, by, name);
            sighting seen(by);
            if (find(name, seen) && engine_.erase_if_still(by, seen, true) == removal::erased) {
                kept.is_gone();
                evicted(l, mine, *seen);
                return true;
            }
            if (take_permit(by)) return true;
        }
        return false;
    }

    /// Evicts main's next victim, if the history has counted less of it than `strength`.
    duel challenge(visitor& by, lane_type& l, admission& mine, unsigned strength) {
        // [Q5] What the victim under the hand has is known: most duels are lost without a look at it.
        const std::uint64_t at = hand_.load(std::memory_order_relaxed);
        const auto known = static_cast<unsigned>(at & count_mask);
        if (known != 0 && strength < known && l.ticks.load(std::memory_order_relaxed) % ticks_between_looks != 0)
            return duel::lost;
        return sweep(by, l, mine, strength, false);
    }

    /// The hand: the upper bits of the hash at which its bucket begins, the place in the bucket, and one more than the history
    /// has counted of the entry there, or 0.
    static constexpr int place_shift = 5;
    static constexpr std::uint64_t count_mask = 31;
    static constexpr std::uint64_t place_mask = 0x7FF;
    static constexpr std::uint64_t prefix_mask = ~std::uint64_t{0xFFFF};
    static constexpr std::uint64_t ticks_between_looks = 16;

    static std::uint64_t hand_at(std::uint64_t from, std::size_t place, unsigned known) noexcept {
        return (from & prefix_mask) | (std::min)(std::uint64_t{place}, place_mask) << place_shift | known;
    }

    /// The least used of the main entries that a sweep has looked at.
    struct least_used {
        std::uint64_t hash = 0;
        unsigned uses = entry_uses_end; ///< what is left of them
    };
    static constexpr unsigned entry_uses_end = 4; ///< more than any entry has
    static constexpr unsigned most_looked_at = 256;

    /// Ends at the first main entry without uses. Where it has met none among `most_looked_at` main entries, it takes the least
    /// used of them [E6]. `keeps_hand`: the hand stays where it is unless there is a victim.
    [[gnu::noinline]] duel sweep(visitor& by, lane_type& l, admission& mine, unsigned strength, bool keeps_hand) {
        const std::size_t round = engine_.bucket_count() + 1;
        typename Lifetimes::glance time(lifetimes_);
        bool met_main = false;
        unsigned looked_at = 0;
        least_used least;
        std::uint64_t now = hand_.load(std::memory_order_relaxed);
        for (std::size_t buckets = 0; buckets < 6 * round; ++buckets) {
            if (buckets == round && !met_main) break;
            const bool takes_any = buckets >= 4 * round; // threads compute all entries
            const std::uint64_t from = now & prefix_mask;
            const std::size_t first = now >> place_shift & place_mask;
            bool ended = false;
            duel result = duel::lost;
            const std::uint64_t next = engine_.sweep_bucket(by, from, [&](sighting& seen, std::size_t place) {
                auto& mark = seen->mark;
                if (place < first) return true;
                if (time.is_over(*seen) && erase_expired(by, l, mine, seen) == removal::erased) {
                    move_hand(now, hand_at(from, place + 1, 0));
                    result = duel::evicted;
                    ended = true;
                    return false;
                }
                if (const queue where = mark.where(); where != queue::in_main) {
                    if (where == queue::in_small && mark.pass()) mark.promote();
                    return true;
                }
                met_main = true;
                ++looked_at;
                if (const unsigned uses = mark.uses(); uses != 0 && !takes_any) {
                    mark.set_uses(uses - 1);
                    mine.in->keys.add(seen->hash(), 1);
                    if (uses - 1 < least.uses) least = {seen->hash(), uses - 1};
                    return true;
                }
                if (strength < always && !takes_any) {
                    if (const unsigned count = mine.in->keys.count(seen->hash()); strength <= count) {
                        move_hand(now, hand_at(from, place, count + 1));
                        ended = true;
                        return false;
                    }
                }
                move_hand(now, hand_at(from, place + 1, 0));
                if (engine_.erase_if_still(by, seen, takes_any) != removal::erased) return true;
                evicted(l, mine, *seen);
                result = duel::evicted;
                ended = true;
                return false;
            });
            if (ended) return result;
            if (keeps_hand) {
                now = hand_at(next, 0, 0);
            } else if (!move_hand(now, hand_at(next, 0, 0))) {
                now = hand_.load(std::memory_order_relaxed);
            }
            if (looked_at >= most_looked_at) {
                if (const duel end = take(by, l, mine, strength, least); end != duel::no_main_entry) return end;
                looked_at = 0; // a thread computes it, or has erased it
                least = {};
            }
        }
        return duel::no_main_entry;
    }
    /// Evicts an entry that a sweep has seen, if the history and its uses count less of it than `strength`.
    duel take(visitor& by, lane_type& l, admission& mine, unsigned strength, const least_used& least) {
        sighting seen(by);
        if (least.uses == entry_uses_end || !engine_.find(least.hash, seen) || seen->mark.where() != queue::in_main)
            return duel::no_main_entry;
        if (strength < always && strength <= mine.in->keys.count(least.hash) + least.uses) return duel::lost;
        if (engine_.erase_if_still(by, seen) != removal::erased) return duel::no_main_entry;
        evicted(l, mine, *seen);
        return duel::evicted;
    }
    /// Not repeated: where another thread has moved it, it is right as well [E10].
    bool move_hand(std::uint64_t& from, std::uint64_t to) noexcept {
        if (from == to) return true;
        std::uint64_t seen = from;
        if (!hand_.compare_exchange_strong(seen, to, std::memory_order_relaxed, std::memory_order_relaxed)) return false;
        from = to;
        return true;
    }

    typename Sync::template atomic<std::uint64_t> cleared_{0};
    Engine& engine_;
    Lifetimes& lifetimes_;
    typename Sync::template atomic<std::size_t> capacity_;
    typename Sync::template atomic<std::size_t> wanted_; ///< less than `capacity_` while entries are evicted for it
    permits<Sync> permits_;
    policy_memory<Sync, allocator> policy_;
    typename Sync::mutex changing_;
    lanes<Sync> lanes_{};
    alignas(detail::cache_line_bytes) typename Sync::template atomic<std::uint64_t> hand_{0};
};

} // namespace syncmap::cache_detail
