// How `map` stands to the limits of the machine, to the best peer, and to its goals.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench_outcome.hpp"
#include "limits.hpp"
#include "statistics.hpp"

namespace syncmap::tool {

/// Ahead or behind only when every round says so; level: the spread covers 1.
enum class standing { ahead, level, behind };
standing standing_of(const spread& ratio);
std::string_view name_of(standing found);

/// The rate of `map` by that of another row of the cell.
struct row_ratio {
    const bench::candidate* row;
    spread ratio; ///< over the rounds
};

struct judged_goal {
    std::string text;              ///< ">= 1.25 x growt"
    std::optional<spread> found{}; ///< nothing: not measured here
    std::string against{};         ///< the map that the rival turned out to be, if it has a name of its own
    bool met = false;
};

struct limit_standing {
    std::vector<row_ratio> ratios{};         ///< the other rows, the fastest first
    const row_ratio* best_peer = nullptr;    ///< the fastest of other people's maps
    std::vector<judged_goal> goals{};

    std::size_t goals_met() const;
    std::size_t goals_measured() const;
};

/// Of a job of the suite `limits`. The pointers refer to the result itself, and to the outcome.
limit_standing limit_standing_of(const bench_outcome& outcome, std::size_t index);

void print_limits_heading(std::FILE* out, const bench_job& job);
void print_limit_cell(std::FILE* out, const bench_outcome& outcome, std::size_t index);
/// One line for each cell, and the sum.
void print_limits(std::FILE* out, const bench_outcome& outcome);

} // namespace syncmap::tool
