// The sizes by which nodes are reclaimed. A test makes them small, so that a few nodes are freed like millions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace syncmap::reclaim {

struct tuning {
    /// Retired nodes that one thread gathers, of all maps, before it looks which can be freed.
    static constexpr std::uint32_t retire_batch = 256;
    /// Batches of a thread between two looks at what all threads have retired, of so many that there are: its own are in
    /// its caches. So a sixteenth of all nodes, for any number of threads, is freed by others.
    static constexpr std::size_t batches_between_scans(std::size_t threads) noexcept { return 8 * threads; }
    /// Maps of which one thread can have garbage at a time without freeing it early.
    static constexpr std::uint32_t garbage_slots = 16;
};

} // namespace syncmap::reclaim
