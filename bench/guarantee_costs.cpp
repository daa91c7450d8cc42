#include "guarantee_costs.hpp"

#include <array>

#include "guarantee_parts.hpp"

namespace syncmap::bench {
namespace {

constexpr std::array catalogue{
    guarantee_cost{"size-cost",
                   "the speed of other operations with the accounting for size(), by that of the same engine without it",
                   measure_size_cost},
    guarantee_cost{"snapshot-alive", "the speed of a writer and a reader while a snapshot is alive, by that without one",
                   measure_living_snapshot},
    guarantee_cost{"snapshot-taking", "how long taking and dropping a snapshot takes", measure_taking_snapshots},
    guarantee_cost{"clear", "how long after the call of clear() another thread sees the map empty", measure_clear},
    guarantee_cost{"replace", "how long the reads of another thread take across replace()", measure_replace},
};

} // namespace

std::span<const guarantee_cost> guarantee_costs() { return catalogue; }

} // namespace syncmap::bench
