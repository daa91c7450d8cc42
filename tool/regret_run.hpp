// `syncmap regret`: what `syncmap::cache` hits less than the best of thirteen policies.
#pragma once

#include <string>
#include <vector>

#include "exit_status.hpp"

namespace syncmap::tool {

/// As typed; empty means "not given".
struct regret_arguments {
    std::string file;
    std::vector<std::string> capacities;
    std::string format;
    std::string seed;
    std::string kind;
    bool second = false; ///< the second family of made requests
};

/// Throws `usage_error` for what cannot be read or replayed. Returns `findings` if the cache had more entries than its
/// capacity, or counted other hits than there were.
exit_status run_regret(const regret_arguments& arguments);

} // namespace syncmap::tool
