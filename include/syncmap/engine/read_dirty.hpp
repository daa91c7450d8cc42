// The engine of `snapshot_map`: the algorithm of Go's sync.Map (B. Mills, 2017), with hazard pointers in place of the
// garbage collector, and with an exact size.
//
// The *snapshot* is an index of entries that is read without a lock and never changes. New keys go to the *dirty map*,
// an index behind the mutex that has the snapshot's entries too. They are the same entries, so a value that is stored in one
// index is seen in both. A lookup of a key that the snapshot lacks goes on to the dirty map, and counts as a miss. After as
// many misses as the dirty map has entries, it is *promoted*: it becomes the snapshot. The next new key then makes another
// dirty map, a copy. Erasing takes the value out of the entry and leaves the entry. The copy leaves out entries without a
// value and marks them *expunged*; they are destroyed with the snapshot.
//
// | word                   | written by                                         | read by  |
// |------------------------|----------------------------------------------------|----------|
// | `snapshot_`            | under the mutex                                    | all      |
// | entry `now`            | see entry.hpp                                      | all      |
// | `generation`           | `clear`, under the mutex, while the gate is closed | writers  |
// | the population counter | writers that add or remove a value                 | `size`   |
// | `dirty`, ...           | under the mutex                                    | the same |
//
// Lifetimes. A hazard holds the index that a thread reads, and the index keeps its entries. A reference keeps an entry that was
// found in the dirty map. A hazard holds a value. So a stopped thread keeps the keys of one index and one value, never what
// other threads remove.
//
// `clear` is atomic since it only takes the indexes away. A thread may still work on an entry of the old generation. If it
// overwrites the value there, or finishes a computation there, it is ordered before the `clear`. It repeats any other change,
// one that adds or removes a value, in the new generation.
//
// No user code runs under the mutex, except for the allocator.
//
// Layers, each on top of the one before (read_dirty/): memory, reclamation, indexes, changes, and this one, with the functions
// that the facade calls.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/detail/conversions.hpp>
#include <syncmap/detail/functional.hpp>
#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/read_dirty/changes.hpp>
#include <syncmap/engine/tuning.hpp>
#include <syncmap/stats.hpp>

namespace syncmap::engine {

template <class Key, class T, class Hash, class KeyEqual, class Allocator, class Sync = machine>
class read_dirty : private read_dirty_parts::changes<Key, T, Hash, KeyEqual, Allocator, Sync> {
    using base = read_dirty_parts::changes<Key, T, Hash, KeyEqual, Allocator, Sync>;

    static_assert(!syncmap::detail::is_text<Key> && !syncmap::detail::is_text<T>,
                  "syncmap: syncmap::text is made for the nodes of syncmap::map: use std::string in other maps");

public:
    using key_type = Key;
    using mapped_type = T;
    using hasher = Hash;
    using key_equal = KeyEqual;
    using allocator_type = Allocator;

    static constexpr bool exact_size = true;
    static constexpr bool atomic_iteration = false;
    static constexpr bool lock_free_reads = false; ///< only those of keys that the snapshot has

    constexpr read_dirty() = default;
    constexpr read_dirty(const Hash& hash, const KeyEqual& equal, const Allocator& allocator) : base(hash, equal, allocator) {}
    read_dirty(read_dirty&&) = default;
    read_dirty(const read_dirty&) = delete;
    read_dirty& operator=(const read_dirty&) = delete;

    template <class K, class F>
    bool visit(const K& key, F&& f) const {
        return visit_found(key, [&](operation& here, const entry&, const value& v) {
            here.held_index.drop();
            syncmap::detail::invoke(f, v.object);
        });
    }
    /// Holds the index that has the key while `f(const Key&, const T&)` runs.
    template <class K, class F>
    bool visit_entry(const K& key, F&& f) const {
        return visit_found(key,
                           [&](operation&, const entry& e, const value& v) { syncmap::detail::invoke(f, e.key, v.object); });
    }

    template <class K, class Op>
    void write(K&& key, Op& op) {
        if (!Op::may_assign && control_.load(std::memory_order_relaxed) == nullptr) { // else `shared` reads it again
            op.decide(nullptr);
            return;
        }
        operation here(*this, shared());
        const std::uint64_t hash = hash_of(here.shared, key);
        fresh_entry fresh(*this);
        fresh_value next(*this);
        for (;;) {
            const place at = fresh ? find(here, hash, fresh->key) : find(here, hash, key);
            if (at) {
                if (change(here, at, op, next)) return;
                continue;
            }
            if (op.decide(nullptr) != decision::assign) return;
            if constexpr (Op::may_assign) {
                next.prepare(hash, op);
                fresh.prepare(hash, std::forward<K>(key));
                if (!add(here, at, *fresh.get(), entry::state_of(next.get()))) continue;
                make_visible(op.order);
                next.release();
                fresh.release();
                return;
            }
        }
    }

    /// Owns the key's entry while `op` decides, once. A new key gets an entry without a value before that.
    template <class K, class Op>
    void exclusive(K&& key, Op& op) {
        operation here(*this, shared());
        const std::uint64_t hash = hash_of(here.shared, key);
        fresh_entry fresh(*this);
        for (;;) {
            const place at = fresh ? find(here, hash, fresh->key) : find(here, hash, key);
            if (!at) fresh.prepare(hash, std::forward<K>(key));
            const reference kept(here, at ? *at.found : *fresh.get());
            ownership own(*this, *kept.get());
            if constexpr (shares_outcome<Op>) {
                if (!own.enter_or_share()) {
                    const place now = find(here, hash, kept.get()->key);
                    const value* const computed = now ? here.hold_value(*now.found) : nullptr;
                    if (computed == nullptr) continue;
                    static_cast<void>(op.decide(std::addressof(computed->object)));
                    return;
                }
            } else {
                own.enter();
            }
            state before = absent;
            if (at ? !mark_owned(here, at, before) : !add(here, at, *fresh.get(), owned)) continue;
            if (!at) fresh.release();
            value* const old = compute(here, *kept.get(), before, op, own);
            own.leave(); // destructors may compute the same key
            if (old != nullptr) {
                here.retire(old);
                compact_if_sparse(here);
            }
            return;
        }
    }

    template <class F>
    std::size_t for_each(F&& f) const {
        if (snapshot_.load(std::memory_order_acquire) == empty) return 0;
        operation here(*this);
        std::size_t calls = 0;
        walk(here, [&](const entry& e, const value& v) {
            ++calls;
            return f(e.key, v.object);
        });
        return calls;
    }

    template <class F>
    std::size_t erase_if(F&& condemned, std::memory_order order) {
        if (snapshot_.load(std::memory_order_acquire) == empty) return 0;
        operation here(*this);
        std::size_t erased = 0;
        walk(here, [&](entry& e, const value& v) {
            if (syncmap::detail::invoke(condemned, std::as_const(e.key), v.object) && erase_seen(e, v, order)) ++erased;
            return true;
        });
        return erased;
    }

    std::size_t size() const {
        control* const c = control_.load(std::memory_order_acquire);
        if (c == nullptr) return 0;
        for (int looks = 0; looks < Sync::spins_before_sleep; ++looks) {
            if (const std::optional<std::size_t> number = c->present.exact()) return *number;
            Sync::pause();
        }
        std::unique_lock<mutex> lock(c->mutex);
        c->present.close(lock);
        const std::size_t number = c->present.number_while_closed();
        c->present.open();
        return number;
    }

    std::size_t approx_size() const noexcept {
        control* const c = control_.load(std::memory_order_acquire);
        return c == nullptr ? 0 : c->present.approximate();
    }

    void clear() {
        if (control_.load(std::memory_order_relaxed) == nullptr) return; // else `operation` reads it again
        operation here(*this);
        leftovers left(here);
        std::unique_lock<mutex> lock(here.shared.mutex);
        here.shared.present.close(lock);
        left.was_dirty = std::exchange(here.shared.dirty, nullptr);
        left.was_snapshot = publish(here.shared, nullptr);
        here.shared.least_room = 0;
        // relaxed: threads read it under the mutex, or in a change guard, and none begins before the gate opens.
        here.shared.generation.fetch_add(1, std::memory_order_relaxed);
        here.shared.present.forget_all_while_closed();
        here.shared.present.open();
        make_visible(std::memory_order_seq_cst);
    }

    void reserve(std::size_t entries) {
        if (entries > index::most_entries) {
            throw std::length_error("syncmap: reserve: more entries than memory can hold");
        }
        if (entries == 0) return;
        operation here(*this, shared());
        leftovers left(here);
        const std::lock_guard lock(here.shared.mutex);
        control& c = here.shared;
        const index* const all = c.dirty != nullptr ? c.dirty : index_of(snapshot_.load(std::memory_order_relaxed));
        if (all == nullptr || !all->has_room_for(entries)) rebuild(here, left, entries);
        if (c.least_room < entries) c.least_room = entries;
    }

    void flush() noexcept {
        control* const c = control_.load(std::memory_order_acquire);
        if (c != nullptr) base::flush(*c);
    }

    map_stats stats() const {
        map_stats all;
        control* const c = control_.load(std::memory_order_acquire);
        if (c == nullptr) return all;
        const std::lock_guard lock(c->mutex);
        for (const index* const i : {index_of(snapshot_.load(std::memory_order_relaxed)), c->dirty}) {
            if (i != nullptr) all.places += i->slot_count();
        }
        all.entries = approx_size();
        all.buckets = all.places;
        if (all.places != 0) all.load = static_cast<double>(all.entries) / static_cast<double>(all.places);
        return all;
    }

    Hash hash_function() const { return hash_; }
    KeyEqual key_eq() const { return equal_; }
    Allocator get_allocator() const noexcept { return this->allocator(); }

private:
    using typename base::control;
    using typename base::entry;
    using typename base::fresh_entry;
    using typename base::fresh_value;
    using typename base::index;
    using typename base::leftovers;
    using typename base::operation;
    using typename base::ownership;
    using typename base::place;
    using typename base::reference;
    using typename base::value;
    using mutex = typename Sync::mutex;
    using state = read_dirty_parts::state;
    static constexpr state absent = read_dirty_parts::absent;
    static constexpr state owned = read_dirty_parts::owned;
    using base::add;
    using base::change;
    using base::compact_if_sparse;
    using base::compute;
    using base::control_;
    using base::empty;
    using base::equal_;
    using base::erase_seen;
    using base::find;
    using base::hash_;
    using base::hash_of;
    using base::index_of;
    using base::make_visible;
    using base::mark_owned;
    using base::publish;
    using base::rebuild;
    using base::shared;
    using base::snapshot_;
    using base::walk;

    /// Calls `f(operation&, const entry&, const value&)` if the key has a value. Returns whether it has one.
    template <class K, class F>
    bool visit_found(const K& key, F f) const {
        if (snapshot_.load(std::memory_order_acquire) == empty) return false;
        operation here(*this);
        const place at = find(here, hash_of(here.shared, key), key);
        if (!at) return false;
        const value* const v = here.hold_value(*at.found);
        if (v == nullptr) return false;
        f(here, std::as_const(*at.found), *v);
        return true;
    }
};

} // namespace syncmap::engine
