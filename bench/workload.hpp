// What threads do to a map: the operations, the named workloads, and one cell of a measurement.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "payload.hpp"

namespace syncmap::bench {

/// One operation on one key.
enum class action : std::uint8_t {
    load,   ///< copy the value into the caller's buffer
    store,  ///< set the value, whether the key is there or not
    insert, ///< add a key that is not there
    erase,  ///< remove a key that is there
    modify, ///< read-modify-write, atomic where the map offers that
    length, ///< the exact number of entries
    walk,   ///< all entries, as they are at one instant
    visit,  ///< all entries, by the quickest way that the map has; no thread writes meanwhile
    clear   ///< remove all entries
};

/// Which keys the threads choose.
enum class choice : std::uint8_t {
    uniform,  ///< any, all alike
    zipf,     ///< any, Zipf 0.99, popularity unrelated to the order of insertion
    latest,   ///< mostly those inserted last
    own,      ///< each thread its own share
    single,   ///< all threads one key
    absent    ///< keys that the map does not hold
};

/// A workload: percentages of the operations, and the keys they go to.
struct workload {
    std::string_view name;
    std::string_view about;
    choice keys;
    unsigned loads;
    unsigned stores;
    unsigned modifies;
    unsigned inserts; ///< of new keys: the map grows, so that every pass starts with a new one
    unsigned pairs;   ///< insert of an absent key and erase of a present one in turn: the size stays
    unsigned lengths = 0; ///< of the whole map
    unsigned walks = 0;   ///< over the whole map
    unsigned batch = 0;   ///< reads in one call, where a map has such a call; 0: one by one
    unsigned visits = 0;  ///< of all entries
    bool clears = false;  ///< the one operation is to clear the map, and then it is destroyed: both are timed

    /// Nothing is in the map at the start: the workload is the filling itself.
    constexpr bool starts_empty() const noexcept { return inserts == 100; }
    /// Cannot be repeated on the same map.
    constexpr bool single_pass() const noexcept { return inserts != 0 || clears; }
    constexpr bool only_reads() const noexcept { return loads == 100; }
    /// The keys stay those of the beginning.
    constexpr bool keeps_keys() const noexcept { return inserts == 0 && pairs == 0 && !clears; }
    /// Each operation is one on all entries: what is counted are entries.
    constexpr bool counts_entries() const noexcept { return visits == 100 || walks == 100 || clears; }
};

std::span<const workload> workloads();
const workload* find_workload(std::string_view name);

/// One line of work for all maps: what one table of the output shows.
struct cell {
    const workload* what;
    std::uint64_t keys;
    unsigned threads;
    key_kind kind = key_kind::integer;
    std::optional<choice> distribution{}; ///< uniform, Zipf or own: replaces a workload's uniform or Zipf choice
    bool beside_limits = false; ///< maps that are not synchronised take part also when there are several threads

    choice chosen() const noexcept {
        const bool open = what->keys == choice::uniform || what->keys == choice::zipf;
        return open ? distribution.value_or(what->keys) : what->keys;
    }
    /// With fewer keys a thread would have none of those that it needs for itself.
    std::uint64_t fewest_keys() const noexcept {
        if (what->pairs != 0) return std::uint64_t{2} * threads;
        return chosen() == choice::own || chosen() == choice::latest ? threads : 1;
    }
};

} // namespace syncmap::bench
