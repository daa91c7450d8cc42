// The two indexes of a `snapshot_map`, how an operation finds a key in them, and what it holds while it looks.
//
// The root is one word: the address of the snapshot, and whether the dirty map has more keys (`amended`). Threads write it and
// the dirty map only under the mutex. A lookup holds the snapshot by a hazard, and what it found in the dirty map by a
// reference. It never compares keys under the mutex, since equality is user code.
//
// Invariants. A snapshot never changes. While there is a dirty map, it has every entry of the snapshot that is not
// expunged. An expunged entry is in the snapshot alone. A thread that removes an index under the mutex destroys it after it
// has left the mutex.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/engine/read_dirty/reclamation.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/reclaim/domain.hpp>
#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine::read_dirty_parts {

template <class Key, class T, class Hash, class KeyEqual, class Allocator, class Sync>
class indexes : public reclamation<Key, T, Allocator, Sync> {
    using base = reclamation<Key, T, Allocator, Sync>;

public:
    using typename base::control;
    using entry = typename base::entry_type;
    using index = typename base::index_type;
    using value = typename base::value_type;

    constexpr indexes() = default;
    constexpr indexes(const Hash& hash, const KeyEqual& equal, const Allocator& allocator)
        : base(allocator), hash_(hash), equal_(equal) {}
    /// The contents of a map that no other thread uses, and that is empty afterwards. What names the map is the garbage of
    /// threads.
    indexes(indexes&& other) noexcept(std::is_nothrow_copy_constructible_v<Hash> &&
                                      std::is_nothrow_copy_constructible_v<KeyEqual>)
        : base(other.allocator()), hash_(other.hash_), equal_(other.equal_) {
        // relaxed: the caller hands both maps on to other threads, if it does
        snapshot_.store(other.snapshot_.exchange(empty, std::memory_order_relaxed), std::memory_order_relaxed);
        control* const c = other.control_.exchange(nullptr, std::memory_order_relaxed);
        control_.store(c, std::memory_order_relaxed);
        if (c != nullptr) base::garbage::rehome(c->home->threads, *c, static_cast<base*>(this));
    }
    indexes(const indexes&) = delete;
    indexes& operator=(const indexes&) = delete;
    ~indexes() {
        control* const c = control_.load(std::memory_order_relaxed);
        if (c == nullptr) return;
        c->is_ending();
        if (!c->is_whole()) { // all stays where it is, unused
            base::garbage::forget(c->home->threads, *c, [](auto*) {});
            return;
        }
        for (index* const i : {index_of(snapshot_.load(std::memory_order_relaxed)), c->dirty}) {
            if (i != nullptr) this->destroy_with_entries({nullptr, c->bin_of(0)}, i);
        }
        this->destroy_garbage(*c);
        this->destroy_control(c);
    }

protected:
    // ---- the root: address of the snapshot, and whether the dirty map has more keys ----

    static constexpr std::uintptr_t empty = 0;
    static constexpr std::uintptr_t amended = 1;
    static index* index_of(std::uintptr_t root) noexcept { return reinterpret_cast<index*>(root & ~amended); }

    // ---- what an operation holds ----

    /// An operation of the calling thread in this map: its bin for garbage, and its hazards.
    struct operation {
        explicit operation(const indexes& in) : operation(in, *in.control_.load(std::memory_order_acquire)) {}
        operation(const indexes& in, control& c)
            : map(in), shared(c), mine{&me->garbage, c.bin_of(me->slot)}, held_index(*me), held_value(*me, held_index) {}

        /// Returns the root at an instant from which on its snapshot is held.
        std::uintptr_t hold_snapshot() noexcept {
            for (;;) {
                const index* const i = index_of(map.snapshot_.load(std::memory_order_relaxed)); // read again below
                std::uintptr_t root = empty;
                if (held_index.protect(i, [&] {
                        root = map.snapshot_.load(std::memory_order_acquire); // (1) acquire: see (5); changes.hpp (1)
                        return index_of(root) == i;
                    })) {
                    return root;
                }
            }
        }
        /// Returns the value of an entry, held, or null. Leaves the entry's state in `seen`.
        const value* hold_value(const entry& e, state& seen) noexcept {
            for (;;) {
                seen = e.now.load(std::memory_order_acquire);
                const value* const v = entry::value_of(seen);
                if (v == nullptr) return nullptr;
                if (held_value.protect(v, [&] { return e.now.load(std::memory_order_acquire) == seen; })) return v;
            }
        }
        const value* hold_value(const entry& e) noexcept {
            state seen = absent;
            return hold_value(e, seen);
        }
        void retire(value* v) noexcept {
            held_value.drop();
            map.retire(shared, mine, v);
        }

        const indexes& map;
        control& shared;
        const reclaim::thread_lease<Sync> me{shared.home->threads};
        typename base::thread_place mine;
        reclaim::hazard_guard<Sync> held_index;
        reclaim::hazard_guard<Sync> held_value;
    };

    /// One reference to an entry.
    class reference {
    public:
        reference() = default;
        /// The caller keeps the entry alive during the call.
        reference(operation& here, entry& e) noexcept : here_(&here), entry_(&e) { e.refer(); }
        reference(reference&& other) noexcept : here_(other.here_), entry_(std::exchange(other.entry_, nullptr)) {}
        reference& operator=(reference&& other) noexcept {
            std::swap(here_, other.here_);
            std::swap(entry_, other.entry_);
            return *this;
        }
        ~reference() {
            if (entry_ != nullptr) here_->map.release(here_->mine, entry_);
        }
        entry* get() const noexcept { return entry_; }

    private:
        operation* here_ = nullptr;
        entry* entry_ = nullptr;
    };

    /// The place where a key was found: in the snapshot, which `held_index` holds, or in the dirty map.
    struct place {
        entry* found = nullptr;
        const index* snapshot = nullptr; ///< null: in the dirty map
        reference kept{};
        std::uint64_t added = 0;         ///< if the key was not found: it is absent unless entries were added since
        explicit operator bool() const noexcept { return found != nullptr; }
    };

    /// Indexes that a change under the mutex removed. The destructor, which runs after the mutex is left, destroys or retires
    /// them.
    struct leftovers {
        explicit leftovers(operation& of) noexcept : here(of) {}
        leftovers(const leftovers&) = delete;
        leftovers& operator=(const leftovers&) = delete;
        ~leftovers() {
            if (was_dirty != nullptr) here.map.destroy(here.shared, here.mine, was_dirty);
            if (was_snapshot != nullptr) here.map.retire(here.shared, here.mine, was_snapshot);
        }
        operation& here;
        index* was_dirty = nullptr;
        index* was_snapshot = nullptr;
    };

    // ---- the control block ----

    control& shared() {
        if (control* const c = control_.load(std::memory_order_acquire)) return *c; // (2) acquire: pairs with (3)
        control* const mine = this->make_control({Sync::random_word(), Sync::random_word() | 1});
        mine->destroy_ready = &base::destroy_ready;
        control* first = nullptr;
        // (3) release: pairs with the acquire loads of `control_`; without it a thread may see the block before its contents.
        if (control_.compare_exchange_strong(first, mine, std::memory_order_release, std::memory_order_acquire)) {
            return *mine;
        }
        this->destroy_control(mine);
        return *first;
    }

    template <class K>
    std::uint64_t hash_of(const control& c, const K& key) const {
        return syncmap::detail::seeded_hash(hash_, key, c.seed);
    }

    // ---- lookup ----

    template <class K>
    bool is(const entry& e, const K& key) const {
        return static_cast<bool>(equal_(e.key, key));
    }

    template <class K>
    place find(operation& here, std::uint64_t hash, const K& key) const {
        for (;;) {
            place at;
            // (4) acquire: pairs with the release of (2) in changes.hpp. It comes before the search; see there.
            at.added = here.shared.added.load(std::memory_order_acquire);
            const std::uintptr_t root = here.hold_snapshot();
            at.snapshot = index_of(root);
            if (at.snapshot != nullptr) {
                at.snapshot->any_of_hash(hash, [&](entry& e) {
                    if (is(e, key)) at.found = &e;
                    return at.found != nullptr;
                });
            }
            if (at || (root & amended) == 0 || find_in_dirty(here, hash, key, at)) return at;
        }
    }

    /// Returns false if the snapshot has been replaced: the caller searches the new one.
    template <class K>
    bool find_in_dirty(operation& here, std::uint64_t hash, const K& key, place& at) const {
        std::vector<reference> rivals; // keys with the same 64 bits of hash: hardly ever more than one
        reference first;
        {
            leftovers left(here);
            const std::lock_guard lock(here.shared.mutex);
            const index* const dirty = here.shared.dirty;
            if (dirty == nullptr || index_of(snapshot_.load(std::memory_order_relaxed)) != at.snapshot) return false;
            dirty->any_of_hash(hash, [&](entry& e) {
                if (first.get() == nullptr) {
                    first = reference(here, e);
                } else {
                    rivals.emplace_back(here, e);
                }
                return false;
            });
            at.added = here.shared.added.load(std::memory_order_relaxed);
            count_miss(here.shared, left);
        }
        at.snapshot = nullptr;
        const auto take_if_equal = [&](reference& candidate) {
            if (candidate.get() == nullptr || !is(*candidate.get(), key)) return false;
            at.found = candidate.get();
            at.kept = std::move(candidate);
            return true;
        };
        if (take_if_equal(first)) return true;
        for (reference& rival : rivals) {
            if (take_if_equal(rival)) break;
        }
        return true;
    }

    // ---- the two indexes; all under the mutex ----

    /// Makes `next` the snapshot, and returns the index that it replaces; that one belongs to the caller.
    index* publish(control& c, index* next) const noexcept {
        index* const before = index_of(snapshot_.load(std::memory_order_relaxed));
        // (5) release: pairs with the acquire of (1); without it a reader may see the index before its entries.
        snapshot_.store(reinterpret_cast<std::uintptr_t>(next), std::memory_order_release);
        c.snapshot_entries.store(next == nullptr ? 0 : next->size(), std::memory_order_relaxed);
        c.misses = 0;
        return before;
    }

    void promote(control& c, leftovers& left) const noexcept {
        left.was_snapshot = publish(c, std::exchange(c.dirty, nullptr));
    }
    void count_miss(control& c, leftovers& left) const noexcept {
        if (++c.misses >= c.dirty->size()) promote(c, left);
    }

    /// Returns a new index of the entries of `from` that have a value; expunges the others. The index has room for one more
    /// entry at least.
    index* copy(const control& c, const index* from, std::size_t room) const {
        std::size_t living = 0;
        each(from, [&](entry& e) {
            // acquire: pairs with the release of the erasure. A thread that then learns of the erasure from the new index, or
            // under the mutex, sees what came before it. No release: the compare-exchange continues the erasure's release
            // sequence.
            state dead = absent;
            if (!e.now.compare_exchange_strong(dead, expunged, std::memory_order_acquire, std::memory_order_relaxed)) {
                ++living;
            }
        });
        index* fresh = nullptr;
        try {
            fresh = this->make_index((std::max)({living + 1, room, c.least_room}));
        } catch (...) {
            each(from, [](entry& e) { // only a dirty map can take an expunged entry back
                state dead = expunged;
                e.now.compare_exchange_strong(dead, absent, std::memory_order_relaxed);
            });
            throw;
        }
        each(from, [&](entry& e) { // an entry that is not expunged now stays so under the mutex
            if (e.now.load(std::memory_order_relaxed) != expunged) add_to(*fresh, e);
        });
        return fresh;
    }
    template <class F>
    static void each(const index* i, F&& f) {
        if (i != nullptr) i->each(std::forward<F>(f));
    }
    static void add_to(index& i, entry& e) noexcept {
        e.refer();
        i.add(&e);
    }

    /// Makes a dirty map, or gives it room, for one more entry.
    void make_room(control& c) const {
        if (c.dirty == nullptr) {
            c.dirty = copy(c, index_of(snapshot_.load(std::memory_order_relaxed)), 0);
            c.misses = 0;
        } else if (!c.dirty->has_room_for(c.dirty->size() + 1)) {
            index* const larger = this->make_index(2 * c.dirty->size());
            c.dirty->each([&](entry& e) { larger->add(&e); });
            this->destroy_index(std::exchange(c.dirty, larger));
        }
    }

    /// Makes a snapshot of the entries that have a value, and leaves no dirty map.
    void rebuild(operation& here, leftovers& left, std::size_t room) const {
        control& c = here.shared;
        const index* const all = c.dirty != nullptr ? c.dirty : index_of(snapshot_.load(std::memory_order_relaxed));
        index* const fresh = copy(c, all, room);
        left.was_dirty = std::exchange(c.dirty, nullptr);
        left.was_snapshot = publish(c, fresh);
    }

    [[no_unique_address]] Hash hash_{};
    [[no_unique_address]] KeyEqual equal_{};
    mutable typename Sync::template atomic<std::uintptr_t> snapshot_{empty}; // reads promote the dirty map
    typename Sync::template atomic<control*> control_{nullptr}; // not null before there is a snapshot
};

} // namespace syncmap::engine::read_dirty_parts
