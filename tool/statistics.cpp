#include "statistics.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace syncmap::tool {

spread spread_of(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    const double median = values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return {median, values.front(), values.back()};
}

spread paired_ratio(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> ratios(a.size());
    std::ranges::transform(a, b, ratios.begin(), [](double x, double y) { return x / y; });
    return spread_of(std::move(ratios));
}

} // namespace syncmap::tool
