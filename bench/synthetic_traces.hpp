// Traces that are made, not recorded: kinds of requests at which policies are known to fail, each with a capacity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trace.hpp"

namespace syncmap::bench {

/// A cell of the family.
struct synthetic_cell {
    std::string kind;
    std::string parameters;
    std::size_t capacity;
    bench::trace (*make)(const synthetic_cell& of, std::uint64_t seed);
    double shape = 0;       ///< what the kind makes of it: an exponent, or a share
    std::uint32_t keys = 0; ///< among so many, about
};

/// The same for the same seed, on each machine.
std::vector<synthetic_cell> synthetic_family();
/// Of other kinds, sizes and parameters, to see whether the policy is fitted to those of the first.
std::vector<synthetic_cell> second_family();

} // namespace syncmap::bench
