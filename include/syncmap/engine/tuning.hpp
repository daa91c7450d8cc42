// The sizes and the patience of the engines, and the policy that joins them to the machine.
//
// An engine is a template over a policy. `sync::real` is the machine and knows no engine; `tuning` is numbers and knows no
// machine. A test derives from `machine` and makes a few numbers small, so that fifty entries grow, shrink and are freed like
// millions.
#pragma once

#include <cstddef>
#include <cstdint>

#include <syncmap/reclaim/tuning.hpp>
#include <syncmap/sync/real.hpp>

namespace syncmap::engine {

struct tuning : reclaim::tuning {
    // ---- tables ----

    /// log2 of the number of buckets that a map begins with.
    static constexpr unsigned smallest_log2() noexcept { return 0; }
    /// log2 of the number of buckets that the table of one bucket grows to.
    static constexpr unsigned second_log2() noexcept { return 3; }
    /// A table of so many buckets is left only when it has five entries for each four slots. It is the second table of most
    /// maps: so forty pairs of integers need no third one.
    static constexpr std::size_t dense_buckets = 8;
    /// Buckets that one write moves while a table is being left. Of the inserts that double a table one in 224 moves any.
    static constexpr std::size_t migration_batch = 64;
    /// How many groups ahead of the one that is being moved overflow lines and nodes are prefetched. 0: none are.
    static constexpr std::size_t groups_ahead = 4;
    /// log2 of the buckets of the largest table that is four times as large as the one before; larger ones are twice as large.
    static constexpr unsigned most_log2_by_four() noexcept { return 15; }
    /// Writes of a thread between two looks at whether pages of an earlier table can be given back, when there are any.
    static constexpr std::uint32_t writes_between_recycling = 16;
    /// Calls that pass before a table that a writer still names is looked at again.
    static constexpr std::uint32_t looks_between_barriers = 64;
    /// Erases of one thread between two looks at whether the table has become too large.
    static constexpr std::uint32_t shrink_check_interval = 256;

    // ---- overwrites ----

    /// Writes of a thread that find direct overwrites barred, until it looks whether a computation still needs that.
    static constexpr std::uint32_t writes_until_direct = 1U << 14;

    // ---- walks ----

    /// Buckets that a walk over inline keys copies at one look, at most. A run ends also where it has two entries for each of
    /// so many.
    static constexpr std::size_t walk_run = 32;
    /// So many buckets ahead a walk asks for the memory that it will read. 0: it does not.
    static constexpr std::size_t walk_lookahead = 16;

    // ---- what a thread has in each map ----

    /// Whether writers count what they insert and erase. Without it `size()` is of no use, and no table grows or shrinks
    /// because of its entries: for a measurement of what counting costs.
    static constexpr bool counts_entries = true;
    /// Thread records that are allocated at once: 4 KiB.
    static constexpr std::size_t thread_records_per_slab = 63;
    /// Nodes that were freed, and whose blocks one thread keeps for its next ones.
    static constexpr std::uint32_t most_cached_nodes() noexcept { return 256; }
    /// First blocks of destroyed maps that a thread keeps for its next ones.
    static constexpr std::uint32_t most_spare_blocks = 8;

    // ---- size and snapshots ----

    // Microseconds. A writer waits at most so long for a count, and for one attempt of a snapshot to find its instant.
    static constexpr std::uint32_t longest_count = 100;
    static constexpr std::uint32_t longest_cut = 50'000;
    /// Phases that snapshots may use before their numbers begin anew; a layout may have fewer.
    static constexpr std::uint32_t most_snapshots = ~std::uint32_t{0};
    /// What a snapshot keeps is allocated by so much at first and at most.
    static constexpr std::size_t first_slab_bytes = 1024;
    static constexpr std::size_t most_slab_bytes = std::size_t{1} << 16;

    // ---- computations ----

    /// Counters that running computations share by hash.
    static constexpr std::size_t computing_counters = 1024;
    /// Parts of the table of flights, each with a lock, and the chains in each.
    static constexpr std::size_t flight_shards = 128;
    static constexpr std::size_t flight_chains = 32;
    /// So often a thread that was called finds its key taken again, before it is handed to it.
    static constexpr unsigned most_losses = 4;

    // ---- snapshot_map ----

    /// Erased keys that a `snapshot_map` keeps beside twice as many as it has living ones.
    static constexpr std::size_t dead_keys_kept = 32;
};

/// What every map runs on. Visible for the same reason as `sync::real`.
struct [[gnu::visibility("default")]] machine : sync::real, tuning {};

} // namespace syncmap::engine
