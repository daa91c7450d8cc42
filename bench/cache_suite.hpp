// The suite `cache`: a full `syncmap::cache` beside the same map, and beside the caches that people use else.
#pragma once

#include <span>
#include <vector>

#include "guarantee_costs.hpp"

namespace syncmap::bench {

std::span<const guarantee_cost> cache_costs();

std::vector<guarantee_figure> measure_cache_reads(const guarantee_plan& plan);
std::vector<guarantee_figure> measure_cache_puts(const guarantee_plan& plan);
std::vector<guarantee_figure> measure_cache_deadlines(const guarantee_plan& plan);
std::vector<guarantee_figure> measure_cache_mix(const guarantee_plan& plan);

} // namespace syncmap::bench
