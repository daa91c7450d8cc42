// A trace, replayed against `syncmap::cache`, or one of its kin with a plain policy.
#pragma once

#include <cstddef>
#include <cstdint>

#include "trace.hpp"

namespace syncmap::bench {

/// More entries than that are refused.
inline constexpr std::uint64_t most_capacity = 1'000'000'000;

struct replay_result {
    std::uint64_t loads = 0;   ///< calls of the loader: the misses, less those that shared the load of another thread
    std::size_t most_seen = 0; ///< the largest size that the threads have seen in between
    bool is_wrong = false; ///< a value was another key's, or the cache has counted other requests or loads than there were
};

enum class cache_policy : unsigned char { standard, lru, sieve };

/// `get_or_load` for each request, from an empty start. With several threads, each request goes to the next thread that is
/// free.
replay_result replay(const trace& trace, std::size_t capacity, unsigned threads, cache_policy policy = cache_policy::standard);

} // namespace syncmap::bench
