// syncmap::map_stats: what a map tells of its memory and its work.
#pragma once

#include <syncmap/detail/language.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace syncmap {

/// What `map.stats()` returns. The figures are read one after the other: beside writers they are of no one instant. A figure
/// that a kind of map does not have is absent.
struct map_stats {
    /// Entries, as `approx_size` counts them.
    std::size_t entries = 0;
    /// Buckets of the table: groups of places, each behind one lock (`map`) or searched in one step (maps behind a lock). Of
    /// `snapshot_map`: the places of its two indexes.
    std::size_t buckets = 0;
    /// Entries that the buckets have places for, overflow lines not counted.
    std::size_t places = 0;
    /// `entries` divided by `places`; 0 of a map without a table. `map` leaves a table for a larger one at about 0.9.
    double load = 0;
    /// Lines of 64 bytes beside the buckets that entries of full buckets lie in, at most: a line that is not in use any more is
    /// counted until the table changes its size. `map` alone.
    std::optional<std::size_t> overflow_lines{};
    /// Bytes of entries that were erased or replaced and wait to be freed, with what they are known to own
    /// (syncmap/owned_bytes.hpp). Those that a thread is just freeing are not counted. `map` alone.
    std::optional<std::size_t> garbage_bytes{};
    /// How often the table began to grow or to shrink. `map` alone.
    std::optional<std::uint64_t> resizes{};
    /// How often a writer slept because another one had its bucket locked, from the map's first growth, `clear` or snapshot on.
    /// `map` alone.
    std::optional<std::uint64_t> waits{};
};

} // namespace syncmap
