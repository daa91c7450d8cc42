// Median and spread of interleaved rounds.
#pragma once

#include <vector>

namespace syncmap::tool {

struct spread {
    double median = 0;
    double least = 0;
    double most = 0;
};

/// Of at least one value.
spread spread_of(std::vector<double> values);

/// Round by round a / b: what disturbed a whole round disturbed both, and falls out.
spread paired_ratio(const std::vector<double>& a, const std::vector<double>& b);

} // namespace syncmap::tool
