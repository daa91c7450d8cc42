// What caches count of loads, and the sums of all that they count: the part that every kind of cache has.
#pragma once

#include <cstdint>
#include <type_traits>

#include <syncmap/cache/load_times.hpp>
#include <syncmap/cache/options.hpp>
#include <syncmap/cache/policy/lanes.hpp>

namespace syncmap::cache_detail {

/// Calls `call()`, which calls a loader. Counts how that ends, and how long it takes, if the cache has statistics.
template <class Sync, class Clock, class Call>
auto counted_load(lanes<Sync>& counters, load_times<Sync, Clock>& times, std::uint32_t slot, Call call) {
    using instant = typename load_times<Sync, Clock>::instant;
    struct measure {
        lanes<Sync>& counters;
        load_times<Sync, Clock>& times;
        std::uint32_t slot;
        instant begun = counters.counts() ? times.now() : instant{};
        counted outcome = counted::failed_load;
        ~measure() {
            if (!counters.counts()) return;
            counters.count(slot, outcome);
            times.add(begun);
        }
    } measured{counters, times, slot};
    if constexpr (std::is_void_v<std::invoke_result_t<Call&>>) {
        call();
        measured.outcome = counted::load;
    } else {
        auto result = call();
        measured.outcome = counted::load;
        return result;
    }
}

/// What the threads have counted. What a cache knows otherwise (its entries, its capacity, …) is 0.
template <class Sync, class Clock>
cache_stats sums_of(const lanes<Sync>& all, const load_times<Sync, Clock>& times) noexcept {
    cache_stats now;
    now.hits = all.sum(counted::hit);
    now.misses = all.sum(counted::miss);
    now.inserts = all.sum(counted::insert);
    now.evictions = all.sum(counted::eviction);
    now.loads = all.sum(counted::load);
    now.failed_loads = all.sum(counted::failed_load);
    now.remembered = all.sum(counted::remembered);
    now.stale_dropped = all.sum(counted::stale_dropped);
    now.expirations = all.sum(counted::expiration);
    now.erased = all.sum(counted::erased);
    now.replaced = all.sum(counted::replaced);
    now.load_times = times.counts();
    now.load_nanoseconds = times.nanoseconds();
    return now;
}

} // namespace syncmap::cache_detail
