#include "bench_json.hpp"

#include <nlohmann/json.hpp>

#include <syncmap/version.hpp>

#include "bench_limits.hpp"
#include "bench_matrix.hpp"
#include "bench_table.hpp"
#include "bench_verdict.hpp"
#include "machine.hpp"
#include "statistics.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;
using json = nlohmann::ordered_json;

const char* name_of(role part) {
    switch (part) {
    case role::family: return "family";
    case role::dynamic: return "dynamic";
    case role::lock: return "lock";
    case role::peer: return "peer";
    case role::limit: break;
    }
    return "limit";
}

const char* name_of(choice keys) {
    switch (keys) {
    case choice::uniform: return "uniform";
    case choice::zipf: return "zipf";
    case choice::latest: return "latest";
    case choice::own: return "own";
    case choice::single: return "single";
    case choice::absent: break;
    }
    return "absent";
}

json number_or_null(const std::optional<double>& number) { return number ? json(*number) : json(nullptr); }

json latency_json(const histogram& latencies) {
    return {{"samples", latencies.samples()},  {"p50", latencies.quantile(0.5)},     {"p90", latencies.quantile(0.9)},
            {"p99", latencies.quantile(0.99)}, {"p99.9", latencies.quantile(0.999)}, {"p99.99", latencies.quantile(0.9999)},
            {"max", latencies.longest()}};
}

json map_json(const candidate_result& map, const cell& cell, const weight& weight) {
    const spread rate = spread_of(map.rates);
    return {{"candidate", map.map->name},
            {"type", map.map->about},
            {"role", name_of(map.map->part)},
            {"ops_per_second", {{"median", rate.median}, {"min", rate.least}, {"max", rate.most}, {"rounds", map.rates}}},
            {"ns_per_op", 1e9 * cell.threads / rate.median},
            {"latency_ns", latency_json(map.latencies)},
            {"bytes_per_entry", number_or_null(weight.bytes_per_entry)},
            {"bytes_per_entry_mean_of_doubling", number_or_null(weight.mean_bytes)},
            {"wrong_operations", map.wrong},
            {"caveat", map.map->caveat}};
}

json spread_json(const spread& s) { return {{"median", s.median}, {"min", s.least}, {"max", s.most}}; }

json limits_json(const bench_outcome& outcome, std::size_t index) {
    const cell_outcome& cell = outcome.cells[index];
    const limit_standing found = limit_standing_of(outcome, index);
    json ratios = json::object();
    for (const row_ratio& r : found.ratios) {
        ratios[std::string(r.row->name)] = {{"ratio", spread_json(r.ratio)}, {"verdict", name_of(standing_of(r.ratio))}};
    }
    json goals = json::array();
    for (const judged_goal& goal : found.goals) {
        goals.push_back({{"goal", goal.text},
                         {"against", goal.against.empty() ? json(nullptr) : json(goal.against)},
                         {"found", goal.found ? spread_json(*goal.found) : json(nullptr)},
                         {"met", goal.found ? json(goal.met) : json(nullptr)}});
    }
    json figures = json::object();
    for (const figure& f : cell.figures) {
        if (cell.limit->kind == measure::stall) {
            figures[std::string(f.map->name)] = {{"longest_ms", f.first}, {"work_ms", f.second}};
        } else {
            figures[std::string(f.map->name)] = {
                {"empty_bytes", f.first}, {"four_entries_bytes", f.second}, {"forty_entries_bytes", f.third}};
        }
    }
    json weights = json::object();
    if (cell.limit->kind == measure::weight) {
        for (const candidate* const map : outcome.job.maps) {
            const weight w = outcome.weight_of(*map, cell.measured.what);
            if (!w.bytes_per_entry || !cell.limit->has(*map)) continue;
            weights[std::string(map->name)] = {{"bytes_per_entry", *w.bytes_per_entry},
                                               {"bytes_per_entry_mean_of_doubling", number_or_null(w.mean_bytes)},
                                               {"bytes_per_entry_most_of_doubling", number_or_null(w.most_bytes)}};
        }
    }
    return {{"cell", cell.limit->name},
            {"map_by_row", std::move(ratios)},
            {"best_peer", found.best_peer == nullptr ? json(nullptr) : json(found.best_peer->row->name)},
            {"verdict", found.best_peer == nullptr ? json(nullptr) : json(name_of(standing_of(found.best_peer->ratio)))},
            {"goals", std::move(goals)},
            {"figures", std::move(figures)},
            {"weights", std::move(weights)}};
}

json cell_json(const bench_outcome& outcome, std::size_t index) {
    const cell_outcome& cell = outcome.cells[index];
    const bench::cell& what = cell.measured.what;
    json maps = json::array();
    for (const candidate_result& map : cell.measured.maps)
        maps.push_back(map_json(map, what, outcome.weight_of(*map.map, what)));
    json absent = json::array();
    json excluded = json::array();
    for (const candidate_result& map : cell.excluded) {
        excluded.push_back({{"candidate", map.map->name},
                            {"why", "answers wrongly"},
                            {"wrong_operations", map.wrong},
                            {"caveat", map.map->caveat}});
    }
    for (const left_out& out : cell.measured.absent) {
        (out.failed ? excluded : absent).push_back({{"candidate", out.map->name}, {"why", out.why}});
    }
    json found = {{"workload", what.what->name},
                  {"about", what.what->about},
                  {"decision_matrix_row", row_of(what).name},
                  {"distribution", name_of(what.chosen())},
                  {"key_type", what.kind == key_kind::integer ? "integer" : "string"},
                  {"keys", what.keys},
                  {"threads", what.threads},
                  {"round_seconds", cell.measured.round_seconds},
                  {"foreign_load", number_or_null(cell.measured.foreign_load)},
                  {"maps", std::move(maps)},
                  {"excluded", std::move(excluded)},
                  {"left_out", std::move(absent)}};
    if (cell.limit != nullptr) found["limits"] = limits_json(outcome, index);
    return found;
}

json row_json(const row_standing& standing) {
    const auto name_or_null = [](const row_entry* entry) { return entry == nullptr ? json(nullptr) : json(entry->map->name); };
    json cells = json::array();
    for (const cell_outcome* const cell : standing.cells) cells.push_back(short_name(cell->measured.what));
    json enough = json::array();
    for (const row_entry* const entry : standing.enough()) enough.push_back(entry->map->name);
    json maps = json::array();
    for (const row_entry& entry : standing.maps) {
        maps.push_back(
            {{"candidate", entry.map->name},
             {"ops_per_second", entry.rate},
             {"to_best", {{"median", entry.to_best.median}, {"min", entry.to_best.least}, {"max", entry.to_best.most}}},
             {"bytes_per_entry", number_or_null(entry.bytes_per_entry)},
             {"cells_within_10_percent_of_best", entry.near_best}});
    }
    return {{"row", standing.row->name},
            {"rule", standing.row->rule},
            {"rule_of_thumb", standing.row->thumb},
            {"cells", std::move(cells)},
            {"best", name_or_null(standing.best_own())},
            {"next", name_or_null(standing.next_own())},
            {"simpler_and_enough", std::move(enough)},
            {"maps", std::move(maps)}};
}

} // namespace

std::string to_json(const bench_outcome& outcome) {
    const machine here = this_machine();
    json cells = json::array();
    for (std::size_t i = 0; i < outcome.cells.size(); ++i) cells.push_back(cell_json(outcome, i));
    json document = {{"tool", "syncmap bench"},
                     {"version", library_version_text},
                     {"machine",
                      {{"processor", here.processor},
                       {"processors", here.processors},
                       {"memory_bytes", here.memory},
                       {"system", here.system}}},
                     {"compiler", here.compiler},
                     {"flags", here.flags},
                     {"commit", here.commit.empty() ? json(nullptr) : json(here.commit)},
                     {"seed", outcome.job.seed},
                     {"rounds", outcome.job.rounds},
                     {"pinned", outcome.job.pin},
                     {"seconds", outcome.seconds},
                     {"cells", std::move(cells)}};
    if (outcome.job.limits.empty()) {
        json rows = json::array();
        for (const row_standing& standing : row_standings(outcome)) rows.push_back(row_json(standing));
        document["decision_matrix"] = std::move(rows);
        document["verdict"] = verdict(outcome);
    }
    return document.dump(2) + '\n';
}

} // namespace syncmap::tool
