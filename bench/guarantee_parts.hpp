// The measurements behind the promises, one file for each.
#pragma once

#include <vector>

#include "guarantee_costs.hpp"

namespace syncmap::bench {

std::vector<guarantee_figure> measure_size_cost(const guarantee_plan& plan);
std::vector<guarantee_figure> measure_living_snapshot(const guarantee_plan& plan);
std::vector<guarantee_figure> measure_taking_snapshots(const guarantee_plan& plan);
std::vector<guarantee_figure> measure_clear(const guarantee_plan& plan);
std::vector<guarantee_figure> measure_replace(const guarantee_plan& plan);

} // namespace syncmap::bench
