// The closing sentences: what won, by how much, and when the plain mutex is enough.
#pragma once

#include <string>

#include "bench_outcome.hpp"

namespace syncmap::tool {

std::string verdict(const bench_outcome& outcome);

} // namespace syncmap::tool
