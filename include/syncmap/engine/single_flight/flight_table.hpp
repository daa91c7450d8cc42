// The hash table in which flights are found: short chains, in shards that have a lock each.
//
// Invariants, under the shard's lock:
//  [S2] A flight is in its chain while `references` (owner, waiters, comparing threads) is not zero.
//
// *Keys.* Equality that is user code runs with no lock held: the flight then owns a copy of the key, and `references` keeps
// it. So no owner waits for a thread that compares. Other keys are compared under the lock, in place, with the owner's key or
// that of a waiter.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/engine/single_flight/flight.hpp>

namespace syncmap::engine {

template <class Sync>
class [[gnu::visibility("default")]] flight_table {
    template <class U>
    using atomic = typename Sync::template atomic<U>;
    using mutex = typename Sync::mutex;
    using flight = engine::flight<Sync>;
    using claim = flight_claim<Sync>;

public:
    struct alignas(detail::cache_line_bytes) shard {
        mutex lock{};
        flight* chain[Sync::flight_chains] = {};
        flight* spares = &own;
        unsigned spare_count = 0; ///< without `own`
        std::uint64_t added = 0;
        flight own{}; ///< so that a thread mostly allocates nothing

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

    /// Holds the lock of a shard. It gets the lock only while the process does not fork.
    class guard {
    public:
        guard(const atomic<bool>& forking, shard& s) : forking_(forking), lock_(s.lock, std::defer_lock) { lock(); }
        [[gnu::cold, gnu::noinline]] void lock() {
            lock_.lock();
            // relaxed: the lock orders it; see single_flight::before_fork.
            for (unsigned attempt = 0; forking_.load(std::memory_order_relaxed); ++attempt) [[unlikely]] {
                lock_.unlock();
                Sync::back_off(attempt);
                lock_.lock();
            }
        }
        void unlock() noexcept { lock_.unlock(); }
        void sleep(typename Sync::condition& until) {
            until.wait(lock_);
            if (!forking_.load(std::memory_order_relaxed)) [[likely]]
                return;
            unlock();
            lock();
        }
        /// Does the same until the limit at most. Returns false, and does not sleep, if the limit was over before.
        bool sleep_until(typename Sync::condition& until, const typename Sync::deadline& limit) {
            if (!until.wait_until(lock_, limit)) return false;
            if (forking_.load(std::memory_order_relaxed)) [[unlikely]] {
                unlock();
                lock();
            }
            return true;
        }

    private:
        const atomic<bool>& forking_;
        std::unique_lock<mutex> lock_;
    };

    /// Unlocks while it exists.
    class unlocked {
    public:
        explicit unlocked(guard& g) : guard_(g) { guard_.unlock(); }
        unlocked(const unlocked&) = delete;
        unlocked& operator=(const unlocked&) = delete;
        ~unlocked() { guard_.lock(); }

    private:
        guard& guard_;
    };

    // Other bits than those that choose the counter of running computations.
    shard& shard_of(std::uint64_t hash) noexcept { return shards_[(hash >> 10) % Sync::flight_shards]; }

    /// Returns the counter of the keys that a thread owns, which it may share with other threads.
    atomic<std::uint32_t>& owned_by(const void* thread) noexcept {
        return counters_[number_of(thread) % Sync::flight_shards].owned;
    }
    static std::size_t number_of(const void* thread) noexcept {
        return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(thread) * 0x9E3779B97F4A7C15U) >> 40);
    }

    /// Returns the flight of a claim's key, with one reference more; makes one if there is none.
    [[gnu::cold, gnu::noinline]] flight& find_or_add(shard& s, guard& g, claim& mine) {
        struct supply {
            flight_table& all;
            shard& s;
            guard& g;
            flight* fresh = nullptr;
            ~supply() {
                if (fresh != nullptr) all.put_away(s, g, *fresh);
            }
        } made{*this, s, g};
        flight*& chain = chain_of(s, mine.hash_);
        for (;;) {
            const std::uint64_t seen = s.added;
            if (flight* const f = find(s, g, chain, mine)) return *f;
            if (s.added != seen) continue; // comparing unlocks the shard
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

    /// Ends a reference. Returns true if it was the last one and this unlocked the shard in between.
    [[gnu::cold, gnu::noinline]] bool drop(shard& s, guard& g, flight& f) noexcept {
        if (--f.references != 0) return false;
        flight** link = &chain_of(s, f.hash);
        while (*link != &f) link = &(*link)->next;
        *link = f.next;
        return put_away(s, g, f);
    }

    /// Returns whether a thread owns any key. It is the caller, so nothing of that changes meanwhile.
    [[gnu::cold, gnu::noinline]] bool owns_any(const atomic<bool>& forking, const void* thread) {
        if (owned_by(thread).load(std::memory_order_relaxed) == 0) return false;
        for (shard& s : shards_) { // another thread may share the counter
            const guard g(forking, s);
            for (const flight* f : s.chain) {
                while (f != nullptr && f->owner.load(std::memory_order_relaxed) != thread) f = f->next;
                if (f != nullptr) return true;
            }
        }
        return false;
    }

    // ---- fork ----

    void pass_all_locks() {
        for (shard& s : shards_) const std::lock_guard<mutex> passed(s.lock);
    }
    /// Returns whether no thread was inside of a shard. Called in the child of a fork that no hook prepared.
    [[gnu::cold, gnu::noinline]] bool is_whole() noexcept {
        bool whole = true;
        for (shard& s : shards_) {
            const std::unique_lock<mutex> passed(s.lock, std::try_to_lock);
            whole = whole && passed.owns_lock();
        }
        return whole;
    }
    /// Keeps what the calling thread owns. Called in the child.
    [[gnu::cold, gnu::noinline]] void keep_own() {
        const void* const me = Sync::this_thread();
        for (auto& one : counters_) one.owned.store(0, std::memory_order_relaxed);
        for (shard& s : shards_) {
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
                    owned_by(me).fetch_add(1, std::memory_order_relaxed);
                    if (auto* const computing = f.owned_by->computing) computing->fetch_add(1, std::memory_order_relaxed);
                    link = &f.next;
                }
            }
        }
    }

private:
    /// How many spare flights a shard keeps beside its own.
    static constexpr unsigned most_cached_flights = 8;

    static flight*& chain_of(shard& s, std::uint64_t hash) noexcept { return s.chain[(hash >> 20) % Sync::flight_chains]; }

    /// Unlocks the shard meanwhile, as does `copy_key`.
    [[gnu::cold, gnu::noinline]] static flight* allocate(guard& g) {
        const unlocked here(g);
        return new flight;
    }

    [[gnu::cold, gnu::noinline]] static void copy_key(guard& g, flight& f, const claim& mine) {
        const unlocked here(g);
        f.key = mine.kind_.copy(mine.map_, mine.key_, f.room);
    }

    /// Returns a flight of the claim's key, with one reference more, or null. Unlocks the shard while user code compares.
    [[gnu::cold, gnu::noinline]] flight* find(shard& s, guard& g, flight*& chain, const claim& mine) {
        for (flight* f = chain; f != nullptr;) {
            if (f->map != mine.map_ || f->hash != mine.hash_ || f->key == nullptr) {
                f = f->next;
                continue;
            }
            ++f->references;
            if (compare(s, g, *f, mine)) return f;
            flight* const next = f->next;
            f = drop(s, g, *f) ? chain : next; // a destructor in it may have used the map
        }
        return nullptr;
    }

    [[gnu::cold, gnu::noinline]] bool compare(shard& s, guard& g, flight& f, const claim& mine) {
        const void* const key = f.key;
        if (mine.kind_.copy == nullptr) return mine.kind_.same(mine.map_, mine.key_, key);
        try {
            const unlocked here(g);
            return mine.kind_.same(mine.map_, mine.key_,
                                   key); // the reference keeps a copied key, although no longer the flight's
        } catch (...) {
            drop(s, g, f);
            throw;
        }
    }

    /// Returns true if it unlocked the shard in between.
    [[gnu::cold, gnu::noinline]] bool put_away(shard& s, guard& g, flight& f) noexcept {
        const bool copied = f.room.destroy != nullptr;
        if (copied) {
            const unlocked here(g);
            f.room.clear(); // a user's destructor
        }
        f.key = nullptr;
        if (&f != &s.own) {
            if (s.spare_count == most_cached_flights) {
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

    /// Lies on a cache line of its own: threads write to different ones.
    struct alignas(detail::cache_line_bytes) counter {
        atomic<std::uint32_t> owned{0};
    };

    shard shards_[Sync::flight_shards]{};
    counter counters_[Sync::flight_shards]{};
};

} // namespace syncmap::engine
