#include "regret_run.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "bench_options.hpp"
#include "hit_models.hpp"
#include "policy_models.hpp"
#include "replay.hpp"
#include "synthetic_traces.hpp"
#include "trace_file.hpp"
#include "units.hpp"
#include "usage_error.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

class regret_table {
public:
    void add(const std::string& name, const trace& requests, std::size_t capacity) {
        if (cells_ == 0) print_heading();
        add_row(name, requests, capacity);
        ++cells_;
    }
    exit_status end() const {
        if (cells_ == 0) throw usage_error("--kind: no kind of made requests has this text in its name");
        fmt::print("\nmean regret {:.2f}, worst {:.2f}, of {} cells\n", sum_ / cells_, worst_, cells_);
        if (is_wrong_) fmt::print("wrong: the cache was too large, or its statistics or values do not add up\n");
        return is_wrong_ ? exit_status::findings : exit_status::fine;
    }

private:
    static void print_heading() {
        fmt::print(
            "Hits in per cent of all requests, one thread, from an empty start. Regret: what the best of the thirteen has "
            "more than the cache.\n\n{:<56}{:>9}{:>8}",
            "requests", "capacity", "cache");
        for (const policy_model& m : thirteen_policies()) fmt::print("{:>9}", m.name);
        fmt::print("{:>9}{:>8}\n", "optimum", "regret");
    }
    void add_row(const std::string& name, const trace& requests, std::size_t capacity) {
        const auto percent = [&](std::uint64_t hits) {
            return 100 * static_cast<double>(hits) / static_cast<double>(requests.requests.size());
        };
        const replay_result found = replay(requests, capacity, 1);
        is_wrong_ |= found.is_wrong || found.most_seen > capacity;
        const double own = percent(requests.requests.size() - found.loads);
        fmt::print("{:<56}{:>9}{:>8.2f}", name, with_separators(capacity), own);
        double best = 0;
        for (const policy_model& m : thirteen_policies()) {
            const double hits = percent(m.hits(requests, capacity));
            best = std::max(best, hits);
            fmt::print("{:>9.2f}", hits);
        }
        const double regret = std::max(0.0, best - own);
        fmt::print("{:>9.2f}{:>8.2f}\n", percent(optimal_hits(requests, capacity)), regret);
        std::fflush(stdout);
        sum_ += regret;
        worst_ = std::max(worst_, regret);
    }

    double sum_ = 0;
    double worst_ = 0;
    int cells_ = 0;
    bool is_wrong_ = false;
};

} // namespace

exit_status run_regret(const regret_arguments& arguments) {
    regret_table table;
    if (arguments.file.empty()) {
        if (!arguments.capacities.empty() || !arguments.format.empty())
            throw usage_error("--capacity and --format belong to a FILE");
        const std::uint64_t seed = arguments.seed.empty() ? 1 : whole_number(arguments.seed, "--seed", 0, most_capacity);
        for (const synthetic_cell& cell : arguments.second ? second_family() : synthetic_family()) {
            if (cell.kind.find(arguments.kind) == std::string::npos) continue;
            table.add(cell.kind + ", " + cell.parameters, cell.make(cell, seed), cell.capacity);
        }
        return table.end();
    }
    if (!arguments.seed.empty() || !arguments.kind.empty() || arguments.second)
        throw usage_error("--seed, --kind and --second belong to made requests");
    if (arguments.capacities.empty()) throw usage_error("--capacity: a FILE needs one");
    std::vector<std::uint64_t> capacities;
    for (const std::string& text : arguments.capacities)
        capacities.push_back(whole_number(text, "--capacity", 1, most_capacity));
    const trace recorded =
        read_trace(arguments.file, arguments.format.empty() ? trace_format::lines : trace_format_of(arguments.format));
    for (const std::uint64_t capacity : capacities) table.add(arguments.file, recorded, capacity);
    return table.end();
}

} // namespace syncmap::tool
