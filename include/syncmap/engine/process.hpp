// What all maps of a process share: the hazard records of threads, the queues of sleeping writers (those that found a bucket
// locked, and those that found the gate closed), the flights of computations.
//
// A program and the shared libraries that it loads have one each where their symbols are hidden from one another. So a
// map names the one of the image whose code wrote to it first, and every thread uses the one that the map names. Two threads
// with different hazards, slot numbers or flights must never meet in a map. The object is on the heap and never destroyed: it
// outlives the library whose code made it.
#pragma once

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

    static process& instance() { return Sync::template process_wide<process>(); }
};

} // namespace syncmap::engine
