// Which thread computes which key, for `load_or_compute`, `update` and the writes that find a computation under way: one owner
// for each key, a queue of sleeping waiters, one outcome for the waiters of a `load_or_compute`, and a named error instead of
// a deadlock. One object serves the whole process, because a cycle of waiting threads may run through several maps.
// Design: docs/decisions/0013-single-flight.md.
//
//   single_flight/flight.hpp        one key that is owned or waited for, and the threads that do so
//   single_flight/flight_table.hpp  where flights are found, by map, hash and key
//   single_flight/wait_graph.hpp    which thread waits for which flight: cycles
//
// A thread that owns no key locks only a shard of that table, so unrelated keys and maps do not contend.
//
//     free  -> owned   `enter`: any running thread, also one that has never waited (barging)
//     owned -> free    `leave`: the owner; it calls one waiter, unless a called waiter has not run yet
//     owned -> owned   `leave`: the owner hands the key to a waiter that came too late `Sync::most_losses` times
//
// Invariants, under the shard's lock:
//  [S1] A free flight with waiters has a called waiter. It takes the flight, or finds an owner, which will call again.
//  [S3] An owner leaves a flight only while it runs. So what a thread owns does not change while it waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <utility>

#include <syncmap/engine/single_flight/wait_graph.hpp>
#include <syncmap/errors.hpp>

namespace syncmap::engine {

/// What a thread has of a flight whose outcome it wanted to share.
enum class flight_part : unsigned char { owns, shares, gave_up };

template <class Sync>
class [[gnu::visibility("default")]] single_flight {
    using flight = engine::flight<Sync>;
    using waiter = flight_waiter<Sync>;
    using table = flight_table<Sync>;
    using shard = typename table::shard;
    using guard = typename table::guard;
    using unlocked = typename table::unlocked;
    template <class U>
    using atomic = typename Sync::template atomic<U>;
    using mutex = typename Sync::mutex;

public:
    using claim = flight_claim<Sync>;

    single_flight() = default;
    single_flight(const single_flight&) = delete;
    single_flight& operator=(const single_flight&) = delete;
    ~single_flight() { delete table_.load(std::memory_order_relaxed); }

    /// Owns the key of `mine`; waits until no other thread owns it.
    /// Throws: `recursive_update` if this thread owns the key already, or waiting would close a cycle; `bad_alloc`;
    /// what copying and comparing keys throws. A call that throws has changed nothing.
    void enter(claim& mine) { static_cast<void>(enter(mine, wish::own)); }

    /// Does the same without waiting. Returns false, and changes nothing, if another thread owns the key.
    [[nodiscard]] bool try_enter(claim& mine) { return enter(mine, wish::look) == answer::owned; }

    /// Does the same as `enter` for a computation whose waiters share its outcome. Returns false if the caller waited for such
    /// a computation of another thread, which has ended; the caller then owns nothing. Throws the exception with which that
    /// computation failed.
    [[nodiscard]] bool enter_or_share(claim& mine) { return enter(mine, wish::share) == answer::owned; }

    /// Does the same as `enter_or_share`, but waits until the limit at most, if there is one.
    [[nodiscard]] flight_part enter_or_share(claim& mine, const typename Sync::deadline* limit) {
        switch (enter(mine, wish::share, limit)) {
        case answer::owned: return flight_part::owns;
        case answer::ended: return flight_part::shares;
        default: return flight_part::gave_up;
        }
    }

    /// Does the same as `enter_or_share` without waiting. Returns false, and changes nothing, if another thread owns the key.
    [[nodiscard]] bool try_enter_to_share(claim& mine) { return enter(mine, wish::look_to_share) == answer::owned; }

    /// Returns whether the calling thread owns any key, of any map.
    bool owns_any() {
        table* const t = table_.load(std::memory_order_acquire); // as (1)
        return t != nullptr && t->owns_any(forking_, Sync::this_thread());
    }

    /// Ends the ownership. Waits for nothing but the shard's lock.
    [[gnu::cold, gnu::noinline]] void leave(claim& mine) noexcept {
        table& t = *table_.load(std::memory_order_relaxed); // this thread has used it
        shard& s = t.shard_of(mine.hash_);
        flight& f = *std::exchange(mine.flight_, nullptr);
        guard g(forking_, s);
        t.owned_by(mine.thread_).fetch_sub(1, std::memory_order_relaxed);
        waiter* sharing = nullptr;
        if (f.shared) {
            sharing = std::exchange(f.sharers.first, nullptr);
            if (f.called != nullptr && f.called->shares) std::exchange(f.called, nullptr)->is = waiter::state::asleep;
        }
        f.owner.store(nullptr, std::memory_order_relaxed);
        call_next(f);
        for (unsigned told = 1; sharing != nullptr; ++told) {
            waiter& each = *sharing;
            sharing = each.next;
            each.outcome = mine.failure_;
            if (mine.give != nullptr && each.of.result != nullptr) mine.give(mine.result, each.of.result);
            each.is = waiter::state::ended; // the waiter goes on as soon as the lock is free
            each.signal.notify_all();
            if (told % told_at_once == 0) const unlocked for_others(g);
        }
        t.drop(s, g, f);
    }

    // ---- fork; see table/map_registry.hpp ----

    /// Waits until no thread is inside of a shard. No thread enters one until one of the two functions below has run.
    void before_fork() {
        forking_.store(true, std::memory_order_relaxed);
        // A thread that gets one of these locks later sees the flag, and unlocks it again.
        waits_.lock.lock();
        waits_.lock.unlock();
        if (table* const t = table_.load(std::memory_order_relaxed); t != nullptr) { // made under the lock above
            t->pass_all_locks();
        }
    }
    void after_fork_in_parent() { forking_.store(false, std::memory_order_relaxed); }
    /// Keeps what the calling thread owns. The other threads do not exist in the child: neither owners nor waiters.
    void after_fork_in_child() {
        waits_.renew();
        if (table* const t = table_.load(std::memory_order_relaxed); t != nullptr) t->keep_own();
        after_fork_in_parent();
    }
    /// Does the same after a fork that no hook prepared. If a lost thread was inside of a shard, the table is given up.
    void after_unprepared_fork() noexcept {
        if (table* const t = table_.load(std::memory_order_relaxed); t != nullptr && !t->is_whole()) {
            table_.store(nullptr, std::memory_order_relaxed);
        }
        after_fork_in_child();
    }

private:
    enum class wish : unsigned char { own, share, look, look_to_share };
    enum class answer : unsigned char { owned, refused, ended, timed_out };

    /// To how many waiters `leave` gives the outcome before it unlocks the shard for other threads.
    static constexpr unsigned told_at_once = 8;
    table& made_table() {
        // (1) acquire: pairs with the release of (2); without it a thread may see the table before its contents.
        if (table* const t = table_.load(std::memory_order_acquire); t != nullptr) [[likely]]
            return *t;
        return make_table();
    }

    /// Makes the table. Waits while the process forks, since the fork goes through all shards of the table.
    [[gnu::cold, gnu::noinline]] table& make_table() {
        auto* fresh = new table;
        std::unique_lock<mutex> lock(waits_.lock);
        for (unsigned attempt = 0; forking_.load(std::memory_order_relaxed); ++attempt) {
            lock.unlock();
            Sync::back_off(attempt);
            lock.lock();
        }
        if (table_.load(std::memory_order_relaxed) == nullptr) {
            table_.store(std::exchange(fresh, nullptr), std::memory_order_release); // (2) release: pairs with (1)
        }
        lock.unlock();
        delete fresh;
        return *table_.load(std::memory_order_relaxed);
    }

    [[gnu::cold, gnu::noinline]] answer enter(claim& mine, wish w, const typename Sync::deadline* limit = nullptr) {
        table& t = made_table();
        shard& s = t.shard_of(mine.hash_);
        guard g(forking_, s);
        flight* f = &t.find_or_add(s, g, mine);
        if (w == wish::own) spin(g, *f, mine);
        while (f->key == nullptr) { // given up while the lock was free: the key may have another flight
            t.drop(s, g, *f);
            f = &t.find_or_add(s, g, mine);
        }
        const void* const owner = f->owner.load(std::memory_order_relaxed);
        if (owner == nullptr) {
            f->take(mine, w == wish::share || w == wish::look_to_share);
            t.owned_by(mine.thread_).fetch_add(1, std::memory_order_relaxed);
            return answer::owned;
        }
        if (owner == mine.thread_) {
            t.drop(s, g, *f);
            throw recursive_update();
        }
        if (w == wish::look || w == wish::look_to_share) {
            t.drop(s, g, *f);
            return answer::refused;
        }
        return wait(t, s, g, *f, mine, w == wish::share, limit);
    }

    /// Spins while another thread owns the key: a short update ends sooner than a thread falls asleep.
    [[gnu::cold]] static void spin(guard& g, const flight& f, const claim& mine) {
        const void* const owner = f.owner.load(std::memory_order_relaxed);
        if (owner == nullptr || owner == mine.thread_) return;
        const unlocked here(g);
        for (int looks = 0; looks < Sync::spins_before_sleep && f.owner.load(std::memory_order_relaxed) != nullptr; ++looks)
            Sync::pause();
    }

    /// Calls the first waiter, or hands the key to it. Called when the owner has left.
    [[gnu::cold]] static void call_next(flight& f) noexcept {
        auto* const q = f.next_queue();
        const bool copied = f.room.destroy != nullptr;
        if (q == nullptr) {
            // A thread that still compares keys looks for the key again: others may have begun another flight of it.
            f.key = nullptr;
            return;
        }
        waiter& first = *q->first;
        if (!copied) f.key = first.of.key_;
        if (f.called != nullptr) return;
        if (first.losses >= Sync::most_losses) {
            q->remove_first();
            f.take(first.of, first.shares);
            first.is = waiter::state::owner;
        } else {
            f.called = &first;
            first.is = waiter::state::called;
        }
        first.signal.notify_all();
    }

    /// Waits, and keeps the caller's reference to `f`. The limit is for those that share with an owner whose
    /// waiters all do.
    [[gnu::cold, gnu::noinline]] answer wait(table& t, shard& s, guard& g, flight& f, claim& mine, bool shares,
                                             const typename Sync::deadline* limit) {
        waiter me{mine, shares};
        const bool has_edge = t.owned_by(mine.thread_).load(std::memory_order_relaxed) != 0; // else this thread is in no cycle
        if (has_edge && !waits_.add_edge(me, f)) {
            t.drop(s, g, f);
            throw recursive_update();
        }
        me.turn = ++f.turns;
        auto& q = shares ? f.sharers : f.owners;
        q.add(me);
        using state = typename waiter::state;
        for (;;) {
            while (me.is == state::asleep) {
                if (limit == nullptr) {
                    g.sleep(me.signal);
                } else if (!g.sleep_until(me.signal, *limit)) {
                    if (f.sharers.remove(me)) {
                        if (has_edge) waits_.remove_edge(me);
                        t.drop(s, g, f);
                        return answer::timed_out;
                    }
                    limit = nullptr; // the owner has left, and is telling its waiters
                }
            }
            if (me.is != state::called) break;
            f.called = nullptr;
            if (f.owner.load(std::memory_order_relaxed) == nullptr) {
                q.remove_first();
                f.take(mine, shares);
                break;
            }
            ++me.losses;
            me.is = state::asleep;
        }
        if (has_edge) waits_.remove_edge(me);
        if (me.is == state::ended) {
            t.drop(s, g, f);
            g.unlock();
            if (me.outcome != nullptr) std::rethrow_exception(std::move(me.outcome));
            return answer::ended;
        }
        t.owned_by(mine.thread_).fetch_add(1, std::memory_order_relaxed);
        return answer::owned;
    }

    /// Made by the first computation of the process: a program without computations does not pay for it.
    atomic<table*> table_{nullptr};
    atomic<bool> forking_{false};
    wait_graph<Sync> waits_{};
};

} // namespace syncmap::engine
