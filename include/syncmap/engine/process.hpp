// What all maps of a process share: the hazard records of threads, the queues of sleeping writers (those that found a bucket
// locked, and those that found the gate closed), the flights of computations, and whether a child of `fork` is an orphan.
//
// A program and the shared libraries that it loads have one each where their symbols are hidden from one another. So a
// map names the one of the image whose code wrote to it first, and every thread uses the one that the map names. Two threads
// with different hazards, slot numbers or flights must never meet in a map. The object is on the heap and never destroyed: it
// outlives the library whose code made it.
#pragma once

#include <atomic>
#include <cstdint>

#include <syncmap/engine/single_flight.hpp>
#include <syncmap/reclaim/domain.hpp>
#include <syncmap/sync/parking.hpp>
#include <syncmap/sync/wake_chain.hpp>

namespace syncmap::engine {

template <class Sync>
struct [[gnu::visibility("default")]] process {
    reclaim::domain<Sync> threads;
    sync::parking<Sync> parking;
    sync::wake_chain<Sync> gates;
    single_flight<Sync> flights;

    /// Running computations by hash (design 6), of all maps: hashes are seeded by map.
    typename Sync::template atomic<std::uint32_t> computing[Sync::computing_counters]{};

    // ---- fork; see table/map_registry.hpp ----

    typename Sync::template atomic<bool> prepared{false}; ///< a hook has prepared the next fork: the child can go on
    typename Sync::template atomic<bool> orphaned{false}; ///< this is the child of a fork that no hook prepared
    typename Sync::template atomic<std::uint32_t> forks{0}; ///< prepared ones between the first process and this one

    [[gnu::cold]] process() {
        Sync::call_in_forked_child([] { instance().note_fork(); });
    }
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    static process& instance() { return Sync::template process_wide<process>(); }

    /// Returns whether the maps are orphans: the child may read, and end, and may wait for no lock. relaxed: the flag is set
    /// before the child runs code of its own.
    bool is_orphan() const noexcept { return orphaned.load(std::memory_order_relaxed); }

private:
    /// Called by the system in each child, before or after the hooks.
    void note_fork() noexcept {
        if (!prepared.exchange(false, std::memory_order_relaxed)) orphaned.store(true, std::memory_order_relaxed);
    }
};

} // namespace syncmap::engine
