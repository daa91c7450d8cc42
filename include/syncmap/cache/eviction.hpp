// What leaves a full cache: S3-FIFO's small queue and ghost, CLOCK over the main queue, TinyLFU's duel between the two.
//
// The main queue is the table itself: the *hand* sweeps over it in the order of hashes. It skips small entries, takes one from
// the uses of a main one, and stops at a main entry without uses: the victim [E4]. After 256 used ones it takes the least used
// of them [E6]. An expired entry is a victim at once. The oldest small entry leaves small with each put of a new key: used
// twice or more, it becomes main, and the victim goes; else the two are compared by what the history has counted of them, and
// the one seen less often goes.
//
// All structures hold hashes of entries, never pointers. Which entry a hash names now is found again each time.
// The rules [E...] are those of docs/cache.md; [Q5] is in main_hand.hpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <type_traits>

#include <syncmap/cache/bound.hpp>
#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/policy/request_notes.hpp>
#include <syncmap/cache/policy_changes.hpp>
#include <syncmap/cache/small_exits.hpp>

namespace syncmap::cache_detail {

/// With a plain policy all entries are main, and the hand is that of ordered_hand.hpp.
template <class Engine, class Sync, class Lifetimes>
class eviction : public policy_changes<Engine, Sync, Lifetimes> {
    using base = policy_changes<Engine, Sync, Lifetimes>;
    using base::always;
    using base::buckets_at_a_time;
    using base::capacity_;
    using base::change_tables;
    using base::changing_;
    using base::engine_;
    using base::enter;
    using base::evicted;
    using base::find;
    using base::gathering_;
    using base::has_only_rest;
    using base::is_weighted_;
    using base::lanes_;
    using base::leave_more;
    using base::leave_small;
    using base::permits_;
    using base::place_weight;
    using base::policy_;
    using base::promote;
    using base::sweep;
    using base::takes;
    using base::takes_some;
    using base::wanted_;
    using typename base::duel;
    using typename base::in_hand;
    using typename base::removal;

public:
    using base::base;
    using base::capacity;
    using base::give_back;
    using base::is_plain;
    using base::is_too_heavy;
    using base::take_apart;
    using typename base::admission;
    using typename base::entry;
    using typename base::lane_type;
    using typename base::queue_type;
    using typename base::sighting;
    using typename base::visitor;

    /// Before a put of a new key inserts: gets a permit, by an eviction if need be, and a place in a queue. Nothing is locked.
    /// It gets no permit where the capacity is 0.
    ///
    /// Throws: `bad_alloc`, where the table is being saved for a snapshot. The admission then is as it was, but for its place.
    void admit(visitor& by, lane_type& l, std::uint64_t hash, admission& mine) {
        enter(l, mine);
        if (!mine.is_placed) place(by, l, hash, mine);
        if (mine.held >= mine.need) return;
        if (mine.held == 0 && takes(by, mine.need)) { // after an attempt that has come to nothing, say
            mine.held = mine.need;
        } else {
            gather(by, l, mine, mine.need);
        }
    }
    /// Before an entry is inserted that comes back into main: a permit, if the pool has one, and nothing of the small queue.
    /// Only where entries have no weights. Returns whether it has got the permit.
    bool admit_to_main(lane_type& l, std::uint64_t hash, admission& mine) {
        enter(l, mine);
        mine.where = queue::in_main;
        mine.is_in_sample = mine.in->leans.heard().has(hash);
        mine.is_placed = true;
        if (mine.held == 0 && permits_.take()) mine.held = 1;
        return mine.held != 0;
    }
    /// Before a put replaces an entry by one that weighs more: the same for the difference.
    void admit_more(visitor& by, lane_type& l, const entry* own, admission& mine, std::size_t difference) {
        enter(l, mine);
        mine.own = own;
        mine.held += takes(by, difference) ? difference : 0;
        if (mine.held < difference) gather(by, l, mine, difference);
        mine.own = nullptr;
    }

    lane_type& lane_of(const visitor& by) noexcept { return lanes_.of_slot(by.slot()); }

    // ---- what becomes of an entry's mark ----

    /// A read has found the entry. `slot`: the calling thread's.
    void use(entry& e, std::uint32_t slot) noexcept {
        if constexpr (is_plain) {
            base::count_use(lanes_.of_slot(slot), e);
        } else {
            if (e.mark.use()) [[unlikely]]
                hear_of_hit(e.hash(), slot);
        }
    }
    /// A read by the thread with this slot number has found an entry whose key was in the sample when the entry came.
    [[gnu::noinline, gnu::cold]] void hear_of_hit(std::uint64_t hash, std::uint32_t slot) noexcept {
        if (policy_.is_in_sample(hash)) notes_.add(slot, sample::name_of(hash), request::hit);
    }
    /// The entry is about to be inserted.
    void begin([[maybe_unused]] lane_type& l, entry& e, const admission& mine) noexcept {
        e.mark.begin_in(mine.where);
        if (mine.is_in_sample) [[unlikely]]
            e.mark.begin_in_sample();
        if constexpr (is_plain) base::number(l, e);
    }
    /// It is about to replace another one of its key. That is a use for plain policies alone.
    void overwrite(lane_type& l, [[maybe_unused]] entry& e) noexcept {
        if constexpr (is_plain) {
            base::count_use(l, e);
        } else {
            l.has_inserted(false);
        }
    }
    /// A write of the hash begins that may insert.
    void fetch_for(const lane_type& l, std::uint64_t hash) const noexcept {
        if constexpr (!is_plain) {
            if (l.probably_inserts.load(std::memory_order_relaxed)) policy_.prefetch_history(hash);
        }
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

    /// Changes the capacity [CA1]. Returns when no more than `n` entries are there, unless another call has changed it again.
    /// Throws: `bad_alloc`; nothing has happened then.
    void set_capacity(visitor& by, std::size_t n) {
        bool has_shrunk = false;
        change_tables(by, lanes_.of_slot(by.slot()), is_weighted_ || is_plain ? 0 : n, [&] {
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

    /// PU2 to PU4, and what permits come with them.
    void place(visitor& by, lane_type& l, std::uint64_t hash, admission& mine) {
        if constexpr (is_plain) {
            mine.where = mine.need == 0 ? queue::outside : queue::in_main;
            mine.is_placed = true;
        } else {
            place_in_queue(by, l, hash, mine);
        }
    }
    void place_in_queue(visitor& by, lane_type& l, std::uint64_t hash, admission& mine) {
        const std::uint64_t tick = l.tick();
        if (is_weighted_ && !place_weight(by, l, tick, mine)) return;
        l.has_inserted(true);
        const bool asks_first = mine.in->small_ring.comes_after_history();
        if (asks_first) ask_history(by, hash, mine.in->small_ring.now(l), tick, mine);
        std::uint64_t leaving = queue_type::none;
        unsigned leaving_count = 0;
        if (!asks_first || mine.where == queue::in_small) {
            mine.at = mine.in->small_ring.next(l);
            fetch_ahead(l, mine);
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
        if (!asks_first) ask_history(by, hash, mine.at.number(), tick, mine);
        mine.is_placed = true;
        if (mine.held < mine.need && mine.need > 1) leave_more(by, l, mine);
    }
    [[gnu::always_inline]] void ask_history(visitor& by, std::uint64_t hash, std::uint64_t now, std::uint64_t tick,
                                            admission& mine) noexcept {
        if (mine.in->keys.age(tick, mine.in->leans.is_outdated())) [[unlikely]]
            fit_small_queue(by, mine);
        const bool returns_to_small = returns_duel(mine.in->leans.now());
        const auto told = mine.in->keys.come(hash, now, returns_to_small);
        mine.where = told.returned && !returns_to_small ? queue::in_main : queue::in_small;
        mine.count = told.count;
        if (mine.in->leans.heard().has(hash)) [[unlikely]]
            tell_leaning(by, hash, mine);
    }
    /// A put of a new key in the sample, and what all threads have noted.
    [[gnu::noinline]] void tell_leaning(visitor& by, std::uint64_t hash, admission& mine) noexcept {
        mine.is_in_sample = true;
        notes_.add(by.slot(), sample::name_of(hash), mine.count > 1 ? request::known_miss : request::new_miss);
        const std::uint32_t process = Engine::forks(by).load(std::memory_order_relaxed) + 1;
        mine.in->leans.tell(process, [this](auto hear) { notes_.take(hear); });
    }
    /// Gives the small queue the size that belongs to the leaning [LE2].
    [[gnu::noinline]] void fit_small_queue(visitor& by, admission& mine) noexcept {
        auto& in = *mine.in;
        in.small_ring.make_narrow(in.leans.now() == lean::frequency);
        base::promote_left_over(by, in.small_ring);
    }

    /// What the thread's next puts will look at [E9].
    [[gnu::always_inline]] void fetch_ahead(const lane_type& l, const admission& mine) const noexcept {
        const queue_type& ring = mine.in->small_ring;
        const std::uint64_t farther = ring.peek(l, mine.at, 7);
        if (farther != queue_type::none) [[likely]]
            engine_.prefetch(farther, ring.peek(l, mine.at, 4)); // of an empty position in vain
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
        if (engine_.has_cleared() && takes_some(by, mine, most)) return true; // before an entry that is there [V2]
        if (sweep(by, l, mine, always, waits) == duel::evicted || takes_some(by, mine, most)) return true;
        for (std::size_t i = 0; i < mine.in->small_ring.size(); ++i) {
            const std::uint64_t name = mine.in->small_ring.take_behind_oldest(i);
            if (name == queue_type::none) continue;
            in_hand kept(*this, by, name);
            sighting seen(by);
            if (find(name, seen) && may_go(*seen, mine) && engine_.erase_if_still(by, seen, true) == removal::erased) {
                kept.is_gone();
                evicted(by, l, mine, *seen);
                return true;
            }
            if (takes_some(by, mine, most)) return true;
        }
        return false;
    }
    static bool may_go(entry& e, const admission& mine) noexcept {
        return e.mark.where() != queue::outside && std::addressof(e) != mine.own;
    }

    struct no_notes {};
    [[no_unique_address]] std::conditional_t<is_plain, no_notes, request_notes<Sync>> notes_{};
};

} // namespace syncmap::cache_detail
