// `syncmap bench`, from a checked job to the verdict.
#pragma once

#include "bench_options.hpp"
#include "exit_status.hpp"

namespace syncmap::tool {

exit_status run_bench(const bench_job& job);

/// Prints what can be chosen.
void list_bench();

} // namespace syncmap::tool
