// A look at one map before the contest, in a process of its own: how much memory an entry takes, and
// whether the map survives the workload at all.
#pragma once

#include <optional>
#include <string>

#include "subject.hpp"

namespace syncmap::bench {

struct smoke_result {
    std::string failure{};                     ///< empty, or what went wrong, in words
    std::optional<double> bytes_per_entry{};   ///< at the cell's number of keys
    std::optional<double> mean_bytes{};        ///< mean over a doubling of it, as tables grow in steps
    std::optional<double> most_bytes{};        ///< the most in that doubling
};

/// Forks; call it while the process has one thread, and before its heap holds much.
smoke_result try_out(const candidate& map, const cell& cell, bool measure_memory);

} // namespace syncmap::bench
