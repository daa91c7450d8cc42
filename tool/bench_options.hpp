// What `syncmap bench` was asked to do, checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench_mix.hpp"
#include "subject.hpp"
#include "workload.hpp"

namespace syncmap::tool {

/// As typed; empty means "not given".
struct bench_arguments {
    std::string suite;
    std::vector<std::string> workloads;
    std::optional<std::string> mix;
    std::vector<std::string> engines;
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
    std::vector<bench::cell> cells;
    std::vector<const bench::engine*> maps;
    double seconds; ///< for all cells together
    unsigned rounds;
    std::uint64_t seed;
    bool pin;
    std::string json; ///< path, "-" for stdout, empty for none
};

/// Throws `usage_error` for unknown names and impossible sizes, memory that is not there included.
bench_job understand(const bench_arguments& arguments);

} // namespace syncmap::tool
