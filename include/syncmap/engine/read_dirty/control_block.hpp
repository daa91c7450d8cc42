// What a map owns beside its snapshot. The first write makes it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/engine/process.hpp>
#include <syncmap/engine/read_dirty/entry.hpp>
#include <syncmap/engine/read_dirty/population_counter.hpp>
#include <syncmap/hash.hpp>

namespace syncmap::engine::read_dirty_parts {

template <class Index, class Sync>
struct control_block : reclaim::garbage_source<Sync> {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    /// What the threads of some slots have retired. Any of them may push; a scan takes all.
    struct alignas(detail::cache_line_bytes) bin {
        reclaim::retire_list<Sync> retired;
    };

    control_block(const hash_seed& s, process<Sync>& p) noexcept
        : seed(s), home(&p), unprepared_forks(p.unprepared_forks.load(std::memory_order_relaxed)) {}

    /// Returns false in the child of a fork that no hook prepared, for a map of which a lost thread was changing indexes or
    /// lists. Called by the map's destructor.
    bool is_whole() noexcept {
        if (home->unprepared_forks.load(std::memory_order_relaxed) == unprepared_forks) return true;
        const std::unique_lock<typename Sync::mutex> lock(mutex, std::try_to_lock);
        return lock.owns_lock() && !scanning.load(std::memory_order_relaxed);
    }

    // ---- read by all, written rarely and under the mutex ----
    const hash_seed seed;
    process<Sync>* const home;
    const std::uint32_t unprepared_forks; ///< before the map was made
    atomic<std::uint64_t> generation{0}; ///< how often the map was cleared
    atomic<std::size_t> snapshot_entries{0}; ///< what the snapshot holds, dead ones too

    alignas(detail::cache_line_bytes) population_counter<Sync> present;

    // ---- under the mutex ----
    alignas(detail::cache_line_bytes) typename Sync::mutex mutex;
    Index* dirty = nullptr; ///< not null: has every entry of the snapshot that is not expunged, and more
    std::size_t misses = 0; ///< looks into the dirty map since the last promotion
    std::size_t least_room = 0; ///< what `reserve` asked for
    atomic<std::uint64_t> added{0}; ///< entries ever added; read without the mutex, too

    // ---- garbage; only the thread that has set `scanning` touches `waiting` ----
    static constexpr std::size_t bins = 16;
    bin bin_of_slot[bins];
    bin& bin_of(std::uint32_t slot) noexcept { return bin_of_slot[slot % bins]; }
    atomic<bool> scanning{false};
    reclaim::node_base<Sync>* waiting = nullptr;
};

} // namespace syncmap::engine::read_dirty_parts
