#include "cache_suite.hpp"

#include <array>

namespace syncmap::bench {
namespace {

constexpr std::array catalogue{
    guarantee_cost{"reads", "hits in a full cache, Zipf 0.99, statistics on, by the reads of map with the same entries",
                   measure_cache_reads},
    guarantee_cost{"puts", "puts of new keys into a full cache, by pairs of an insert and an erase in map", measure_cache_puts},
    guarantee_cost{"deadlines", "puts of new keys with a lifetime, by pairs of an insert and an erase in map",
                   measure_cache_deadlines},
    guarantee_cost{"mix", "get, and on a miss put: Zipf 0.99, ten times as many keys as the capacity", measure_cache_mix},
};

} // namespace

std::span<const guarantee_cost> cache_costs() { return catalogue; }

} // namespace syncmap::bench
