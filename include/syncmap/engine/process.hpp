// What all maps of a process share: the hazard records of threads, the queues of sleeping writers (those that found a bucket
// locked, and those that found the gate closed), the flights of computations, and how often the process was forked.
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

    /// The thread whose next fork a hook has prepared, or null. (Another thread may fork meanwhile.)
    typename Sync::template atomic<const void*> prepared_by{nullptr};
    typename Sync::template atomic<std::uint32_t> forks{0}; ///< between the first process and this one
    typename Sync::template atomic<std::uint32_t> unprepared_forks{0}; ///< those of them that no hook prepared

    [[gnu::cold]] process() { Sync::tell_of_forks(*this); }
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    static process& instance() { return Sync::template process_wide<process>(); }

    /// Called by the system in each child, before or after the hooks. After a fork that no hook prepared, a lost thread may
    /// have any lock and may have been in the middle of any change. So the child begins anew with all that maps share.
    void note_fork() noexcept {
        if (prepared_by.exchange(nullptr, std::memory_order_relaxed) == Sync::this_thread()) return;
        unprepared_forks.fetch_add(1, std::memory_order_relaxed);
        renew_in_child();
        flights.after_unprepared_fork();
    }
    /// Forgets the other threads: their hazard records, their sleep and their computations.
    void renew_in_child() noexcept {
        threads.free_hazard_records_of_others();
        parking.renew();
        gates.renew();
        for (auto& counter : computing) counter.store(0, std::memory_order_relaxed);
        forks.fetch_add(1, std::memory_order_relaxed); // this process has one thread
    }
};

} // namespace syncmap::engine
