// Named sets of cells.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "workload.hpp"

namespace syncmap::bench {

struct suite {
    std::string_view name;
    std::string_view about;
    double seconds;  ///< for all cells together, unless the user says otherwise
    unsigned rounds; ///< likewise
    std::vector<cell> (*cells)(unsigned processors);
};

std::span<const suite> suites();
const suite* find_suite(std::string_view name);

} // namespace syncmap::bench
