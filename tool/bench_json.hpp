// The measurement as JSON, for programs.
#pragma once

#include <string>

#include "bench_outcome.hpp"

namespace syncmap::tool {

std::string to_json(const bench_outcome& outcome);

} // namespace syncmap::tool
