// One cell measured on all its maps: all alive at once, in interleaved rounds, in random order, in a
// process of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "histogram.hpp"
#include "subject.hpp"

namespace syncmap::bench {

struct plan {
    unsigned rounds;
    double seconds; ///< for the whole cell, filling included
    bool pin;
    std::uint64_t seed;
    std::optional<double> round_seconds{}; ///< instead of a share of `seconds`
};

struct candidate_result {
    const candidate* map;
    std::vector<double> rates{};   ///< operations (or entries, where each is on all of them) per second, one for each round
    histogram latencies{};         ///< nanoseconds of one operation, from a pass of its own
    std::uint64_t wrong = 0;       ///< operations that missed a key they had to find, or found one they had to miss
};

/// A map that was left out of a cell, and why.
struct left_out {
    const candidate* map;
    std::string why;
    bool failed = true; ///< it crashed or hung; else it is not made for the cell
};

struct cell_result {
    cell what;
    double round_seconds = 0;
    std::optional<double> foreign_load{}; ///< share of the processors that other programs took meanwhile
    std::vector<candidate_result> maps{};
    std::vector<left_out> absent{};
};

/// Told when a map's turn comes: the share of the cell that is done, and the map.
using progress_report = std::function<void(double share, std::string_view map)>;

/// A map that crashes or hangs is left out, and the cell begins anew without it.
cell_result run_contest(const cell& cell, std::vector<const candidate*> maps, const plan& plan, const progress_report& report);

/// Upper estimate of the memory that `run_contest` takes.
double contest_bytes(const cell& cell, std::size_t maps);

} // namespace syncmap::bench
