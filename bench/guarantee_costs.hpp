// What the whole-map operations promise in figures: measured on `map` alone, each against itself without the operation.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace syncmap::bench {

struct guarantee_plan {
    unsigned rounds;
    double round_seconds; ///< of one side of a comparison
    std::uint64_t many;   ///< entries of a map that is larger than the caches
    std::uint64_t most;   ///< entries of the largest
    bool pin;
    std::uint64_t seed;
};

struct guarantee_figure {
    std::string name;
    std::string_view unit;
    std::vector<double> values;    ///< one for each round
    std::optional<double> bound{}; ///< of the median, where one is promised
    bool at_least = false;         ///< the bound is a lower one
};

struct guarantee_cost {
    std::string_view name;
    std::string_view about;
    std::vector<guarantee_figure> (*measure)(const guarantee_plan& plan);
};

std::span<const guarantee_cost> guarantee_costs();

} // namespace syncmap::bench
