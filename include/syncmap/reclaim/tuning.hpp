// The numbers that govern reclamation. A test makes them small, so that a few nodes are reclaimed like millions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace syncmap::reclaim {

struct tuning {
    /// How many nodes of all maps one thread retires before it looks for those that can be freed.
    static constexpr std::uint32_t retire_batch = 256;
    /// Nodes that a thread gives back to the allocator until it lets the allocator join what was freed.
    static constexpr std::uint32_t nodes_between_joins = 256;
    /// After how many batches a thread scans the retired nodes of all `threads` threads. In between it frees its own, which are
    /// in its caches. So other threads free a sixteenth of all nodes, for any number of threads.
    static constexpr std::size_t batches_between_scans(std::size_t threads) noexcept { return 8 * threads; }
    /// Of how many maps one thread can have garbage at a time without freeing it early.
    static constexpr std::uint32_t garbage_slots = 16;
};

} // namespace syncmap::reclaim
