// Histories of one key whose values are all different, in little more than linear time.
//
// Where each value is written once, every read tells which write it read from. The write of a value and its reads, a
// *cluster*, stand together in every order that explains the answers. A call that reads one value and writes another
// (exchange, fetch_add, a compare_exchange that succeeds) makes the second cluster follow the first at once: clusters
// form *chains*, and a chain stands together as well. So all that is left to order are whole chains.
//
// Chain A must come before B when a call of A ended before one of B started: when A's earliest end lies before B's latest
// start. An order exists when no two chains must come before each other. (P. Gibbons, E. Korach, "Testing shared
// memories", 1997, where a cluster's earliest end and latest start are its *zone*. That pairs are enough holds for
// chains too: a circle of more has a pair, the chain with the latest start and one that contains its earliest end.)
// Forward zones, with the end before the start, may not overlap, and none may contain a backward zone.
//
// Erasing makes keys absent again and again, which is one value written many times: such histories are not for this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "linearizability/call.hpp"

namespace linearizability {

enum class zones : std::uint8_t {
    linearizable,
    violated,
    not_applicable ///< a value is written twice, or the key becomes absent
};

/// Its memory is kept from one history to the next.
class register_checker {
public:
    zones operator()(std::span<const map_call> history, held initial);

private:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    struct cluster {
        std::uint64_t value;
        std::uint64_t write_invoked;
        std::uint64_t earliest_end; // the zone
        std::uint64_t latest_start;
        std::uint32_t next = none; // the one that follows at once
        bool follows = false;      // another one
    };
    struct zone {
        std::uint64_t earliest_end;
        std::uint64_t latest_start;
    };

    std::uint32_t find(std::uint64_t value) const noexcept;
    bool insert(std::uint64_t value, const map_call* write); // false: it is there
    zones read(const map_call& call, std::uint32_t from);
    zones chain(const map_call& call, std::uint32_t from);
    zones verdict();

    std::vector<cluster> clusters_; // the first: of what was there at first
    std::vector<std::uint32_t> table_; // of the values' clusters, open addressing
    std::vector<zone> forward_;
    std::vector<zone> backward_;
};

} // namespace linearizability
