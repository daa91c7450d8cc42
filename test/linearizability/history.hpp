// A history of a whole map, and its checker.
//
// Without calls on all keys a history is cut by key, which loses nothing (Herlihy and Wing: linearizability is local).
// Of each key, `register_checker` decides where it applies, `order_search` otherwise.
//
// With them the keys are put in groups of at most 16, or all into one if there are few, and each group's history is
// searched with all its keys together; a snapshot stands in it with what it says of these keys, `clear` as it is. So
// every pair of calls within a group is checked exactly, and across groups what follows from:
//  - *Windows*. A snapshot that shows a value was taken after that was first written, and before the end of a call that
//    must have replaced it. All its keys together narrow the time in which it was, before the groups are searched.
//  - *Bounds of sizes*. Where the keys are more than fit into one group, a size is checked against the calls that
//    must, and those that may, have added or removed an entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "linearizability/call.hpp"

namespace linearizability {

struct history {
    std::vector<held> initial;               ///< what the keys 0, 1, ... hold at first; every key has its place here
    std::vector<map_call> calls;             ///< ordered by their starts
    std::vector<std::vector<held>> contents; ///< of snapshots: what all keys hold
    std::vector<std::uint64_t> names;        ///< the keys' numbers outside, if they are others
    /// What the map held when all had ended; not known: no value.
    std::optional<std::vector<held>> final_contents;

    void sort_calls();
};

struct verdict {
    std::uint64_t checked = 0;  ///< calls
    std::uint64_t by_zones = 0; ///< of these, by `register_checker`
    std::string trouble;        ///< empty, or why not, with a picture

    bool linearizable() const noexcept { return trouble.empty(); }
};

/// `workers`: how many threads check.
verdict check(const history& recorded, std::size_t workers = 1);

} // namespace linearizability
