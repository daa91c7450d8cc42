// The measurements behind the promises, one file for each.
#pragma once

#include <vector>

#include "promises.hpp"

namespace syncmap::bench {

std::vector<promised_figure> measure_size_cost(const promise_plan& plan);
std::vector<promised_figure> measure_living_snapshot(const promise_plan& plan);
std::vector<promised_figure> measure_taking_snapshots(const promise_plan& plan);
std::vector<promised_figure> measure_clear(const promise_plan& plan);
std::vector<promised_figure> measure_replace(const promise_plan& plan);

} // namespace syncmap::bench
