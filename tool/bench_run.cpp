#include "bench_run.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "bench_figures.hpp"
#include "bench_json.hpp"
#include "bench_limits.hpp"
#include "bench_matrix.hpp"
#include "bench_outcome.hpp"
#include "bench_table.hpp"
#include "bench_verdict.hpp"
#include "candidate_groups.hpp"
#include "footprint.hpp"
#include "matrix.hpp"
#include "progress.hpp"
#include "stall.hpp"
#include "suite.hpp"
#include "units.hpp"
#include "usage_error.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

class bench_run {
public:
    explicit bench_run(const bench_job& job) : json_only_(job.json == "-"), text_(json_only_ ? stderr : stdout) {
        outcome_.job = job;
        if (job.json.empty() || json_only_) return;
        json_file_.open(job.json); // now, not after a minute's work
        if (!json_file_) throw usage_error(fmt::format("--json: '{}' cannot be written", job.json));
    }

    exit_status run() {
        const bool limits = !outcome_.job.limits.empty();
        print_heading(text_, outcome_.job);
        for (std::size_t i = 0; i < outcome_.job.cells.size(); ++i) try_all(i); // first: they want a young process
        for (std::size_t i = 0; i < outcome_.cells.size(); ++i) {
            measure(i);
            bar_.clear();
            limits ? print_limit_cell(text_, outcome_, i) : print_cell(text_, outcome_, i);
        }
        outcome_.seconds = elapsed();
        if (limits) {
            print_limits(text_, outcome_);
        } else {
            print_matrix(text_, row_standings(outcome_));
            fmt::print(text_, "{}", verdict(outcome_));
        }
        write_json();
        return outcome_.own_maps_failed() ? exit_status::findings : exit_status::fine;
    }

private:
    double elapsed() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

    void try_all(std::size_t index) {
        const cell& cell = outcome_.job.cells[index];
        cell_outcome tried{};
        tried.measured.what = cell;
        if (!outcome_.job.limits.empty()) tried.limit = &outcome_.job.limits[index];
        for (const candidate* const map : maps_for(outcome_.job, index)) {
            if (const std::string_view why = map->unfit_for(cell); !why.empty()) {
                const bool asked = map->part != role::limit && (cell.kind != key_kind::integer || map->integers != nullptr);
                if (asked) tried.measured.absent.push_back({map, std::string(why), false});
                continue;
            }
            bar_.show(0, fmt::format("trying {} on {}", map->name, cell.what->name));
            const bool weighs = tried.limit == nullptr || tried.limit->kind == measure::weight;
            const auto [weighed, added] = outcome_.weights.try_emplace({map->name, cell.kind, cell.keys});
            const bool first = weighs && (added || !weighed->second.bytes_per_entry);
            const smoke_result result = try_out(*map, cell, first);
            if (!result.failure.empty()) {
                tried.measured.absent.push_back({map, result.failure});
                if (added) outcome_.weights.erase(weighed);
            } else if (first) {
                weighed->second = {result.bytes_per_entry, result.mean_bytes, result.most_bytes};
            }
        }
        outcome_.cells.push_back(std::move(tried));
    }

    void measure(std::size_t index) {
        cell_outcome& cell = outcome_.cells[index];
        const bench::cell what = cell.measured.what;
        const std::vector<left_out> absent = std::move(cell.measured.absent);
        std::vector<const candidate*> taking_part;
        for (const candidate* const map : maps_for(outcome_.job, index)) {
            const bool failed = std::ranges::find(absent, map, &left_out::map) != absent.end();
            if (!failed && map->unfit_for(what).empty()) taking_part.push_back(map);
        }
        if (cell.limit != nullptr && cell.limit->kind != measure::rate && cell.limit->kind != measure::tail) {
            cell.measured.absent = absent;
            for (const candidate* const map : taking_part) look_at(*map, cell);
            return;
        }
        const auto left = static_cast<double>(outcome_.cells.size() - index);
        const unsigned rounds =
            cell.limit != nullptr && what.what->single_pass() ? std::min(3U, outcome_.job.rounds) : outcome_.job.rounds;
        const plan plan{rounds, std::max(0.0, outcome_.job.seconds - elapsed()) / left, outcome_.job.pin, outcome_.job.seed,
                        outcome_.job.round_seconds};
        const auto all = static_cast<double>(outcome_.cells.size());
        const auto report = [&](double share, std::string_view map) {
            bar_.show((static_cast<double>(index) + share) / all, fmt::format("{}: {}", what.what->name, map));
        };
        cell_result found = run_contest(what, taking_part, plan, report);
        // What others disturbed is measured once more; of both the less disturbed counts.
        const auto load = [](const cell_result& result) { return result.foreign_load.value_or(0); };
        if (cell.limit != nullptr && load(found) >= disturbing_load) {
            cell_result again = run_contest(what, taking_part, plan, report);
            if (load(again) < load(found)) found = std::move(again);
        }
        cell.take(std::move(found));
        cell.measured.absent.insert(cell.measured.absent.begin(), absent.begin(), absent.end());
    }

    /// What a cell of the suite `limits` has that is no contest; weights are known from the try.
    void look_at(const candidate& map, cell_outcome& cell) {
        bar_.show(0, fmt::format("{}: {}", cell.limit->name, map.name));
        if (cell.limit->kind == measure::stall) {
            const stall_result found = measure_stall(map, cell.measured.what, outcome_.job.pin);
            if (!found.failure.empty()) {
                cell.measured.absent.push_back({&map, found.failure});
            } else {
                cell.figures.push_back({&map, found.longest, found.work});
            }
        } else if (cell.limit->kind == measure::footprint) {
            const std::optional<footprint> found = measure_footprint(map);
            if (found && !found->failure.empty()) cell.measured.absent.push_back({&map, found->failure});
            if (found && found->failure.empty()) cell.figures.push_back({&map, found->empty, found->four, found->forty});
        }
    }

    void write_json() {
        if (outcome_.job.json.empty()) return;
        std::ostream& out = json_only_ ? std::cout : json_file_;
        out << to_json(outcome_) << std::flush;
        if (!out) throw usage_error(fmt::format("--json: '{}' could not be written to the end", outcome_.job.json));
    }

    bool json_only_;
    std::FILE* text_;
    std::ofstream json_file_{};
    bench_outcome outcome_{};
    progress_bar bar_{};
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace

exit_status run_bench(const bench_job& job) { return bench_run(job).run(); }

void list_bench() {
    fmt::print("Workloads:\n");
    for (const workload& w : workloads()) fmt::print("  {:<16}{}\n", w.name, w.about);
    fmt::print("Suites:\n");
    for (const suite& s : suites()) fmt::print("  {:<16}{}\n", s.name, s.about);
    for (const figure_suite& s : figure_suites()) fmt::print("  {:<16}{}\n", s.name, s.about);
    fmt::print("Candidates:\n");
    for (const candidate& e : candidates()) fmt::print("  {:<18}{}\n", e.name, e.about);
    fmt::print("Groups of candidates:\n");
    for (const candidate_group& group : candidate_groups()) {
        std::vector<std::string_view> names;
        for (const candidate& e : candidates()) {
            if (group.has(e)) names.push_back(e.name);
        }
        fmt::print("  {:<18}{}: {}\n", group.name, group.about,
                   names.empty() ? "none found" : fmt::format("{}", fmt::join(names, ", ")));
    }
    fmt::print("Rows of the decision matrix; a cell belongs to the first whose rule it meets:\n");
    for (const matrix_row& row : matrix()) fmt::print("  {:<58}{}\n", row.name, row.rule);
}

} // namespace syncmap::tool
