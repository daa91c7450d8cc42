// The closing lines: for each row of the decision matrix what to use, and then what to keep in mind.
#pragma once

#include <string>

#include "bench_outcome.hpp"

namespace syncmap::tool {

/// Several lines, each with its end.
std::string verdict(const bench_outcome& outcome);

} // namespace syncmap::tool
