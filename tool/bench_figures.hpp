// The suites of `syncmap bench` that are lists of figures with goals, not maps in a ranking: `guarantee-costs` and `cache`.
#pragma once

#include <span>
#include <string_view>

#include "bench_options.hpp"
#include "exit_status.hpp"

namespace syncmap::tool {

struct figure_suite {
    std::string_view name;
    std::string_view about;
};
std::span<const figure_suite> figure_suites();

bool is_figure_suite(std::string_view name);

/// The suite that `arguments` name, which is one of these. Throws `usage_error` for options that it has not got.
exit_status run_figures(const bench_arguments& arguments);

} // namespace syncmap::tool
