// `syncmap bench --suite guarantee_costs`: what the whole-map operations promise in figures.
#pragma once

#include "bench_options.hpp"
#include "exit_status.hpp"

namespace syncmap::tool {

inline constexpr std::string_view guarantee_costs_suite = "guarantee-costs";

/// Throws `usage_error` for options that this suite has not got.
exit_status run_guarantee_costs(const bench_arguments& arguments);

} // namespace syncmap::tool
