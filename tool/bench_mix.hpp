// `--mix`: a workload of the user's own.
#pragma once

#include <memory>
#include <string>

#include "workload.hpp"

namespace syncmap::tool {

struct own_mix {
    std::string about;
    bench::workload what;
};

/// From "loads=80,stores=15,modifies=0,churn=5": what is not named is 0. Throws `usage_error` for unknown names, shares
/// that are no whole percentages, and a sum that is not 100. The workload refers to the text beside it.
std::shared_ptr<const own_mix> understand_mix(const std::string& text);

} // namespace syncmap::tool
