// The operations on a whole map; a part of `basic_map`, whose words hold here too.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/detail/absent.hpp>
#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/goes_on.hpp>
#include <syncmap/detail/listed_entry.hpp>
#include <syncmap/detail/value_forms.hpp>
#include <syncmap/stats.hpp>
#include <syncmap/synchronized_values.hpp>
#include <syncmap/walk_position.hpp>

namespace syncmap {

template <class Engine>
class basic_map;
template <class Engine>
class snapshot;

namespace engine {
template <class Source, class F>
std::size_t walk_in_parallel(std::size_t threads, const Source& source, F f); // engine/parallel_walk.hpp
}

template <class Engine>
class whole_map_operations {
    using Key = typename Engine::key_type;
    using T = typename Engine::mapped_type;
    using copied = detail::copied_out_t<T>;
    using given_key = detail::given_t<Key>;
    using shown = detail::shown_t<T>;
    using size_type = std::size_t;

public:
    /// Calls `f(const Key&, const T&)` for the entries; `f` may return false to stop. Returns the number of calls.
    ///
    /// Consistency: weak. A key that is there from beginning to end is shown exactly once, no key twice; of keys
    /// that come or go meanwhile some are shown. Each entry shown was there at some instant of the call.
    /// Progress: holds no lock while `f` runs. Entries in nodes: waits at most for a writer of the bucket that it copies. Keeps
    /// the nodes of one bucket while `f` runs, of two where they have `std::string`s. Complexity: linear in the size of the
    /// table. Throws: what `f` throws, and `std::bad_alloc` for the copy of a bucket. Go: `Range`.
    template <class F>
    size_type for_each(F&& f) const {
        static_assert(std::invocable<F&, const Key&, shown>,
                      "syncmap: for_each(f) calls f(const Key&, const T&): entries are read only; change them with update");
        return engine().for_each([&](const Key& key, const T& value) { return detail::goes_on(f, key, detail::shown(value)); });
    }

    /// `for_each` in steps: shows the entries of the next bucket that has any, from `position` on, and returns where to
    /// go on. Between the steps nothing of the map is held, and all of its operations may be called.
    ///
    ///     for (syncmap::walk_position at; !at.at_end();) at = map.for_each_from(at, show);
    ///
    /// Consistency: all steps together are one `for_each`, however the table grows and shrinks between them; a map that
    /// is cleared, or is empty, ends the walk. Progress and Throws: as `for_each`; after a throw the step can be done
    /// again. Complexity: of a whole walk linear in the size of the table. Only of maps whose table is in hash order.
    template <class F>
    [[nodiscard]] walk_position for_each_from(walk_position position, F&& f) const
        requires requires(const Engine& e) { e.for_each_from(position, [](const Key&, const T&) {}); }
    {
        static_assert(std::invocable<F&, const Key&, shown>,
                      "syncmap: for_each_from(position, f) calls f(const Key&, const T&)");
        return engine().for_each_from(position,
                                      [&](const Key& key, const T& value) { detail::invoke(f, key, detail::shown(value)); });
    }

    /// The same within a part of the walk, by a few dozen buckets at a time; returns what is left of that part. For users with
    /// threads of their own: see `walk_range::part`. All parts together are one `for_each`: no key twice, none missed that is
    /// there throughout.
    template <class F>
    [[nodiscard]] walk_range for_each_from(walk_range range, F&& f) const
        requires requires(const Engine& e) { e.for_each_from(range, [](const Key&, const T&) {}); }
    {
        static_assert(std::invocable<F&, const Key&, shown>, "syncmap: for_each_from(range, f) calls f(const Key&, const T&)");
        return engine().for_each_from(range,
                                      [&](const Key& key, const T& value) { detail::invoke(f, key, detail::shown(value)); });
    }
    template <class F>
    detail::only_syncmap_map_walks_in_steps_and_by_several_threads_use_for_each for_each_from(walk_position,
                                                                                              F&&) const = delete;

    /// `for_each` by so many threads, at least one, of which the caller is one; the others are started for it. `f` is called
    /// by several of them at once; when it returns false, they stop soon. (Include <syncmap/map.hpp>.)
    ///
    /// Consistency, Progress and Complexity: as `for_each`. Throws: `std::invalid_argument` for no threads; what `f`
    /// throws: the first exception ends the walk and leaves it when all threads have ended; `std::bad_alloc`. Where the
    /// system refuses threads, fewer do the work.
    template <class F>
    size_type for_each_parallel(size_type threads, F&& f) const
        requires requires(const Engine& e) { e.for_each_from(walk_range::ended(), [](const Key&, const T&) {}); }
    {
        static_assert(std::invocable<F&, const Key&, shown>, "syncmap: for_each_parallel(n, f) calls f(const Key&, const T&)");
        return engine::walk_in_parallel(
            threads, engine(), [&](const Key& key, const T& value) { return detail::goes_on(f, key, detail::shown(value)); });
    }
    template <class F>
    detail::only_syncmap_map_walks_in_steps_and_by_several_threads_use_for_each for_each_parallel(size_type,
                                                                                                  F&&) const = delete;

    /// One instant of the whole map: to iterate over, look up in and count, for as long as wanted, while writers go on.
    /// (Include <syncmap/snapshot.hpp>, as map.hpp does.)
    ///
    /// Consistency: linearizable. The snapshot contains every write that happened before it. If it contains a write, it
    /// contains all that happened before that one. Progress: writers sleep while it waits for the writers in flight: mostly
    /// some microseconds, 50 ms at most for each attempt. It waits also for a writer that was stopped there, and for threads
    /// that take or end a snapshot. It succeeds however many threads write. Complexity: linear in the most threads that ever
    /// used maps at one time, not in the entries. Throws: `std::bad_alloc`;
    /// `std::length_error` when the numbers of the map's snapshots are used up while one of them is alive (16 million where
    /// keys lie in nodes, 1,000 million where they lie in the table; they begin anew when none is alive);
    /// `barrier_refused` in a sandbox that refuses every barrier. Nothing like it in Go.
    [[nodiscard]] auto snapshot() const
        requires requires(const Engine& e) { e.snapshot(); }
    {
        return syncmap::snapshot<Engine>(engine().snapshot());
    }
    detail::only_syncmap_map_has_snapshots_use_for_each snapshot() const = delete;

    /// Erases the entries for which `f(const Key&, const T&)` is true; returns how many.
    ///
    /// Consistency: walks as `for_each`; each erasure is an operation of its own. An entry that was changed after
    /// `f` saw it stays, and so does a key that this thread is computing. Progress and Complexity: as `for_each`,
    /// and as `erase` for each entry. Throws: what `f` throws, and `std::bad_alloc`; what was erased until then
    /// stays erased.
    template <class F>
    size_type erase_if(F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::predicate<F&, const Key&, const T&>, "syncmap: erase_if(f) calls f(const Key&, const T&)");
        return engine().erase_if(f, order);
    }

    /// Inserts the entries of a list, or of a range of pairs or of anything with `.first` and `.second`, whose keys are absent,
    /// one by one as `insert` does; returns how many. Throws: as `insert`; what was inserted until then stays.
    size_type insert(std::initializer_list<detail::listed_entry<Key, T>> entries,
                     std::memory_order order = std::memory_order_seq_cst) {
        return insert_range(entries, order);
    }
    template <class K, class U>
        requires detail::listed_from<Key, T, const K&, const U&>
    size_type insert(std::initializer_list<std::pair<K, U>> entries, std::memory_order order = std::memory_order_seq_cst) {
        return insert_range(entries, order);
    }
    template <class Nothing = void> // an error in words
    size_type insert(std::initializer_list<detail::unfit_entry<Key, T>>) {
        return 0;
    }
    template <class Range>
        requires requires(Range& entries) { std::begin(entries) != std::end(entries); }
    size_type insert_range(Range&& entries, std::memory_order order = std::memory_order_seq_cst) {
        size_type inserted = 0;
        for (auto&& entry : entries) {
            if (self().insert(std::forward<decltype(entry)>(entry).first, std::forward<decltype(entry)>(entry).second, order))
                ++inserted;
        }
        return inserted;
    }

    /// Moves the entries of `other` whose keys are absent here to this map, one by one; returns how many. Others stay. Each is
    /// inserted here first, as a copy, and then erased there, unless it was changed there meanwhile.
    ///
    /// Progress and Throws: as `erase_if` of `other` and `insert` here. Two maps behind locks must not be merged into each
    /// other at once. Complexity: linear in `other`.
    size_type merge(basic_map<Engine>& other, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<given_key> && std::is_copy_constructible_v<copied>,
                      "syncmap: merge copies keys and values, which other threads may still read");
        if (std::addressof(self()) == std::addressof(other)) return 0;
        return other.erase_if([&](const Key& key, const T& value) { return self().insert(key, value, order); }, order);
    }

    /// How many entries there were at one instant of the call: exact, beside any number of writers.
    ///
    /// Progress: counts again while inserts and erases come in between, and after a few attempts lets new ones wait,
    /// for about 100 microseconds at a time; waits for a thread that is publishing an `update` of several keys.
    /// Complexity: linear in the most threads that ever used maps at one time, not in the entries. Throws:
    /// `std::bad_alloc`.
    [[nodiscard]] size_type size() const { return engine().size(); }

    /// The same without waiting for a consistent view: right when no thread inserts or erases meanwhile, and off by
    /// some of those operations otherwise. Waits for no thread and makes none wait.
    [[nodiscard]] size_type approx_size() const noexcept { return engine().approx_size(); }

    /// Whether `size()` is zero; costs what `size` costs.
    [[nodiscard]] bool empty() const { return engine().size() == 0; }

    /// Figures of the map's memory and work: see stats.hpp. No operation counts for them but a resize and a writer that sleeps.
    ///
    /// Progress: waits for no thread; in `snapshot_map` for the mutex, behind a lock for that lock. Complexity: linear in what
    /// waits to be freed and in the number of threads.
    [[nodiscard]] map_stats stats() const
        requires requires(const Engine& e) { e.stats(); }
    {
        return engine().stats();
    }

    /// Erases everything in one atomic step.
    ///
    /// Progress: no thread waits for it. The caller, after that step, waits for writers that are still in the old table, and
    /// destroys the entries. Complexity: constant for others, linear in the table for the caller.
    /// Throws: `std::bad_alloc` before that step, on a thread's first use of the map and where a map that has not grown is
    /// cleared for the first time. Go: `Clear`.
    void clear() { engine().clear(); }

    /// Replaces everything by the entries of `other`, in one atomic step: each operation sees the old entries or the new
    /// ones. Two operations of one thread may fall before and after it. `other` is empty afterwards. For a generation that was
    /// built beside:
    ///
    ///     syncmap::map<std::string, route> next;
    ///     load_routes(next);
    ///     routes.replace(std::move(next));
    ///
    /// No other thread may use `other` meanwhile, and no snapshot of it may be alive; entries of it that are pinned must be
    /// let go before either map is destroyed. Snapshots of this map stay as they
    /// are; a computation that is running is ordered before the step, as with `clear`.
    ///
    /// Progress: no thread waits for it. The caller prepares the new entries beside, takes the step, and then takes the old
    /// table apart, where it waits for writers that are still in it. Nodes go over as they are, without copies.
    /// Complexity: constant for others, linear in both maps for the caller. Throws: what hash throws, `std::bad_alloc`,
    /// `std::invalid_argument` if the allocators are unequal, `std::logic_error` if a snapshot of `other` is alive; both
    /// maps are as before then. Nothing like it in Go.
    void replace(basic_map<Engine>&& other)
        requires requires(Engine& e) { e.replace(e); }
    {
        engine().replace(other.engine_);
    }
    detail::this_map_is_not_replaced_in_one_step_use_clear_and_insert_range replace(basic_map<Engine>&&) = delete;

    /// Exchanges the contents of two maps, with their functions and allocators. No operation of either map, of a snapshot or of
    /// a pinned entry of it may be under way, not even one that runs the caller as its callback: for a map in use, `replace` is
    /// the operation. Snapshots and pinned entries stay with the contents. So it is when a map is moved: see `basic_map`.
    ///
    /// Progress: waits for no destructor of a value, but for a thread that is copying the allocator of one of the maps.
    /// Complexity: linear in the number of threads that have garbage, not in the entries.
    void swap(basic_map<Engine>& other) noexcept {
        static_assert(std::is_nothrow_move_constructible_v<Engine>,
                      "syncmap: swap needs a hash and an equality whose copies do not throw");
        if (std::addressof(self()) == std::addressof(other)) return;
        Engine held(std::move(engine()));
        move_into(engine(), other.engine_);
        move_into(other.engine_, held);
    }

    /// Makes room for so many entries, so that the table need not grow before. Never shrinks. The room stays: erasing leaves no
    /// smaller table, until `shrink_to_fit`, `clear` or `replace`. Room that no entry has touched takes no memory where
    /// tables are the system's pages (Linux, `std::allocator`, 256 KiB and more).
    ///
    /// Progress: moves what there is to the larger table, and waits for writers of single buckets; others go on.
    /// Complexity: linear in the entries. Walks take time in proportion to the room from then on.
    /// Throws: `std::length_error` for a number that no map can hold, `std::bad_alloc`; nothing has changed then.
    void reserve(size_type entries) { engine().reserve(entries); }

    /// Gives memory back now: moves what there is to a table of the size that it needs, and `flush`. Without it that happens
    /// by and by, while entries are erased.
    ///
    /// Progress: waits for writers of single buckets; others go on. Complexity: linear in the table, and as `flush`.
    /// Throws: `std::bad_alloc` on the first use of the map by a thread; where memory for the smaller table is missing, the
    /// map stays as it is.
    void shrink_to_fit()
        requires requires(Engine& e) { e.shrink_to_fit(); }
    {
        engine().shrink_to_fit();
    }
    detail::this_map_shrinks_by_itself_alone_there_is_no_shrink_to_fit shrink_to_fit() = delete;

    /// Destroys what was erased or replaced before the call and no thread looks at, and gives back the memory that threads
    /// keep for their next entries of this map. Without it values are destroyed by and by: when the thread that took them
    /// out has taken 256 entries out of maps, or 256 KiB, or 16 entries of a type that does not tell what it owns
    /// (syncmap/owned_bytes.hpp). If that thread stops, another one destroys them later, at the latest the map's
    /// destructor. A value that another thread is just destroying may be gone only after the call.
    ///
    /// Progress: waits for a thread that scans for what can be freed, and for threads that take or end a snapshot; other
    /// operations go on. Complexity: linear in what is to be destroyed and in the number of threads. Only of maps that destroy
    /// late.
    void flush() noexcept
        requires requires(Engine& e) { e.flush(); }
    {
        engine().flush();
    }
    detail::this_map_destroys_at_once_and_has_no_flush flush() noexcept = delete;

private:
    /// By construction: an allocator need not be assignable.
    static void move_into(Engine& to, Engine& from) noexcept {
        std::destroy_at(std::addressof(to));
        std::construct_at(std::addressof(to), std::move(from));
    }

    const Engine& engine() const noexcept { return static_cast<const basic_map<Engine>&>(*this).engine_; }
    Engine& engine() noexcept { return static_cast<basic_map<Engine>&>(*this).engine_; }
    basic_map<Engine>& self() noexcept { return static_cast<basic_map<Engine>&>(*this); }
};

} // namespace syncmap
