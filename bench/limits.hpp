// The suite `limits`: cells whose figures are judged by the limits of the machine and by the best peers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "subject.hpp"

namespace syncmap::bench {

/// What is measured in a cell.
enum class measure : std::uint8_t {
    rate,      ///< operations per second
    tail,      ///< the rate, and p99.9 and p99.99 of one operation
    stall,     ///< the longest single operation while a map grows
    weight,    ///< bytes per entry
    footprint, ///< bytes on the heap of an empty map, of one with four entries, and of one with forty
};

/// What a goal compares the judged map with.
enum class rival : std::uint8_t {
    flat,          ///< boost::unordered_flat_map, not synchronised
    array,         ///< a bare array of words
    exchange,      ///< the same with atomic exchanges
    mutex_flat,    ///< std::mutex + boost::unordered_flat_map
    growt,
    boost,         ///< boost::concurrent_flat_map
    boost_batches, ///< its bulk visit
    general,       ///< the best peer that takes any type
    best_peer,     ///< the best peer
    two_threads,   ///< `map` itself in the cell of two threads
    nothing        ///< a number of its own
};

/// What is compared.
enum class quantity : std::uint8_t {
    rate, ///< as a ratio, at least
    p999,
    p9999, ///< as a ratio, at most
    p99,   ///< microseconds, at most
    stall,
    work, ///< milliseconds, at most: the operation's time, and that of its thread's processor
    bytes,
    most_bytes, ///< of an entry, at most: the mean and the most of a doubling
    empty_map,
    four_entries,
    forty_entries ///< bytes, at most
};

struct goal {
    rival against;
    double bound;
    quantity what = quantity::rate;
    std::string_view of = "map"; ///< the map that is judged

    constexpr bool at_least() const noexcept { return what == quantity::rate; }
};

struct limit_cell {
    std::string_view name;
    measure kind;
    cell what;
    std::vector<std::string_view> limits; ///< the limit rows that belong into it
    bool peers;                           ///< whether other people's maps do
    std::vector<goal> goals;

    /// Whether a map belongs into the cell: `map` always, limits where they are named, others where peers do.
    bool has(const candidate& e) const;
};

/// All cells; `quick`: with a tenth of the keys where there are millions.
std::vector<limit_cell> limit_cells(unsigned processors, bool quick);

} // namespace syncmap::bench
