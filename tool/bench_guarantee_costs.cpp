#include "bench_guarantee_costs.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <syncmap/version.hpp>

#include "foreign_load.hpp"
#include "guarantee_costs.hpp"
#include "machine.hpp"
#include "memory.hpp"
#include "progress.hpp"
#include "statistics.hpp"
#include "units.hpp"
#include "usage_error.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;
using json = nlohmann::ordered_json;

constexpr double most_bytes_per_entry = 100;

std::vector<guarantee_cost> chosen_guarantee_costs(const std::vector<std::string>& names) {
    const auto all = guarantee_costs();
    if (names.empty()) return {all.begin(), all.end()};
    std::vector<guarantee_cost> chosen;
    for (const std::string& name : names) {
        const auto found = std::ranges::find(all, name, &guarantee_cost::name);
        if (found == all.end()) {
            std::vector<std::string_view> known;
            std::ranges::transform(all, std::back_inserter(known), &guarantee_cost::name);
            throw usage_error(
                fmt::format("no cell '{}' in the suite guarantee-costs: it has {}", name, fmt::join(known, ", ")));
        }
        chosen.push_back(*found);
    }
    return chosen;
}

guarantee_plan plan_of(const bench_arguments& arguments) {
    const bool sized = !(arguments.threads.empty() && arguments.key_types.empty() && arguments.distribution.empty() &&
                         arguments.candidates.empty() && arguments.seconds.empty());
    if (sized)
        throw usage_error(
            "--suite guarantee-costs has its own --threads, --key-type, --distribution, --candidate and --seconds");
    if (arguments.keys.size() > 1)
        throw usage_error("--suite guarantee-costs takes one number of --keys: the entries of its largest map");
    guarantee_plan plan{5, 1.0, 1'000'000, 10'000'000, !arguments.no_pin, 1};
    if (arguments.quick) plan = {2, 0.05, 100'000, 1'000'000, plan.pin, 1};
    if (!arguments.keys.empty()) plan.most = whole_number(arguments.keys.front(), "--keys", 1000, 1'000'000'000);
    plan.many = std::min(plan.many, plan.most);
    const double needed = 2 * most_bytes_per_entry * static_cast<double>(plan.most); // `replace` needs two maps
    if (const auto available = available_bytes(); available && needed > static_cast<double>(*available)) {
        throw usage_error(fmt::format("two maps of {} keys would take up to {}, and {} are available: fewer --keys",
                                      with_separators(plan.most), in_bytes(needed), in_bytes(static_cast<double>(*available))));
    }
    if (!arguments.rounds.empty()) plan.rounds = static_cast<unsigned>(whole_number(arguments.rounds, "--rounds", 1, 1000));
    if (!arguments.seed.empty()) plan.seed = whole_number(arguments.seed, "--seed", 0, std::uint64_t{1} << 53);
    return plan;
}

bool is_kept(const guarantee_figure& figure) {
    const double median = spread_of(figure.values).median;
    return figure.at_least ? median >= *figure.bound : median <= *figure.bound;
}

void print(std::FILE* out, const guarantee_figure& figure) {
    const spread found = spread_of(figure.values);
    const std::string goal = figure.bound ? fmt::format("goal {} {:g}: {}", figure.at_least ? ">=" : "<=", *figure.bound,
                                                        is_kept(figure) ? "met" : "not met")
                                          : "";
    fmt::print(out, "  {:<97}{:>9.3f} {:<6}{:>9.3f} - {:<9.3f} {}\n", figure.name, found.median, figure.unit, found.least,
               found.most, goal);
}

json json_of(const guarantee_figure& figure) {
    const spread found = spread_of(figure.values);
    json all = {{"name", figure.name}, {"unit", figure.unit}, {"median", found.median},
                {"min", found.least},  {"max", found.most},   {"rounds", figure.values}};
    if (figure.bound) {
        all["goal"] = {{figure.at_least ? "at_least" : "at_most", *figure.bound}, {"met", is_kept(figure)}};
    }
    return all;
}

} // namespace

exit_status run_guarantee_costs(const bench_arguments& arguments) {
    const std::vector<guarantee_cost> chosen = chosen_guarantee_costs(arguments.cells);
    const guarantee_plan plan = plan_of(arguments);
    const bool json_only = arguments.json == "-";
    std::FILE* const text = json_only ? stderr : stdout;
    std::ofstream file;
    if (!arguments.json.empty() && !json_only) {
        file.open(arguments.json);
        if (!file) throw usage_error(fmt::format("--json: '{}' cannot be written", arguments.json));
    }
    fmt::print(text, "`map` alone, integer keys; {} rounds; median, range\n\n", plan.rounds);
    const auto begin = std::chrono::steady_clock::now();
    progress_bar bar;
    json cells = json::array();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        bar.show(static_cast<double>(i) / static_cast<double>(chosen.size()), chosen[i].name);
        const foreign_load others;
        const std::vector<guarantee_figure> figures = chosen[i].measure(plan);
        const std::optional<double> load = others.share();
        bar.clear();
        fmt::print(text, "[{}/{}] {}: {}{}\n", i + 1, chosen.size(), chosen[i].name, chosen[i].about,
                   load ? fmt::format("; {:.0f} % of the processors went to others", 100 * *load) : "");
        json listed = json::array();
        for (const guarantee_figure& figure : figures) {
            print(text, figure);
            listed.push_back(json_of(figure));
        }
        fmt::print(text, "\n");
        std::fflush(text);
        cells.push_back({{"cell", chosen[i].name},
                         {"about", chosen[i].about},
                         {"foreign_load", load ? json(*load) : json(nullptr)},
                         {"figures", std::move(listed)}});
    }
    if (arguments.json.empty()) return exit_status::fine;
    const machine here = this_machine();
    const json document = {{"tool", "syncmap bench"},
                           {"version", library_version_text},
                           {"suite", guarantee_costs_suite},
                           {"machine",
                            {{"processor", here.processor},
                             {"processors", here.processors},
                             {"memory_bytes", here.memory},
                             {"system", here.system}}},
                           {"compiler", here.compiler},
                           {"flags", here.flags},
                           {"seed", plan.seed},
                           {"rounds", plan.rounds},
                           {"round_seconds", plan.round_seconds},
                           {"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()},
                           {"cells", std::move(cells)}};
    const std::string written = document.dump(2) + '\n';
    if (json_only) {
        std::fputs(written.c_str(), stdout);
    } else if (!(file << written << std::flush)) {
        throw usage_error(fmt::format("--json: '{}' could not be written to the end", arguments.json));
    }
    return exit_status::fine;
}

} // namespace syncmap::tool
