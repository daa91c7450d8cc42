// The engine of `snapshot_map`: the algorithm of Go's sync.Map (B. Mills, 2017), with hazard pointers in place of the
// garbage collector, and with an exact size.
//
// The *snapshot* is an index of entries that is read without a lock and never changes. New keys go to the *dirty map*,
// an index behind the mutex that has the snapshot's entries too: the same ones, so that a value stored in one is seen
// in both. A look for a key that the snapshot does not have goes on to the dirty map, and counts as a miss; after as
// many misses as the dirty map has entries it is promoted: it becomes the snapshot, and the next new key makes another
// dirty map, a copy. Erasing leaves the entry where it is and takes the value out. The copy leaves out entries without
// a value and marks them *expunged*; they die with the snapshot.
//
// | word          | written by                                       | read by      |
// |---------------|--------------------------------------------------|--------------|
// | `snapshot_`   | under the mutex                                  | all          |
// | entry `now`   | see entry.hpp                                    | all          |
// | `life`        | `clear`, under the mutex, while the gate is closed | writers    |
// | the census    | who makes values come and go                     | `size`       |
// | `dirty`, ...  | under the mutex                                  | the same     |
//
// Lifetimes. An index that is looked into is held by a hazard, and keeps its entries; an entry that was found in the
// dirty map is kept by a reference; a value is held by a hazard. So a thread that stands still holds back the keys of
// one index and one value, never what others throw away.
//
// `clear` is atomic since it only takes the indexes away. A thread that is still at work on an entry of the old life may
// overwrite its value, or finish what it computes there, and is ordered before the `clear`; any other change of whether
// a key is there it makes again elsewhere.
//
// No user code runs under the mutex, except for the allocator.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/detail/deferred.hpp>
#include <syncmap/engine/decision.hpp>
#include <syncmap/engine/read_dirty/reclamation.hpp>
#include <syncmap/engine/single_flight.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/reclaim/domain.hpp>
#include <syncmap/reclaim/node.hpp>
#include <syncmap/engine/tuning.hpp>

namespace syncmap::engine {

template <class Key, class T, class Hash, class KeyEqual, class Allocator, class Sync = machine>
class read_dirty : private read_dirty_parts::reclamation<Key, T, Allocator, Sync> {
    using base = read_dirty_parts::reclamation<Key, T, Allocator, Sync>;

    static_assert(std::is_object_v<Key> && std::is_object_v<T> && !std::is_const_v<Key> && !std::is_const_v<T>,
                  "syncmap: keys and values are plain object types, neither const nor references");
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
    static constexpr bool lock_free_reads = false; ///< they are, for keys that the snapshot has

    constexpr read_dirty() = default;
    constexpr read_dirty(const Hash& hash, const KeyEqual& equal, const Allocator& allocator)
        : base(allocator), hash_(hash), equal_(equal) {}
    read_dirty(const read_dirty&) = delete;
    read_dirty& operator=(const read_dirty&) = delete;
    ~read_dirty() {
        control* const c = control_.load(std::memory_order_relaxed);
        if (c == nullptr) return;
        c->is_ending();
        for (index* const i : {index_of(snapshot_.load(std::memory_order_relaxed)), c->dirty}) {
            if (i != nullptr) this->destroy_with_entries({nullptr, c->bin_of(0)}, i);
        }
        this->destroy_garbage(*c);
        this->destroy_control(c);
    }

    template <class K, class F>
    bool visit(const K& key, F&& f) const {
        if (snapshot_.load(std::memory_order_acquire) == empty) return false;
        operation here(*this);
        const place at = find(here, hash_of(here.shared, key), key);
        if (!at) return false;
        const value* const v = here.hold_value(*at.found);
        if (v == nullptr) return false;
        here.held_index.drop();
        std::invoke(f, v->object);
        return true;
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

    /// This thread owns the key's entry while `op` decides, once; a new key gets an entry without a value before that.
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
            if (std::invoke(condemned, std::as_const(e.key), v.object) && erase_seen(e, v, order)) ++erased;
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
        // Only who enters the census after this sees it, by the gate's word: until that opens nobody is inside.
        here.shared.life.fetch_add(1, std::memory_order_relaxed);
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

    Hash hash_function() const { return hash_; }
    KeyEqual key_eq() const { return equal_; }
    Allocator get_allocator() const noexcept { return this->allocator(); }

private:
    using typename base::control;
    using entry = typename base::entry_type;
    using index = typename base::index_type;
    using value = typename base::value_type;
    using mutex = typename Sync::mutex;
    using passage = typename read_dirty_parts::census<Sync>::passage;
    using state = read_dirty_parts::state;
    static constexpr state absent = read_dirty_parts::absent;
    static constexpr state owned = read_dirty_parts::owned;
    static constexpr state expunged = read_dirty_parts::expunged;

    // ---- the root: address of the index, and whether the dirty map has more ----

    static constexpr std::uintptr_t empty = 0;
    static constexpr std::uintptr_t amended = 1;
    static index* index_of(std::uintptr_t root) noexcept { return reinterpret_cast<index*>(root & ~amended); }

    // ---- what an operation holds ----

    /// The calling thread at work in this map: its bin for garbage, and its hazards.
    struct operation {
        explicit operation(const read_dirty& in) : operation(in, *in.control_.load(std::memory_order_acquire)) {}
        operation(const read_dirty& in, control& c)
            : map(in), shared(c), mine{&me->garbage, c.bin_of(me->slot)}, held_index(*me), held_value(*me, held_index) {}

        /// The root at an instant from which on its index is held.
        std::uintptr_t hold_snapshot() noexcept {
            for (;;) {
                const index* const i = index_of(map.snapshot_.load(std::memory_order_relaxed)); // read again below
                std::uintptr_t root = empty;
                if (held_index.protect(i, [&] {
                        root = map.snapshot_.load(std::memory_order_acquire);
                        return index_of(root) == i;
                    })) {
                    return root;
                }
            }
        }
        /// The value of an entry, or null; what the entry said is left in `seen`.
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

        const read_dirty& map;
        control& shared;
        const reclaim::thread_lease<Sync> me{shared.home->threads};
        typename base::thread_place mine;
        reclaim::hold<Sync> held_index;
        reclaim::hold<Sync> held_value;
    };

    /// One reference to an entry.
    class reference {
    public:
        reference() = default;
        /// The caller sees to it that the entry is alive.
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

    /// Where a key was found: in the snapshot, which `held_index` holds, or in the dirty map.
    struct place {
        entry* found = nullptr;
        const index* snapshot = nullptr; ///< null: in the dirty map
        reference kept{};
        std::uint64_t added = 0;         ///< not found: there is no such key unless more were added since
        explicit operator bool() const noexcept { return found != nullptr; }
    };

    /// Indexes that a change under the mutex threw out; they are seen to after it is left.
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

    // ---- what is not published yet ----

    class fresh_entry {
    public:
        explicit fresh_entry(const read_dirty& map) noexcept : map_(map) {}
        fresh_entry(const fresh_entry&) = delete;
        fresh_entry& operator=(const fresh_entry&) = delete;
        ~fresh_entry() {
            // A flight may keep it as its key.
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
        const read_dirty& map_;
        entry* entry_ = nullptr;
    };

    class fresh_value {
    public:
        explicit fresh_value(const read_dirty& map) noexcept : map_(map) {}
        fresh_value(const fresh_value&) = delete;
        fresh_value& operator=(const fresh_value&) = delete;
        ~fresh_value() { reset(); }
        value* get() const noexcept { return value_; }
        /// `op` decided to assign. Its value is made once, or for each decision if it depends on that.
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
        const read_dirty& map_;
        value* value_ = nullptr;
    };

    // ---- the control block ----

    control& shared() {
        if (control* const c = control_.load(std::memory_order_acquire)) return *c;
        control* const mine = this->make_control({Sync::random_word(), Sync::random_word() | 1});
        mine->destroy_ready = &base::destroy_ready;
        control* first = nullptr;
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
            at.added = here.shared.added.load(std::memory_order_acquire); // before the search: see `add`
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

    /// False: the snapshot is another one by now, search that.
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

    /// Makes `next` the snapshot and says so to nobody else: what was there is the caller's.
    index* publish(control& c, index* next) const noexcept {
        index* const before = index_of(snapshot_.load(std::memory_order_relaxed));
        // release: who finds the index finds the entries in it.
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

    /// A new index of those entries of `from` that have a value; the others are expunged. With room for one more at
    /// least.
    index* copy(const control& c, const index* from, std::size_t room) const {
        std::size_t living = 0;
        each(from, [&](entry& e) {
            // acquire: of the erasure, for those whom the index that lacks the key, or the mutex, tells of it. It publishes
            // nothing: the release sequence of the erasure goes on.
            state dead = absent;
            if (!e.now.compare_exchange_strong(dead, expunged, std::memory_order_acquire, std::memory_order_relaxed)) {
                ++living;
            }
        });
        index* fresh = nullptr;
        try {
            fresh = this->make_index((std::max)({living + 1, room, c.least_room}));
        } catch (...) {
            each(from, [](entry& e) { // an expunged entry needs a dirty map to come back to
                state dead = expunged;
                e.now.compare_exchange_strong(dead, absent, std::memory_order_relaxed);
            });
            throw;
        }
        each(from, [&](entry& e) { // who is not expunged now will not be while the mutex is held
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

    /// A dirty map with room for one more entry.
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

    /// A snapshot of the entries that have a value and no other, and no dirty map.
    void rebuild(operation& here, leftovers& left, std::size_t room) const {
        control& c = here.shared;
        const index* const all = c.dirty != nullptr ? c.dirty : index_of(snapshot_.load(std::memory_order_relaxed));
        index* const fresh = copy(c, all, room);
        left.was_dirty = std::exchange(c.dirty, nullptr);
        left.was_snapshot = publish(c, fresh);
    }

    // ---- writes ----

    /// Behind the read-modify-write that publishes a write of this order, or follows what publishes it: between that and
    /// all that the thread reads afterwards. Pairs with itself in another thread; without it two threads that each store a
    /// key might both miss the other's.
    static void make_visible(std::memory_order order) noexcept {
        if (visible_on_return(order)) Sync::fence_after_rmw();
    }

    /// Adds a new entry, unless another thread was faster with the same key, or perhaps with the same key.
    bool add(operation& here, const place& at, entry& fresh, state content) {
        control& c = here.shared;
        const std::lock_guard lock(c.mutex);
        if (c.added.load(std::memory_order_relaxed) != at.added && knows(c, fresh.hash)) return false;
        make_room(c);
        fresh.life = c.life.load(std::memory_order_relaxed);
        fresh.now.store(content, std::memory_order_relaxed);
        c.dirty->add(&fresh);
        // Before all that tells of the key: who learns of it from `size`, or from `added` that its search came after it,
        // must look for it in the dirty map.
        snapshot_.store(snapshot_.load(std::memory_order_relaxed) | amended, std::memory_order_release);
        c.added.fetch_add(1, std::memory_order_release);
        if (entry::value_of(content) != nullptr) c.present.add_one();
        return true;
    }
    bool knows(const control& c, std::uint64_t hash) const noexcept {
        const auto has = [&](const index* i) {
            return i != nullptr && i->any_of_hash(hash, [](entry&) { return true; });
        };
        return has(c.dirty) || has(index_of(snapshot_.load(std::memory_order_relaxed)));
    }

    /// Makes an expunged entry of the snapshot a member of the dirty map again. False: it is neither any more.
    bool revive(operation& here, const place& at, state content) {
        control& c = here.shared;
        const std::lock_guard lock(c.mutex);
        if (at.snapshot == nullptr || at.snapshot != index_of(snapshot_.load(std::memory_order_relaxed)) ||
            at.found->now.load(std::memory_order_relaxed) != expunged) {
            return false;
        }
        make_room(c);
        add_to(*c.dirty, *at.found);
        passage in(c.present);
        at.found->now.store(content, std::memory_order_release);
        if (entry::value_of(content) != nullptr) in.counts(+1);
        return true;
    }

    /// Does what `op` decides about an entry. False: the entry left the map, look the key up again.
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
                own.get()->enter(); // waits until it is not
                continue;
            }
            if (before == expunged) {
                if (!revive(here, at, after)) return false;
                make_visible(op.order);
                next.release();
                return true;
            }
            switch (replace(here.shared, e, before, after)) {
            case outcome::another_life: return false;
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

    enum class outcome : unsigned char { done, changed, another_life };

    /// `before` to `after`, counted if that makes a value come or go.
    static outcome replace(control& c, entry& e, state before, state after) {
        const auto exchanged = [&] {
            return e.now.compare_exchange_strong(before, after, std::memory_order_acq_rel, std::memory_order_relaxed);
        };
        const bool was_there = entry::value_of(before) != nullptr;
        if (was_there == (after != absent)) return exchanged() ? outcome::done : outcome::changed;
        passage in(c.present, c.mutex);
        if (e.life != c.life.load(std::memory_order_relaxed)) return outcome::another_life;
        if (!exchanged()) return outcome::changed;
        in.counts(was_there ? -1 : +1);
        return outcome::done;
    }

    /// Deleted keys do not pile up: once they are most of the snapshot, it is made anew without them.
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
            // Then they stay for now, whatever the allocator throws: the erasure itself needs no memory.
        }
    }

    // ---- walks ----

    /// Calls `f(entry, value)` until it returns false, for what had a value when its turn came.
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

    /// Erases an entry that has still the value that the caller holds.
    bool erase_seen(entry& e, const value& seen, std::memory_order order) {
        operation here(*this); // with hazards of its own: the caller's keeps the address from being used again
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
        kept_entry(const read_dirty& map, entry& e) noexcept : map_(map), entry_(e) { e.refer(); }
        kept_entry(const kept_entry&) = delete;
        kept_entry& operator=(const kept_entry&) = delete;
        /// Without an account: this may be any thread, and there is one value at most.
        ~kept_entry() { map_.release({nullptr, map_.control_.load(std::memory_order_relaxed)->bin_of(0)}, &entry_); }

    private:
        const read_dirty& map_;
        entry& entry_;
    };
    static bool same_keys(const void* map, const void* mine, const void* other) {
        return mine == other ||
               static_cast<const read_dirty*>(map)->is(*static_cast<const entry*>(other), static_cast<const entry*>(mine)->key);
    }
    static const void* keep_key(const void* map, const void* key, key_room& room) {
        auto& e = const_cast<entry&>(*static_cast<const entry*>(key)); // its count of references
        room.template emplace<kept_entry>(*static_cast<const read_dirty*>(map), e);
        return key;
    }
    static constexpr flight_key key_kind{&same_keys, &keep_key};

    /// Once entered, this thread is the only one that changes an entry, and that computes its key: after a `clear` that is
    /// another entry. The entry is kept by the caller.
    class ownership {
    public:
        ownership(const read_dirty& map, const entry& e) noexcept
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

    /// False: the entry left the map before it could be marked.
    bool mark_owned(operation& here, const place& at, state& before) {
        before = at.found->now.load(std::memory_order_relaxed);
        for (;;) {
            if (before == expunged) {
                before = absent;
                return revive(here, at, owned);
            }
            // acquire: of the value. It publishes nothing: the release sequence of who did goes on.
            if (at.found->now.compare_exchange_weak(before, before | owned, std::memory_order_acquire,
                                                    std::memory_order_relaxed)) {
                return true;
            }
        }
    }

    /// `e` is marked, and was `before`. Nobody else changes it now, so its value needs no hazard. Returns a value that
    /// is no more in it, or null.
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
            case decision::assign:
                next.prepare(e.hash, op);
                after = entry::state_of(next.get());
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
            passage in(c.present, c.mutex);
            e.now.store(after, std::memory_order_release);
            // Else `clear` came after this, and counted it.
            if (e.life == c.life.load(std::memory_order_relaxed)) in.counts(after != absent ? +1 : -1);
        }
        make_visible(op.order);
        next.release();
        return current;
    }

    [[no_unique_address]] Hash hash_{};
    [[no_unique_address]] KeyEqual equal_{};
    mutable typename Sync::template atomic<std::uintptr_t> snapshot_{empty}; // reads promote the dirty map
    typename Sync::template atomic<control*> control_{nullptr};              // not null before there is a snapshot
};

} // namespace syncmap::engine
