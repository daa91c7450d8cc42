// Which thread computes which key, for `load_or_compute`, `update` and the writes that meet them: one owner for each
// key, a queue of sleeping waiters, one outcome for the waiters of a `load_or_compute`, and a named error instead of a
// deadlock. One object serves the whole process, because a cycle of waiting threads may run through several maps.
// Design: docs/decisions/0013-single-flight.md.
//
// A *flight* is one key that is owned or waited for. It lies in a hash table of short chains. A *shard* of the table
// has its own lock; nothing else is locked by a thread that owns no key, so unrelated keys and maps do not meet.
//
//     free  -> owned   `enter`: any running thread, also one that has never waited (barging)
//     owned -> free    `leave`: the owner; it calls one waiter, unless a called one has not come yet
//     owned -> owned   `leave`: handed to a waiter that came too late `Sync::most_losses` times
//
// Invariants, under the shard's lock:
//  [S1] A free flight with waiters has a called waiter. It takes the flight, or finds an owner, which will call again.
//  [S2] A flight is in its chain while `references` (owner, waiters, comparing threads) is not zero.
//  [S3] An owner leaves a flight only while it runs. So what a thread owns does not change while it waits.
//
// *Cycles.* Only a thread that owns a key can be part of one. Such a thread publishes an *edge*, itself -> the flight
// it waits for, under `waits_lock_`, after it has followed the edges of others from the owner of that flight. Of the
// threads of a cycle the last one to take the lock sees all other edges, and by [S3] all owners; it throws, and only it
// does. An edge lies in the lock's list for as long as its thread waits, so what was followed holds at one instant.
//
// *Keys.* Equality of user code runs with no lock held: the flight then owns a copy of the key, and `references` keeps
// it. So no owner waits for a thread that compares. Other keys are compared under the lock where they are, with the
// owner's key or that of a waiter.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <utility>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/errors.hpp>

namespace syncmap::engine {

/// Room in a flight for a copy of a key; a larger one goes to the heap.
struct key_room {
    static constexpr std::size_t bytes = 48;
    alignas(std::max_align_t) std::byte place[bytes];
    void* copy = nullptr;
    void (*destroy)(key_room&) noexcept = nullptr;

    /// Makes a `Copy` from `arguments`, and returns its address.
    template <class Copy, class... Arguments>
    Copy* emplace(Arguments&&... arguments) {
        constexpr bool fits = sizeof(Copy) <= bytes && alignof(Copy) <= alignof(std::max_align_t);
        Copy* made = nullptr;
        if constexpr (fits) {
            made = ::new (static_cast<void*>(place)) Copy(std::forward<Arguments>(arguments)...);
        } else {
            made = new Copy(std::forward<Arguments>(arguments)...);
        }
        copy = made;
        destroy = [](key_room& room) noexcept {
            auto* const object = static_cast<Copy*>(room.copy);
            if constexpr (fits) {
                object->~Copy();
            } else {
                delete object;
            }
        };
        return made;
    }
    void clear() noexcept {
        if (destroy != nullptr) std::exchange(destroy, nullptr)(*this);
    }
};

/// How keys of one type of map are compared; one constant for each type.
struct flight_key {
    bool (*same)(const void* map, const void* mine, const void* other);
    /// Copies a key into the room, and returns what `same` takes as `other`. Null: equality calls no user code.
    const void* (*copy)(const void* map, const void* key, key_room& room);
};

template <class Sync>
class [[gnu::visibility("default")]] single_flight {
    struct flight;
    struct sleeper;
    struct shard;
    struct table;
    template <class U>
    using atomic = typename Sync::template atomic<U>;
    using mutex = typename Sync::mutex;

public:
    /// A thread's claim to one key. It lies on the thread's stack; `enter` makes it the owner, `leave` ends that.
    class claim {
    public:
        claim(const void* map, std::uint64_t hash, const void* key, const flight_key& kind) noexcept
            : map_(map), hash_(hash), key_(key), kind_(kind) {}
        claim(const claim&) = delete;
        claim& operator=(const claim&) = delete;

        bool owns() const noexcept { return flight_ != nullptr; }
        /// The waiters that share this computation get `failure` when the claim ends.
        void fail(std::exception_ptr failure) noexcept { failure_ = std::move(failure); }

        /// The counter by which the owner tells writers of its computation; written by the owner alone.
        atomic<std::uint32_t>* mark = nullptr;

    private:
        friend single_flight;
        const void* const map_;
        const std::uint64_t hash_;
        const void* const key_;
        const flight_key& kind_;
        const void* const thread_ = Sync::this_thread();
        flight* flight_ = nullptr;
        std::exception_ptr failure_{};
    };

    single_flight() = default;
    single_flight(const single_flight&) = delete;
    single_flight& operator=(const single_flight&) = delete;
    ~single_flight() { delete table_.load(std::memory_order_relaxed); }

    /// Owns the key of `mine`, waiting until no other thread does.
    /// Throws: `recursive_update` when this thread owns the key already, or waiting would close a cycle; `bad_alloc`;
    /// what copying and comparing keys throws. Nothing has happened then.
    void enter(claim & mine) { static_cast<void>(enter(mine, wish::own)); }

    /// The same without waiting. False: another thread owns the key, and nothing has happened.
    [[nodiscard]] bool try_enter(claim & mine) { return enter(mine, wish::look) == answer::owned; }

    /// As `enter`, for a computation whose waiters share its outcome. False: the caller waited for such a computation
    /// of another thread, which has ended, and owns nothing. Throws the exception with which that one failed.
    [[nodiscard]] bool enter_or_share(claim & mine) { return enter(mine, wish::share) == answer::owned; }

    /// Ends the ownership. Waits for nothing but the shard's lock.
    [[gnu::cold, gnu::noinline]] void leave(claim & mine) noexcept {
        table& t = *table_.load(std::memory_order_relaxed); // this thread has used it
        shard& s = t.shard_of(mine.hash_);
        flight& f = *std::exchange(mine.flight_, nullptr);
        guard g(*this, s);
        t.owned_by(mine.thread_).fetch_sub(1, std::memory_order_relaxed);
        sleeper* sharing = nullptr;
        if (f.shared) {
            sharing = std::exchange(f.sharers.first, nullptr);
            if (f.called != nullptr && f.called->shares) std::exchange(f.called, nullptr)->is = sleeper::state::asleep;
        }
        f.owner.store(nullptr, std::memory_order_relaxed);
        call_next(f);
        for (unsigned told = 1; sharing != nullptr; ++told) {
            sleeper& each = *sharing;
            sharing = each.next;
            each.outcome = mine.failure_;
            each.is = sleeper::state::ended; // it goes on as soon as the lock is free
            each.signal.notify_all();
            if (told % told_at_once == 0) const unlocked for_others(g);
        }
        drop(t, s, g, f);
    }

    // ---- fork; see table/living_maps.hpp ----

    /// No thread is inside of a shard, or begins to be, until one of the functions below.
    void before_fork() {
        forking_.store(true, std::memory_order_relaxed);
        // A thread that gets one of these locks later sees the flag, and lets go of it again.
        waits_lock_.lock();
        waits_lock_.unlock();
        if (table* const t = table_.load(std::memory_order_relaxed); t != nullptr) { // made under the lock above
            for (shard& s : t->shards) const std::lock_guard<mutex> passed(s.lock);
        }
    }
    void after_fork_in_parent() { forking_.store(false, std::memory_order_relaxed); }
    /// Keeps what the calling thread owns. The others are gone, and those that waited with them.
    void after_fork_in_child() {
        ::new (static_cast<void*>(&waits_lock_)) mutex;
        for (auto& first : edges_) first = nullptr;
        if (table* const t = table_.load(std::memory_order_relaxed); t != nullptr) keep_own(*t);
        after_fork_in_parent();
    }

private:
    enum class wish : unsigned char { own, share, look };
    enum class answer : unsigned char { owned, refused, ended };

    /// Waiters that are told an outcome without letting others at the shard.
    static constexpr unsigned told_at_once = 8;
    /// Flights that a shard keeps for later, beside its own.
    static constexpr unsigned most_spares = 8;

    /// A thread that waits; on its stack, in a queue under the shard's lock.
    struct sleeper {
        enum class state : unsigned char { asleep, called, owner, ended };
        claim& of;
        const bool shares;
        state is = state::asleep;
        unsigned losses = 0;
        std::uint64_t turn = 0;
        sleeper* next = nullptr;
        std::exception_ptr outcome{};
        typename Sync::condition signal{};
        // ---- its edge, under `waits_lock_` ----
        const flight* target = nullptr;
        sleeper* next_edge = nullptr;
    };

    /// First come, first called.
    struct queue {
        sleeper* first = nullptr;
        sleeper* last = nullptr;

        void add(sleeper& s) noexcept {
            (first == nullptr ? first : last->next) = &s;
            last = &s;
        }
        void remove_first() noexcept { first = first->next; }
    };

    struct flight {
        const void* map = nullptr;
        std::uint64_t hash = 0;
        const void* key = nullptr; ///< null: nobody asks for it any more but who is about to go
        flight* next = nullptr;    ///< in its chain, or among the spares
        std::uint32_t references = 0;
        bool shared = false;                ///< the owner's waiters share its outcome
        atomic<const void*> owner{nullptr}; ///< a thread; written under the shard's lock
        claim* owned_by = nullptr;
        queue owners{};            ///< those that want to own the key
        queue sharers{};           ///< those that want its value
        sleeper* called = nullptr; ///< the first of one of these, on its way
        std::uint64_t turns = 0;
        key_room room{};

        /// The first come of both queues.
        queue* next_queue() noexcept {
            if (owners.first == nullptr) return sharers.first == nullptr ? nullptr : &sharers;
            if (sharers.first == nullptr) return &owners;
            return owners.first->turn < sharers.first->turn ? &owners : &sharers;
        }
    };

    struct alignas(detail::cache_line_bytes) shard {
        mutex lock{};
        flight* chain[Sync::flight_chains] = {};
        flight* spares = &own;
        unsigned spare_count = 0; ///< but for `own`
        std::uint64_t added = 0;
        flight own{}; ///< so that mostly nothing is allocated

        shard() = default;
        shard(const shard&) = delete;
        shard& operator=(const shard&) = delete;
        ~shard() {
            for (flight* f = spares; f != nullptr;) {
                flight* const next = f->next;
                if (f != &own) delete f;
                f = next;
            }
        }
    };

    struct table {
        /// On a line of its own: each thread changes one.
        struct alignas(detail::cache_line_bytes) counter {
            atomic<std::uint32_t> owned{0};
        };
        shard shards[Sync::flight_shards]{};
        counter counters[Sync::flight_shards]{};

        // Other bits than those that choose the counter of running computations.
        shard& shard_of(std::uint64_t hash) noexcept { return shards[(hash >> 10) % Sync::flight_shards]; }
        static flight*& chain_of(shard& s, std::uint64_t hash) noexcept {
            return s.chain[(hash >> 20) % Sync::flight_chains];
        }
        /// How many keys a thread owns, together with those that have the same counter.
        atomic<std::uint32_t>& owned_by(const void* thread) noexcept {
            return counters[number_of(thread) % Sync::flight_shards].owned;
        }
    };

    static std::size_t number_of(const void* thread) noexcept {
        return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(thread) * 0x9E3779B97F4A7C15U) >> 40);
    }

    /// Has the lock of a shard, and not while the process forks.
    class guard {
    public:
        guard(single_flight& all, shard& s) : all_(all), lock_(s.lock, std::defer_lock) { lock(); }
        [[gnu::noinline]] void lock() {
            lock_.lock();
            // relaxed: the lock orders it; see before_fork.
            for (unsigned attempt = 0; all_.forking_.load(std::memory_order_relaxed); ++attempt) [[unlikely]] {
                    lock_.unlock();
                    Sync::back_off(attempt);
                    lock_.lock();
                }
        }
        void unlock() noexcept { lock_.unlock(); }
        void sleep(typename Sync::condition& until) {
            until.wait(lock_);
            if (!all_.forking_.load(std::memory_order_relaxed)) [[likely]]
                return;
            unlock();
            lock();
        }

    private:
        single_flight& all_;
        std::unique_lock<mutex> lock_;
    };

    /// The lock is free while it exists.
    class unlocked {
    public:
        explicit unlocked(guard& g) : guard_(g) { guard_.unlock(); }
        unlocked(const unlocked&) = delete;
        unlocked& operator=(const unlocked&) = delete;
        ~unlocked() { guard_.lock(); }

    private:
        guard& guard_;
    };

    table& made_table() {
        // acquire: pairs with the release of make_table; without it a thread may see the table before its contents.
        if (table* const t = table_.load(std::memory_order_acquire); t != nullptr) [[likely]]
            return *t;
        return make_table();
    }

    /// Not while the process forks, which goes through all shards of the table.
    [[gnu::cold, gnu::noinline]] table& make_table() {
        auto* fresh = new table;
        std::unique_lock<mutex> lock(waits_lock_);
        for (unsigned attempt = 0; forking_.load(std::memory_order_relaxed); ++attempt) {
            lock.unlock();
            Sync::back_off(attempt);
            lock.lock();
        }
        if (table_.load(std::memory_order_relaxed) == nullptr) {
            table_.store(std::exchange(fresh, nullptr), std::memory_order_release);
        }
        lock.unlock();
        delete fresh;
        return *table_.load(std::memory_order_relaxed);
    }

    [[gnu::cold, gnu::noinline]] answer enter(claim & mine, wish w) {
        table& t = made_table();
        shard& s = t.shard_of(mine.hash_);
        guard g(*this, s);
        flight* f = &find_or_add(t, s, g, mine);
        if (w == wish::own) spin(g, *f, mine);
        while (f->key == nullptr) { // given up while the lock was free: the key may have another flight
            drop(t, s, g, *f);
            f = &find_or_add(t, s, g, mine);
        }
        const void* const owner = f->owner.load(std::memory_order_relaxed);
        if (owner == nullptr) {
            make_owner(*f, mine, w == wish::share);
            t.owned_by(mine.thread_).fetch_add(1, std::memory_order_relaxed);
            return answer::owned;
        }
        if (owner == mine.thread_) {
            drop(t, s, g, *f);
            throw recursive_update();
        }
        if (w == wish::look) {
            drop(t, s, g, *f);
            return answer::refused;
        }
        return wait(t, s, g, *f, mine, w == wish::share);
    }

    /// A short update is over sooner than a thread falls asleep.
    static void spin(guard & g, const flight& f, const claim& mine) {
        const void* const owner = f.owner.load(std::memory_order_relaxed);
        if (owner == nullptr || owner == mine.thread_) return;
        const unlocked here(g);
        for (int looks = 0; looks < Sync::spins_before_sleep && f.owner.load(std::memory_order_relaxed) != nullptr;
             ++looks)
            Sync::pause();
    }

    /// The reference of the claim's thread becomes the owner's.
    static void make_owner(flight & f, claim & of, bool shared) noexcept {
        f.owner.store(of.thread_, std::memory_order_relaxed);
        f.owned_by = &of;
        f.shared = shared;
        if (of.kind_.copy == nullptr) f.key = of.key_;
        of.flight_ = &f;
    }

    /// After the owner has left: calls the first waiter, or hands the key to it.
    static void call_next(flight & f) noexcept {
        queue* const q = f.next_queue();
        const bool copied = f.room.destroy != nullptr;
        if (q == nullptr) {
            if (!copied) f.key = nullptr;
            return;
        }
        sleeper& first = *q->first;
        if (!copied) f.key = first.of.key_;
        if (f.called != nullptr) return;
        if (first.losses >= Sync::most_losses) {
            q->remove_first();
            make_owner(f, first.of, first.shares);
            first.is = sleeper::state::owner;
        } else {
            f.called = &first;
            first.is = sleeper::state::called;
        }
        first.signal.notify_all();
    }

    /// Waits with the caller's reference to `f`.
    [[gnu::cold, gnu::noinline]] answer wait(table & t, shard & s, guard & g, flight & f, claim & mine, bool shares) {
        sleeper me{mine, shares};
        const bool has_edge = t.owned_by(mine.thread_).load(std::memory_order_relaxed) != 0; // else it is in no cycle
        if (has_edge && !add_edge(me, f)) {
            drop(t, s, g, f);
            throw recursive_update();
        }
        me.turn = ++f.turns;
        queue& q = shares ? f.sharers : f.owners;
        q.add(me);
        using state = typename sleeper::state;
        for (;;) {
            while (me.is == state::asleep) g.sleep(me.signal);
            if (me.is != state::called) break;
            f.called = nullptr;
            if (f.owner.load(std::memory_order_relaxed) == nullptr) {
                q.remove_first();
                make_owner(f, mine, shares);
                break;
            }
            ++me.losses;
            me.is = state::asleep;
        }
        if (has_edge) remove_edge(me);
        if (me.is == state::ended) {
            drop(t, s, g, f);
            g.unlock();
            if (me.outcome != nullptr) std::rethrow_exception(std::move(me.outcome));
            return answer::ended;
        }
        t.owned_by(mine.thread_).fetch_add(1, std::memory_order_relaxed);
        return answer::owned;
    }

    // ---- flights ----

    /// The flight of a claim's key, with a reference more.
    [[gnu::cold, gnu::noinline]] flight& find_or_add(table & t, shard & s, guard & g, claim & mine) {
        struct supply {
            single_flight& all;
            shard& s;
            guard& g;
            flight* fresh = nullptr;
            ~supply() {
                if (fresh != nullptr) all.put_away(s, g, *fresh);
            }
        } made{*this, s, g};
        flight*& chain = t.chain_of(s, mine.hash_);
        for (;;) {
            const std::uint64_t seen = s.added;
            if (flight* const f = find(t, s, g, chain, mine)) return *f;
            if (s.added != seen) continue; // comparing lets others in
            if (made.fresh != nullptr) break;
            const bool locked_all_along = s.spares != nullptr && mine.kind_.copy == nullptr;
            if (s.spares != nullptr) {
                made.fresh = s.spares;
                s.spares = made.fresh->next;
                if (made.fresh != &s.own) --s.spare_count;
            } else {
                made.fresh = allocate(g);
            }
            made.fresh->key = mine.key_;
            if (mine.kind_.copy != nullptr) copy_key(g, *made.fresh, mine);
            if (locked_all_along) break;
        }
        flight& f = *std::exchange(made.fresh, nullptr);
        f.map = mine.map_;
        f.hash = mine.hash_;
        f.references = 1;
        f.next = chain;
        chain = &f;
        ++s.added;
        return f;
    }

    /// Lets go of the lock meanwhile, as does `copy_key`.
    [[gnu::cold, gnu::noinline]] static flight* allocate(guard & g) {
        const unlocked here(g);
        return new flight;
    }

    [[gnu::cold, gnu::noinline]] static void copy_key(guard & g, flight & f, const claim& mine) {
        const unlocked here(g);
        f.key = mine.kind_.copy(mine.map_, mine.key_, f.room);
    }

    /// A flight of the claim's key, with a reference more, or null. Lets go of the lock while user code compares.
    [[gnu::cold, gnu::noinline]] flight* find(table & t, shard & s, guard & g, flight * &chain, const claim& mine) {
        for (flight* f = chain; f != nullptr;) {
            if (f->map != mine.map_ || f->hash != mine.hash_ || f->key == nullptr) {
                f = f->next;
                continue;
            }
            ++f->references;
            if (compare(t, s, g, *f, mine)) return f;
            flight* const next = f->next;
            f = drop(t, s, g, *f) ? chain : next; // what it destroys may have used the map
        }
        return nullptr;
    }

    [[gnu::cold, gnu::noinline]] bool compare(table & t, shard & s, guard & g, flight & f, const claim& mine) {
        if (mine.kind_.copy == nullptr) return mine.kind_.same(mine.map_, mine.key_, f.key);
        try {
            const unlocked here(g);
            return mine.kind_.same(mine.map_, mine.key_, f.key);
        } catch (...) {
            drop(t, s, g, f);
            throw;
        }
    }

    /// Ends a reference. True: it was the last one, and the lock was let go of in between.
    [[gnu::cold, gnu::noinline]] bool drop(table & t, shard & s, guard & g, flight & f) noexcept {
        if (--f.references != 0) return false;
        flight** link = &t.chain_of(s, f.hash);
        while (*link != &f) link = &(*link)->next;
        *link = f.next;
        return put_away(s, g, f);
    }

    /// True: the lock was let go of in between.
    [[gnu::cold, gnu::noinline]] bool put_away(shard & s, guard & g, flight & f) noexcept {
        const bool copied = f.room.destroy != nullptr;
        if (copied) {
            const unlocked here(g);
            f.room.clear(); // a user's destructor
        }
        f.key = nullptr;
        if (&f != &s.own) {
            if (s.spare_count == most_spares) {
                const unlocked here(g);
                delete &f;
                return true;
            }
            ++s.spare_count;
        }
        f.next = s.spares;
        s.spares = &f;
        return copied;
    }

    // ---- cycles ----

    sleeper*& edges_of(const void* thread) noexcept { return edges_[number_of(thread) % edge_chains]; }

    /// False: it would close a cycle.
    [[gnu::cold, gnu::noinline]] bool add_edge(sleeper & me, const flight& f) {
        const std::lock_guard<mutex> waits(waits_lock_);
        if (closes_cycle(f, me.of.thread_)) return false;
        me.target = &f;
        sleeper*& first = edges_of(me.of.thread_);
        me.next_edge = first;
        first = &me;
        return true;
    }
    [[gnu::cold, gnu::noinline]] void remove_edge(sleeper & me) {
        const std::lock_guard<mutex> waits(waits_lock_);
        sleeper** link = &edges_of(me.of.thread_);
        while (*link != &me) link = &(*link)->next_edge;
        *link = me.next_edge;
    }

    /// Follows one chain, since a thread waits for one flight at most. The waiter's reference keeps each flight in it.
    bool closes_cycle(const flight& f, const void* me) noexcept {
        // relaxed: a thread with an edge became the owner of what it owns before it took `waits_lock_` for that edge.
        for (const void* thread = f.owner.load(std::memory_order_relaxed); thread != nullptr;) {
            if (thread == me) return true;
            const sleeper* edge = edges_of(thread);
            while (edge != nullptr && edge->of.thread_ != thread) edge = edge->next_edge;
            if (edge == nullptr) return false;
            const void* const next = edge->target->owner.load(std::memory_order_relaxed);
            if (next == thread) return false; // it was handed the key, and has not woken up
            thread = next;
        }
        return false;
    }

    // ---- fork ----

    [[gnu::cold, gnu::noinline]] void keep_own(table & t) {
        const void* const me = Sync::this_thread();
        for (auto& counter : t.counters) counter.owned.store(0, std::memory_order_relaxed);
        for (shard& s : t.shards) {
            ::new (static_cast<void*>(&s.lock)) mutex;
            for (flight*& chain : s.chain) {
                for (flight** link = &chain; *link != nullptr;) {
                    flight& f = **link;
                    if (f.owner.load(std::memory_order_relaxed) != me) {
                        *link = f.next; // it stays where it is, unused
                        continue;
                    }
                    f.references = 1;
                    f.owners = {};
                    f.sharers = {};
                    f.called = nullptr;
                    t.owned_by(me).fetch_add(1, std::memory_order_relaxed);
                    if (auto* const mark = f.owned_by->mark) mark->fetch_add(1, std::memory_order_relaxed);
                    link = &f.next;
                }
            }
        }
    }

    static constexpr std::size_t edge_chains = 64;

    /// Made by the first computation of the process: programs without one do not pay for it.
    atomic<table*> table_{nullptr};
    atomic<bool> forking_{false};
    mutex waits_lock_{};
    sleeper* edges_[edge_chains] = {};
};

} // namespace syncmap::engine
