// What was found for each row of the decision matrix.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench_outcome.hpp"
#include "matrix.hpp"
#include "statistics.hpp"

namespace syncmap::tool {

/// How one map did in the cells of a row.
struct row_entry {
    const bench::candidate* map;
    bool own;                               ///< syncmap's, and of the kind that the row is about
    double rate = 0;                        ///< operations per second, geometric mean of the cells' medians
    spread to_best{};                       ///< of the best own map, geometric mean of the cells, over the rounds
    std::optional<double> bytes_per_entry{}; ///< mean of the cells
    std::size_t near_best = 0;              ///< cells in which it is within 10 % of the best map shown
    std::uint64_t tail_ns = 0;              ///< the longest p99.9 of the cells
    bool tail_like_best = false;            ///< in each cell its p99.9 is at most twice that of the best own map
};

struct row_standing {
    const bench::matrix_row* row;
    std::vector<const cell_outcome*> cells{};
    std::vector<row_entry> maps{}; ///< that were measured in all these cells, the fastest first

    const row_entry* best_own() const;
    const row_entry* next_own() const;
    /// The map to use: the best own one, or the fastest where none of its own was measured.
    const row_entry* choice() const;
    /// Simpler maps, behind one lock or none, that come within 10 % of the best own one and whose tail is no longer than
    /// twice its tail.
    std::vector<const row_entry*> enough() const;
};

/// The rows that the measured cells belong to, in the order of the matrix: syncmap's own maps, and what people write
/// without them.
std::vector<row_standing> row_standings(const bench_outcome& outcome);

/// A table for each row.
void print_matrix(std::FILE* out, const std::vector<row_standing>& rows);

/// One line for each row: "use X: the row, and how it did".
std::vector<std::string> matrix_lines(const std::vector<row_standing>& rows);

} // namespace syncmap::tool
