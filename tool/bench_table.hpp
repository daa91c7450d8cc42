// The measurement as text for people.
#pragma once

#include <cstdio>
#include <string>

#include "bench_outcome.hpp"

namespace syncmap::tool {

void print_heading(std::FILE* out, const bench_job& job);
void print_cell(std::FILE* out, const bench_outcome& outcome, std::size_t index);
/// The maps that have no rank in a cell, and why.
void print_excluded(std::FILE* out, const cell_outcome& cell);

/// One line that names a cell: workload, keys, threads.
std::string describe(const bench::cell& cell);
/// A word or two: read-100 100k/2T.
std::string short_name(const bench::cell& cell);

} // namespace syncmap::tool
