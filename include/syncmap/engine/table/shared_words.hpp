// The words that the writers of one map share and that depend neither on its keys nor on its values. `fork` needs this part of
// the control block (map_registry.hpp), from any library.
//
// | word                     | written by                               | read by              |
// |--------------------------|------------------------------------------|----------------------|
// | `gate_word`, `sleepers`  | whole-map operations, sleeping writers   | every write          |
// | `overwrites`             | computations, writers (overwrite_state)  | every write          |
// | home, number             | before the block is published            | every write          |
// | `thread_records`         | each thread's first write (CAS)          | whole-map operations |
// | `rare`                   | the first operation that needs one (CAS) | those                |
// | map, previous, following | under the lock of `made_by`              | the same             |
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/engine/process.hpp>
#include <syncmap/engine/table/gate.hpp>
#include <syncmap/engine/table/overwrite_state.hpp>
#include <syncmap/engine/table/thread_record.hpp>
#include <syncmap/engine/table/writers.hpp>

namespace syncmap::engine {

/// The state of a map's table of one bucket, of which it has one (first_block.hpp).
enum class first_table : unsigned char {
    fresh, ///< empty
    taken,
    used, ///< not in use; it must be emptied before the next use
    lent  ///< outgrown: its lines are spare lines for as long as the map lives
};

/// What a map needs only to be cleared, replaced, or asked for a snapshot. A larger map has it before.
template <class Sync>
struct snapshot_words {
    /// Its holder may change the list of live snapshots. Only `snapshot_turn` takes it.
    typename Sync::mutex snapshot_mutex{};
};

/// What a map needs only after it has grown, or for its snapshot words.
template <class Sync>
struct rare_words {
    typename Sync::template atomic<snapshot_words<Sync>*> snapshots{nullptr};

    // ---- for `stats()` ----
    typename Sync::template atomic<std::uint64_t> resizes{0}; ///< that were begun
    typename Sync::template atomic<std::uint64_t> waits{0};   ///< of writers that slept on a locked bucket
};

/// The root word, first part of every map.
template <class Sync>
struct map_root {
    typename Sync::template atomic<word> root_{0};
};

template <class Sync>
struct shared_words {
    using thread_record_type = thread_record<Sync>;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    /// Bit of the root: the process is about to fork; no section begins [F2].
    static constexpr word forking = 1;

    // ---- in the list of the maps that one thread has made, under its lock ----
    // First, so that the next words begin a cache line in every first block (first_block.hpp).
    map_root<Sync>* map = nullptr;          ///< whose contents these are; another one after a move
    shared_words* previous = nullptr;
    shared_words* following = nullptr;

    // ---- read by every write, written rarely ----
    atomic<gate::word> gate_word{0};
    atomic<std::uint32_t> sleepers{0};      ///< writers asleep on some bucket of this map
    atomic<bool> scanning{false};           ///< only the thread that set it takes the retired nodes of all threads
    atomic<bool> recycling{false};            ///< only the thread that set it touches the lists of tables that are not in use
    atomic<first_table> first_table_is{first_table::fresh};
    overwrite_state<Sync> overwrites{};       ///< whether entries may be overwritten directly
    process<Sync>* home = nullptr;          ///< constant once published
    std::uint64_t number = 0;               ///< of this map alone; constant once published
    atomic<thread_record_type*> thread_records{nullptr};  ///< newest first

    atomic<rare_words<Sync>*> rare{nullptr};
    writer_record<Sync>* made_by = nullptr; ///< constant once published

    /// Returns the counter by which writers notice a computation of a key with this hash (design 6).
    atomic<std::uint32_t>& computing_of(std::uint64_t hash) const noexcept {
        return home->computing[hash % Sync::computing_counters];
    }

    /// Adds a thread record, before the thread's first change of this map. (1) release: pairs with the acquire of (2); without
    /// it a thread may find the record before its contents.
    void add(thread_record_type& s) noexcept {
        thread_record_type* head = thread_records.load(std::memory_order_relaxed);
        do {
            s.next = head;
        } while (!thread_records.compare_exchange_weak(head, &s, std::memory_order_acq_rel, std::memory_order_relaxed));
    }

    /// Calls `f(thread_record)` for every thread record that the map has so far. (2) acquire: pairs with (1).
    template <class F>
    void each_thread_record(F&& f) const {
        for (thread_record_type* s = thread_records.load(std::memory_order_acquire); s != nullptr; s = s->next) f(*s);
    }
};

} // namespace syncmap::engine
