#include "bench_json.hpp"

#include <nlohmann/json.hpp>

#include <syncmap/version.hpp>

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

json number_or_null(const std::optional<double>& number) {
    return number ? json(*number) : json(nullptr);
}

json latency_json(const histogram& latencies) {
    return {{"samples", latencies.samples()},          {"p50", latencies.quantile(0.5)},
            {"p90", latencies.quantile(0.9)},          {"p99", latencies.quantile(0.99)},
            {"p99.9", latencies.quantile(0.999)},      {"p99.99", latencies.quantile(0.9999)},
            {"max", latencies.longest()}};
}

json map_json(const engine_result& map, const cell& cell, const weight& weight) {
    const spread rate = spread_of(map.rates);
    return {{"engine", map.map->name},
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

json cell_json(const bench_outcome& outcome, const cell_outcome& cell) {
    const bench::cell& what = cell.measured.what;
    json maps = json::array();
    for (const engine_result& map : cell.measured.maps) maps.push_back(map_json(map, what, outcome.weight_of(*map.map, what)));
    json absent = json::array();
    for (const left_out& out : cell.measured.absent) absent.push_back({{"engine", out.map->name}, {"why", out.why}});
    return {{"workload", what.what->name},
            {"about", what.what->about},
            {"decision_matrix_row", what.what->matrix_row},
            {"distribution", name_of(what.chosen())},
            {"key_type", what.kind == key_kind::integer ? "integer" : "string"},
            {"keys", what.keys},
            {"threads", what.threads},
            {"round_seconds", cell.measured.round_seconds},
            {"foreign_load", number_or_null(cell.measured.foreign_load)},
            {"maps", std::move(maps)},
            {"left_out", std::move(absent)}};
}

} // namespace

std::string to_json(const bench_outcome& outcome) {
    const machine here = this_machine();
    json cells = json::array();
    for (const cell_outcome& cell : outcome.cells) cells.push_back(cell_json(outcome, cell));
    const json document = {{"tool", "syncmap bench"},
                           {"version", library_version_text},
                           {"machine",
                            {{"processor", here.processor},
                             {"processors", here.processors},
                             {"memory_bytes", here.memory},
                             {"system", here.system}}},
                           {"compiler", here.compiler},
                           {"flags", here.flags},
                           {"seed", outcome.job.seed},
                           {"rounds", outcome.job.rounds},
                           {"pinned", outcome.job.pin},
                           {"seconds", outcome.seconds},
                           {"cells", std::move(cells)},
                           {"verdict", verdict(outcome)}};
    return document.dump(2) + '\n';
}

} // namespace syncmap::tool
