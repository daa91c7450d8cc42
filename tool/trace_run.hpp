// `syncmap trace`: the hits that `syncmap::cache` and other policies have on a recorded trace.
#pragma once

#include <string>
#include <vector>

#include "exit_status.hpp"

namespace syncmap::tool {

/// As typed; empty means "not given".
struct trace_arguments {
    std::string file;
    std::vector<std::string> capacities;
    std::string format;
    std::vector<std::string> threads;
    std::vector<std::string> also; ///< plain policies beside the cache's own
    std::string name;
    std::string json;
};

/// Throws `usage_error` for what cannot be read or replayed. Returns `findings` if the cache had more entries than its
/// capacity, or counted other hits than there were.
exit_status run_trace(const trace_arguments& arguments);

} // namespace syncmap::tool
