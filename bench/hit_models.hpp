// Policies that a cache's hits are compared with: small models for one thread, of entries of one size, from an empty start.
#pragma once

#include <cstddef>
#include <cstdint>

#include "trace.hpp"

namespace syncmap::bench {

/// Each returns the hits of a cache of `capacity` >= 1 entries that stores every key it misses.
std::uint64_t lru_hits(const trace& trace, std::size_t capacity);
/// A ring with one bit an entry. The hand clears bits and evicts the first entry without one.
std::uint64_t clock_hits(const trace& trace, std::size_t capacity);
/// SIEVE (Zhang et al., NSDI'24): as CLOCK, but entries stay in the order of their arrival and new ones go to the head.
std::uint64_t sieve_hits(const trace& trace, std::size_t capacity);

/// Belady's optimum: the most hits that any policy can have, one that knows the future and need not store what it misses.
std::uint64_t optimal_hits(const trace& trace, std::size_t capacity);

} // namespace syncmap::bench
