// How an entry of a `snapshot_map` changes: by a writer, by a walk that erases, and by the thread that computes its key.
//
// An entry changes by a compare-exchange of its state. Once it is marked `owned`, only the thread that owns its key changes
// it, by stores. A thread counts a change that adds or removes a value in a change guard of the population counter, which
// `clear` keeps out. In the guard it compares the entry's generation, so that an entry of an earlier generation gains and
// loses no value.
//
// Invariants. No user code runs under the mutex. A thread that has taken a value out of its entry retires it, and never
// destroys it at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include <syncmap/detail/deferred.hpp>
#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/read_dirty/indexes.hpp>
#include <syncmap/engine/single_flight.hpp>
#include <syncmap/errors.hpp>

namespace syncmap::engine::read_dirty_parts {

template <class Key, class T, class Hash, class KeyEqual, class Allocator, class Sync>
class changes : public indexes<Key, T, Hash, KeyEqual, Allocator, Sync> {
    using base = indexes<Key, T, Hash, KeyEqual, Allocator, Sync>;

public:
    using base::base;

protected:
    using typename base::control;
    using typename base::entry;
    using typename base::index;
    using typename base::leftovers;
    using typename base::operation;
    using typename base::place;
    using typename base::value;
    using change_guard = typename population_counter<Sync>::change_guard;
    using base::add_to;
    using base::amended;
    using base::control_;
    using base::index_of;
    using base::is;
    using base::make_room;
    using base::promote;
    using base::rebuild;
    using base::snapshot_;

    // ---- entries and values that are not published yet ----

    class fresh_entry {
    public:
        explicit fresh_entry(const changes& map) noexcept : map_(map) {}
        fresh_entry(const fresh_entry&) = delete;
        fresh_entry& operator=(const fresh_entry&) = delete;
        ~fresh_entry() {
            // A flight may keep the entry as its key.
            if (entry_ != nullptr && entry_->unrefer()) map_.destroy_entry(entry_);
        }
        explicit operator bool() const noexcept { return entry_ != nullptr; }
        entry* operator->() const noexcept { return entry_; }
        entry* get() const noexcept { return entry_; }
        template <class K>
        void prepare(std::uint64_t hash, K&& key) {
            if (entry_ == nullptr) entry_ = map_.make_entry(hash, std::forward<K>(key));
        }
        void release() noexcept { entry_ = nullptr; }

    private:
        const changes& map_;
        entry* entry_ = nullptr;
    };

    class fresh_value {
    public:
        explicit fresh_value(const changes& map) noexcept : map_(map) {}
        fresh_value(const fresh_value&) = delete;
        fresh_value& operator=(const fresh_value&) = delete;
        ~fresh_value() { reset(); }
        value* get() const noexcept { return value_; }
        /// Makes the value after `op` decided to assign: once, or for each decision if the value depends on the current one.
        template <class Op>
        void prepare(std::uint64_t hash, Op& op) {
            if constexpr (Op::depends_on_current) reset();
            if (value_ != nullptr) return;
            map_.control_.load(std::memory_order_relaxed)->home->threads.barriers().require_freeing(); // as what it replaces
            value_ = map_.make_value(hash, value_maker{op});
        }
        void release() noexcept { value_ = nullptr; }

    private:
        void reset() noexcept {
            if (value_ != nullptr) map_.destroy_value(std::exchange(value_, nullptr));
        }
        const changes& map_;
        value* value_ = nullptr;
    };

    // ---- writes ----

    /// Orders a write before all later reads of its thread. Called after the read-modify-write that publishes the write, or
    /// one that follows the publishing store. Pairs with itself in another thread; without it two threads that each store a
    /// key and then look for the other's might both miss it.
    static void make_visible(std::memory_order order) noexcept {
        if (visible_on_return(order)) Sync::fence_after_rmw();
    }

    /// Adds a new entry. Returns false if another thread may have added the same key since the caller's search: one of the same
    /// hash.
    bool add(operation& here, const place& at, entry& fresh, state content) {
        control& c = here.shared;
        const std::lock_guard lock(c.mutex);
        if (c.added.load(std::memory_order_relaxed) != at.added && knows(c, fresh.hash)) return false;
        make_room(c);
        fresh.generation = c.generation.load(std::memory_order_relaxed);
        fresh.now.store(content, std::memory_order_relaxed);
        c.dirty->add(&fresh);
        // (1) release: pairs with (1) in indexes.hpp. It comes before the two changes by which a thread learns of the key:
        // of `added` (2), which pairs with (4) in indexes.hpp, and of the count. Such a thread then looks for the key in the
        // dirty map.
        snapshot_.store(snapshot_.load(std::memory_order_relaxed) | amended, std::memory_order_release);
        c.added.fetch_add(1, std::memory_order_release); // (2) release
        if (entry::value_of(content) != nullptr) c.present.add_one();
        return true;
    }
    bool knows(const control& c, std::uint64_t hash) const noexcept {
        const auto has = [&](const index* i) { return i != nullptr && i->any_of_hash(hash, [](entry&) { return true; }); };
        return has(c.dirty) || has(index_of(snapshot_.load(std::memory_order_relaxed)));
    }

    /// Adds an expunged entry of the snapshot to the dirty map again. Returns false if the entry is no longer expunged, or no
    /// longer in the snapshot.
    bool revive(operation& here, const place& at, state content) {
        control& c = here.shared;
        const std::lock_guard lock(c.mutex);
        if (at.snapshot == nullptr || at.snapshot != index_of(snapshot_.load(std::memory_order_relaxed)) ||
            at.found->now.load(std::memory_order_relaxed) != expunged) {
            return false;
        }
        make_room(c);
        add_to(*c.dirty, *at.found);
        change_guard in(c.present);
        at.found->now.store(content, std::memory_order_release);
        if (entry::value_of(content) != nullptr) in.counts(+1);
        return true;
    }

    /// Does what `op` decides about an entry. Returns false if the entry left the map: the caller looks the key up again.
    template <class Op>
    bool change(operation& here, const place& at, Op& op, fresh_value& next) {
        entry& e = *at.found;
        syncmap::detail::deferred<ownership> own;
        for (;;) {
            state before = absent;
            const value* const current = here.hold_value(e, before);
            const decision d = op.decide(current == nullptr ? nullptr : std::addressof(current->object));
            if (d == decision::keep || (d == decision::erase && current == nullptr)) return true;
            state after = absent;
            if constexpr (Op::may_assign) {
                if (d == decision::assign) {
                    next.prepare(e.hash, op);
                    after = entry::state_of(next.get());
                }
            }
            if ((before & owned) != 0) {
                own.emplace(*this, e);
                own.get()->enter(); // waits until no other thread owns the key
                continue;
            }
            if (before == expunged) {
                if (!revive(here, at, after)) return false;
                make_visible(op.order);
                next.release();
                return true;
            }
            switch (replace(here.shared, e, before, after)) {
            case outcome::another_generation: return false;
            case outcome::changed: continue;
            case outcome::done: break;
            }
            make_visible(op.order);
            if (after != absent) next.release();
            if (own.get() != nullptr) own.get()->leave(); // destructors may compute the same key
            if (current != nullptr) here.retire(entry::value_of(before));
            if (after == absent) compact_if_sparse(here);
            return true;
        }
    }

    enum class outcome : unsigned char { done, changed, another_generation };

    /// Changes the state from `before` to `after`, and counts that if it adds or removes a value.
    static outcome replace(control& c, entry& e, state before, state after) {
        const auto exchanged = [&] {
            return e.now.compare_exchange_strong(before, after, std::memory_order_acq_rel, std::memory_order_relaxed);
        };
        const bool was_there = entry::value_of(before) != nullptr;
        if (was_there == (after != absent)) return exchanged() ? outcome::done : outcome::changed;
        change_guard in(c.present, c.mutex);
        if (e.generation != c.generation.load(std::memory_order_relaxed)) return outcome::another_generation;
        if (!exchanged()) return outcome::changed;
        in.counts(was_there ? -1 : +1);
        return outcome::done;
    }

    /// Makes a new snapshot without the erased keys once they are most of it.
    void compact_if_sparse(operation& here) const noexcept {
        control& c = here.shared;
        const auto is_sparse = [&] {
            return c.snapshot_entries.load(std::memory_order_relaxed) > 2 * c.present.approximate() + Sync::dead_keys_kept;
        };
        if (!is_sparse()) return;
        here.held_index.drop();
        leftovers left(here);
        const std::lock_guard lock(c.mutex);
        if (!is_sparse()) return;
        c.least_room = 0;
        try {
            rebuild(here, left, 0);
        } catch (...) {
            // Whatever the allocator throws, the erased keys stay for now: the erasure itself needs no memory.
        }
    }

    // ---- walks ----

    /// Calls `f(entry, value)` until it returns false, for each entry that has a value when the walk reaches it.
    template <class F>
    void walk(operation& here, F f) const {
        if ((snapshot_.load(std::memory_order_relaxed) & amended) != 0) { // read again by `hold_snapshot`
            leftovers left(here);
            const std::lock_guard lock(here.shared.mutex);
            if (here.shared.dirty != nullptr) promote(here.shared, left);
        }
        const index* const all = index_of(here.hold_snapshot());
        if (all == nullptr) return;
        all->any([&](entry& e) {
            const value* const v = here.hold_value(e);
            return v != nullptr && !f(e, *v);
        });
    }

    struct erase_seen_operation {
        static constexpr bool depends_on_current = false;
        static constexpr bool may_assign = false;
        const T* seen;
        std::memory_order order;
        bool erased = false;
        decision decide(const T* current) noexcept {
            erased = current == seen;
            return erased ? decision::erase : decision::keep;
        }
    };

    /// Erases an entry if it still has the value that the caller holds. Returns whether it did.
    bool erase_seen(entry& e, const value& seen, std::memory_order order) {
        operation here(*this); // with hazards of its own: the caller's prevents a new value at the same address
        place at;
        at.found = &e;
        fresh_value none(*this);
        erase_seen_operation op{std::addressof(seen.object), order};
        try {
            return change(here, at, op, none) && op.erased;
        } catch (const recursive_update&) {
            return false; // a key that this thread is computing stays
        }
    }

    // ---- computations ----

    /// One more reference to an entry, as a key that is computed.
    class kept_entry {
    public:
        kept_entry(const changes& map, entry& e) noexcept : map_(map), entry_(e) { e.refer(); }
        kept_entry(const kept_entry&) = delete;
        kept_entry& operator=(const kept_entry&) = delete;
        /// Charges no account: any thread may run this, and there is one value at most.
        ~kept_entry() { map_.release({nullptr, map_.control_.load(std::memory_order_relaxed)->bin_of(0)}, &entry_); }

    private:
        const changes& map_;
        entry& entry_;
    };
    static bool same_keys(const void* map, const void* mine, const void* other) {
        return mine == other ||
               static_cast<const changes*>(map)->is(*static_cast<const entry*>(other), static_cast<const entry*>(mine)->key);
    }
    static const void* keep_key(const void* map, const void* key, key_room& room) {
        auto& e = const_cast<entry&>(*static_cast<const entry*>(key)); // its count of references
        room.template emplace<kept_entry>(*static_cast<const changes*>(map), e);
        return key;
    }
    static constexpr flight_key key_kind{&same_keys, &keep_key};

    /// The ownership of a key. Once entered, this thread alone changes the entry and computes its key; after a `clear` the key
    /// has another entry. The caller keeps the entry alive.
    class ownership {
    public:
        ownership(const changes& map, const entry& e) noexcept
            : flights_(map.control_.load(std::memory_order_relaxed)->home->flights), claim_(&map, e.hash, &e, key_kind) {}
        ownership(const ownership&) = delete;
        ownership& operator=(const ownership&) = delete;
        ~ownership() { leave(); }

        void leave() noexcept {
            if (claim_.owns()) flights_.leave(claim_);
        }
        void enter() { flights_.enter(claim_); }
        bool enter_or_share() { return flights_.enter_or_share(claim_); }
        void fail(std::exception_ptr failure) noexcept { claim_.fail(std::move(failure)); }

    private:
        single_flight<Sync>& flights_;
        typename single_flight<Sync>::claim claim_;
    };

    /// Marks an entry. Returns false if the entry left the map before.
    bool mark_owned(operation& here, const place& at, state& before) {
        before = at.found->now.load(std::memory_order_relaxed);
        for (;;) {
            if (before == expunged) {
                before = absent;
                return revive(here, at, owned);
            }
            // acquire: pairs with the release that published the value. No release: the compare-exchange continues that
            // thread's release sequence.
            if (at.found->now.compare_exchange_weak(before, before | owned, std::memory_order_acquire,
                                                    std::memory_order_relaxed)) {
                return true;
            }
        }
    }

    /// Does what `op` decides about `e`, which is marked, and was `before` then. No other thread changes `e` now, so its value
    /// needs no hazard. Returns the value that was taken out of it, or null.
    template <class Op>
    value* compute(operation& here, entry& e, state before, Op& op, ownership& own) {
        here.held_index.drop(); // it may take long
        control& c = here.shared;
        value* const current = entry::value_of(before);
        fresh_value next(*this);
        state after = before;
        try {
            switch (op.decide(current == nullptr ? nullptr : std::addressof(current->object))) {
            case decision::keep: break;
            case decision::erase: after = absent; break;
            case decision::assign: next.prepare(e.hash, op); after = entry::state_of(next.get());
            }
        } catch (const recursive_update&) {
            e.now.store(before, std::memory_order_release);
            throw; // an error of this thread, not of its waiters
        } catch (...) {
            e.now.store(before, std::memory_order_release);
            if constexpr (shares_outcome<Op>) own.fail(std::current_exception());
            throw;
        }
        if (after == before) {
            e.now.store(before, std::memory_order_release);
            return nullptr;
        }
        if ((before != absent) == (after != absent)) {
            e.now.exchange(after, std::memory_order_release); // not a store: see make_visible
        } else {
            change_guard in(c.present, c.mutex);
            e.now.store(after, std::memory_order_release);
            // Else the change is ordered before a `clear`, whose new count does not have this entry.
            if (e.generation == c.generation.load(std::memory_order_relaxed)) in.counts(after != absent ? +1 : -1);
        }
        make_visible(op.order);
        next.release();
        return current;
    }
};

} // namespace syncmap::engine::read_dirty_parts
