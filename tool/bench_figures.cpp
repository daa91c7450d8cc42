#include "bench_figures.hpp"

#include <algorithm>
#include <array>
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

#include "bench_outcome.hpp"
#include "cache_suite.hpp"
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

/// A suite with what it measures.
struct measured_suite {
    figure_suite names;
    std::string_view heading;
    std::span<const guarantee_cost> (*cells)();
    guarantee_plan usual;
    guarantee_plan quick;
    double most_bytes_per_entry; ///< of its largest cell
    bool has_verdict;
};

const std::array catalogue{
    measured_suite{{"guarantee-costs",
                    "map against what is promised of size, snapshots, clear and replace: about six minutes (see --cell)"},
                   "`map` alone, integer keys",
                   guarantee_costs,
                   {5, 1.0, 1'000'000, 10'000'000, true, 1},
                   {2, 0.05, 100'000, 1'000'000, true, 1},
                   200, // `replace` needs two maps
                   false},
    measured_suite{{"cache", "syncmap::cache when it is full, beside map and other caches: about four minutes (see --cell)"},
                   "`cache` when it is full, beside `map` and other caches; statistics on; interleaved",
                   cache_costs,
                   {5, 0.5, 100'000, 1'000'000, true, 1},
                   {2, 0.05, 10'000, 100'000, true, 1},
                   600, // four caches of one size
                   true},
};

const measured_suite* find_measured(std::string_view name) {
    const auto found = std::ranges::find(catalogue, name, [](const measured_suite& s) { return s.names.name; });
    return found == catalogue.end() ? nullptr : &*found;
}

std::vector<guarantee_cost> chosen_cells(const measured_suite& suite, const std::vector<std::string>& names) {
    const auto all = suite.cells();
    if (names.empty()) return {all.begin(), all.end()};
    std::vector<guarantee_cost> chosen;
    for (const std::string& name : names) {
        const auto found = std::ranges::find(all, name, &guarantee_cost::name);
        if (found == all.end()) {
            std::vector<std::string_view> known;
            std::ranges::transform(all, std::back_inserter(known), &guarantee_cost::name);
            throw usage_error(
                fmt::format("no cell '{}' in the suite {}: it has {}", name, suite.names.name, fmt::join(known, ", ")));
        }
        chosen.push_back(*found);
    }
    return chosen;
}

guarantee_plan plan_of(const measured_suite& suite, const bench_arguments& arguments) {
    const bool sized = !(arguments.threads.empty() && arguments.key_types.empty() && arguments.distribution.empty() &&
                         arguments.candidates.empty() && arguments.seconds.empty());
    if (sized)
        throw usage_error(fmt::format("--suite {} has its own --threads, --key-type, --distribution, --candidate and --seconds",
                                      suite.names.name));
    if (arguments.keys.size() > 1)
        throw usage_error(
            fmt::format("--suite {} takes one number of --keys: the entries of its largest map", suite.names.name));
    guarantee_plan plan = arguments.quick ? suite.quick : suite.usual;
    plan.pin = !arguments.no_pin;
    if (!arguments.keys.empty()) plan.most = whole_number(arguments.keys.front(), "--keys", 1000, 1'000'000'000);
    plan.many = std::min(plan.many, plan.most);
    const double needed = suite.most_bytes_per_entry * static_cast<double>(plan.most);
    if (const auto available = available_bytes(); available && needed > static_cast<double>(*available)) {
        throw usage_error(fmt::format("--suite {} with {} keys would take up to {}, and {} are available: fewer --keys",
                                      suite.names.name, with_separators(plan.most), in_bytes(needed),
                                      in_bytes(static_cast<double>(*available))));
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

/// What the goals say in the end: how many are met, and which are not.
class figure_verdict {
public:
    void add(const guarantee_figure& figure) {
        if (!figure.bound) return;
        ++goals_;
        if (is_kept(figure)) return;
        missed_.push_back(fmt::format("{}: {:.2f}, goal {} {:g}", figure.name, spread_of(figure.values).median,
                                      figure.at_least ? ">=" : "<=", *figure.bound));
    }
    void disturbed_by(double load) { worst_load_ = std::max(worst_load_, load); }

    std::vector<std::string> lines() const {
        std::vector<std::string> all{
            fmt::format("{} of {} goals {} met", goals_ - missed_.size(), goals_, goals_ == 1 ? "is" : "are")};
        for (const std::string& one : missed_) all.push_back("behind its goal: " + one);
        if (worst_load_ >= disturbing_load)
            all.push_back(
                fmt::format("do not trust these figures far: other programs took up to {:.0f} % of the processors meanwhile",
                            100 * worst_load_));
        return all;
    }

private:
    std::size_t goals_ = 0;
    std::vector<std::string> missed_;
    double worst_load_ = 0;
};

} // namespace

std::span<const figure_suite> figure_suites() {
    static const auto names = [] {
        std::array<figure_suite, catalogue.size()> all;
        std::ranges::transform(catalogue, all.begin(), &measured_suite::names);
        return all;
    }();
    return names;
}

bool is_figure_suite(std::string_view name) { return find_measured(name) != nullptr; }

exit_status run_figures(const bench_arguments& arguments) {
    if (arguments.mix || !arguments.workloads.empty())
        throw usage_error(fmt::format("--suite {} excludes --mix and --workload", arguments.suite));
    const measured_suite& suite = *find_measured(arguments.suite);
    const std::vector<guarantee_cost> chosen = chosen_cells(suite, arguments.cells);
    const guarantee_plan plan = plan_of(suite, arguments);
    const bool json_only = arguments.json == "-";
    std::FILE* const text = json_only ? stderr : stdout;
    std::ofstream file;
    if (!arguments.json.empty() && !json_only) {
        file.open(arguments.json);
        if (!file) throw usage_error(fmt::format("--json: '{}' cannot be written", arguments.json));
    }
    fmt::print(text, "{}; {} round{}; median, range\n\n", suite.heading, plan.rounds, plan.rounds == 1 ? "" : "s");
    const auto begin = std::chrono::steady_clock::now();
    progress_bar bar;
    json cells = json::array();
    figure_verdict verdict;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        bar.show(static_cast<double>(i) / static_cast<double>(chosen.size()), chosen[i].name);
        const foreign_load others;
        const std::vector<guarantee_figure> figures = chosen[i].measure(plan);
        const std::optional<double> load = others.share();
        bar.clear();
        verdict.disturbed_by(load.value_or(0));
        fmt::print(text, "[{}/{}] {}: {}{}\n", i + 1, chosen.size(), chosen[i].name, chosen[i].about,
                   load ? fmt::format("; {:.0f} % of the processors went to others", 100 * *load) : "");
        json listed = json::array();
        for (const guarantee_figure& figure : figures) {
            print(text, figure);
            verdict.add(figure);
            listed.push_back(json_of(figure));
        }
        fmt::print(text, "\n");
        std::fflush(text);
        cells.push_back({{"cell", chosen[i].name},
                         {"about", chosen[i].about},
                         {"foreign_load", load ? json(*load) : json(nullptr)},
                         {"figures", std::move(listed)}});
    }
    if (suite.has_verdict) {
        fmt::print(text, "Verdict\n");
        for (const std::string& line : verdict.lines()) fmt::print(text, "  {}\n", line);
    }
    if (arguments.json.empty()) return exit_status::fine;
    const machine here = this_machine();
    json document = {{"tool", "syncmap bench"},
                     {"version", library_version_text},
                     {"suite", suite.names.name},
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
    if (suite.has_verdict) document["verdict"] = verdict.lines();
    const std::string written = document.dump(2) + '\n';
    if (json_only) {
        std::fputs(written.c_str(), stdout);
    } else if (!(file << written << std::flush)) {
        throw usage_error(fmt::format("--json: '{}' could not be written to the end", arguments.json));
    }
    return exit_status::fine;
}

} // namespace syncmap::tool
