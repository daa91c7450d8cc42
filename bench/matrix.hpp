// The decision matrix: the kinds of workloads that people choose a map by, and the kind that a cell belongs to.
#pragma once

#include <span>
#include <string_view>

#include "workload.hpp"

namespace syncmap::bench {

struct matrix_row {
    std::string_view name;
    std::string_view thumb; ///< what the rule of thumb says to take
    std::string_view rule;  ///< which cells belong to it
};

/// All rows. A cell belongs to the first whose rule it meets.
std::span<const matrix_row> matrix();

/// The row of the cell as it is: it follows from its operations, keys and threads alone.
const matrix_row& row_of(const cell& cell);

/// The row that a cell belongs to besides, if maps of any type were measured: null for most cells.
const matrix_row* dynamic_row_of(const cell& cell);

} // namespace syncmap::bench
