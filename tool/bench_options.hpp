// What `syncmap bench` was asked to do, checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench_mix.hpp"
#include "limits.hpp"
#include "subject.hpp"
#include "workload.hpp"

namespace syncmap::tool {

/// As typed; empty means "not given".
struct bench_arguments {
    std::string suite;
    std::vector<std::string> workloads;
    std::vector<std::string> cells;
    std::optional<std::string> mix;
    std::vector<std::string> candidates;
    std::vector<std::string> keys;
    std::vector<std::string> threads;
    std::vector<std::string> key_types;
    std::string distribution;
    std::string seconds;
    std::string rounds;
    std::string seed;
    std::string json;
    bool quick = false;
    bool no_pin = false;
    bool list = false;
};

struct bench_job {
    std::shared_ptr<const own_mix> mix; ///< where cells refer to, if the workload is the user's own
    std::vector<bench::limit_cell> limits{}; ///< of the suite `limits`: what the cells are
    std::vector<bench::cell> cells;
    std::vector<const bench::candidate*> maps;
    std::optional<double> round_seconds{}; ///< instead of a share of `seconds`
    double seconds; ///< for all cells together
    unsigned rounds;
    std::uint64_t seed;
    bool pin;
    std::string json; ///< path, "-" for stdout, empty for none
};

/// A number such as 1000, 1e6, 250k or 10M; throws `usage_error`.
std::uint64_t whole_number(const std::string& text, std::string_view option, std::uint64_t least, std::uint64_t most);

/// The maps that belong into a cell.
std::vector<const bench::candidate*> maps_for(const bench_job& job, std::size_t index);

/// Throws `usage_error` for unknown names and impossible sizes, memory that is not there included.
bench_job understand(const bench_arguments& arguments);

} // namespace syncmap::tool
