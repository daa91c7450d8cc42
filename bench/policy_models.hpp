// Thirteen policies that the regret of `syncmap::cache` is taken against: models for one thread, of entries of one size, from
// an empty start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "trace.hpp"

namespace syncmap::bench {

struct policy_model {
    std::string_view name;
    /// The hits of a cache of `capacity` >= 1 entries.
    std::uint64_t (*hits)(const trace&, std::size_t capacity);
};

std::span<const policy_model> thirteen_policies();

// ---- those that keep lists (list_models.cpp) ----

std::uint64_t fifo_hits(const trace& trace, std::size_t capacity);
/// The entry that was used least often since it came; of several, the one used longest ago.
std::uint64_t lfu_hits(const trace& trace, std::size_t capacity);
/// Johnson, Shasha, "2Q" (VLDB'94): a quarter for keys that came once, a ghost of half the capacity.
std::uint64_t two_queues_hits(const trace& trace, std::size_t capacity);
/// Megiddo, Modha, "ARC" (FAST'03).
std::uint64_t arc_hits(const trace& trace, std::size_t capacity);
/// Jiang, Zhang, "LIRS" (SIGMETRICS'02): 1 % for keys with long distances between uses; the stack knows at most three
/// capacities of keys.
std::uint64_t lirs_hits(const trace& trace, std::size_t capacity);

// ---- those that count uses (count_models.cpp) ----

/// Yang et al., "S3-FIFO" (SOSP'23): small 10 %, ghost as large as main.
std::uint64_t s3_fifo_hits(const trace& trace, std::size_t capacity);
/// The rule of Rust's quick_cache: hot 97 %, cold 3 %, ghost half the capacity.
std::uint64_t quick_cache_hits(const trace& trace, std::size_t capacity);
/// Einziger et al., "TinyLFU" (2017), with a window of 1 % or 10 %, or of a size that climbs (Caffeine's). Counts are exact.
std::uint64_t w_tinylfu_1_hits(const trace& trace, std::size_t capacity);
std::uint64_t w_tinylfu_10_hits(const trace& trace, std::size_t capacity);
std::uint64_t w_tinylfu_adaptive_hits(const trace& trace, std::size_t capacity);

} // namespace syncmap::bench
