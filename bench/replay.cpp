#include "replay.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include <syncmap/cache.hpp>
#include <syncmap/plain_caches.hpp>

#include "thread_team.hpp"

namespace syncmap::bench {
namespace {

template <class Cache>
replay_result replay_in(const trace& trace, std::size_t capacity, unsigned threads) {
    constexpr std::size_t between_looks = 1024;
    Cache cache({.capacity = capacity});
    std::atomic<std::size_t> next{0};
    std::vector<replay_result> found(threads);
    const auto work = [&](unsigned thread) {
        replay_result mine;
        for (std::size_t i = 0; (i = next.fetch_add(1, std::memory_order_relaxed)) < trace.requests.size();) {
            const std::uint64_t key = trace.requests[i];
            const std::uint64_t value = cache.get_or_load(key, [&](std::uint64_t loaded) {
                ++mine.loads;
                return loaded;
            });
            if (value != key) mine.is_wrong = true;
            if (i % between_looks == 0) mine.most_seen = std::max(mine.most_seen, cache.size());
        }
        found[thread] = mine;
    };
    run_team(threads, false, work);
    replay_result all;
    for (const replay_result& r : found) {
        all.loads += r.loads;
        all.most_seen = std::max(all.most_seen, r.most_seen);
        all.is_wrong |= r.is_wrong;
    }
    all.most_seen = std::max(all.most_seen, cache.size());
    const syncmap::cache_stats told = cache.stats();
    all.is_wrong |= told.hits + told.misses != trace.requests.size() || told.loads != all.loads;
    return all;
}

} // namespace

replay_result replay(const trace& trace, std::size_t capacity, unsigned threads, cache_policy policy) {
    using key = std::uint64_t;
    switch (policy) {
    case cache_policy::lru: return replay_in<syncmap::lru_cache<key, key>>(trace, capacity, threads);
    case cache_policy::sieve: return replay_in<syncmap::sieve_cache<key, key>>(trace, capacity, threads);
    case cache_policy::standard: break;
    }
    return replay_in<syncmap::cache<key, key>>(trace, capacity, threads);
}

} // namespace syncmap::bench
