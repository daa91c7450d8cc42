#include "bench_options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "candidate_groups.hpp"
#include "contest.hpp"
#include "memory.hpp"
#include "suite.hpp"
#include "thread_team.hpp"
#include "units.hpp"
#include "usage_error.hpp"

namespace syncmap::tool {

using namespace syncmap::bench;

namespace {

constexpr unsigned most_threads = 1024;
constexpr std::uint64_t most_keys = std::uint64_t{1} << 60;
constexpr std::uint64_t usual_keys = 100'000;
constexpr double share_of_memory = 0.9;

/// A number such as 1000, 1e6, 250k or 10M.
double number(const std::string& text, std::string_view option) {
    double value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view suffix(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
    const double unit = suffix.empty()                   ? 1
                        : suffix == "k" || suffix == "K" ? 1e3
                        : suffix == "m" || suffix == "M" ? 1e6
                        : suffix == "g" || suffix == "G" ? 1e9
                                                         : 0;
    if (error != std::errc() || unit == 0 || !std::isfinite(value)) {
        throw usage_error(fmt::format("{}: '{}' is not a number", option, text));
    }
    return value * unit;
}

key_kind key_type(const std::string& name) {
    if (name == "integer") return key_kind::integer;
    if (name == "string") return key_kind::string;
    throw usage_error(fmt::format("--key-type: '{}' is neither integer nor string", name));
}

std::optional<choice> distribution(const std::string& name) {
    if (name.empty()) return std::nullopt;
    if (name == "uniform") return choice::uniform;
    if (name == "zipf") return choice::zipf;
    if (name == "own") return choice::own;
    throw usage_error(fmt::format("--distribution: '{}' is none of uniform, zipf, own", name));
}

constexpr std::string_view limits_suite = "limits";

const suite& chosen_suite(const bench_arguments& arguments) {
    if (arguments.suite == limits_suite) return *find_suite(limits_suite);
    if (!arguments.cells.empty()) throw usage_error("--cell belongs to --suite limits, guarantee-costs and cache");
    if (arguments.quick && !arguments.suite.empty()) throw usage_error("--quick and --suite exclude each other");
    const std::string name = arguments.quick ? "quick" : arguments.suite.empty() ? "default" : arguments.suite;
    if (const suite* const found = find_suite(name)) return *found;
    throw usage_error(fmt::format("no suite '{}' (syncmap bench --list tells what there is)", name));
}

std::vector<cell> chosen_workloads(const std::vector<std::string>& names) {
    std::vector<cell> cells;
    for (const std::string& name : names) {
        const workload* const found = find_workload(name);
        if (found == nullptr)
            throw usage_error(fmt::format("no workload '{}' (syncmap bench --list tells what there is)", name));
        cells.push_back({found, usual_keys, usable_processors()});
    }
    return cells;
}

/// Every given value in place of the cell's own; the cells as they are when none is given.
template <class T>
std::vector<cell> vary(const std::vector<cell>& cells, T cell::* member, const std::vector<T>& values) {
    if (values.empty()) return cells;
    std::vector<cell> varied;
    for (const cell& original : cells) {
        for (const T& value : values) {
            varied.push_back(original);
            varied.back().*member = value;
        }
    }
    return varied;
}

template <class F>
auto each(const std::vector<std::string>& texts, F&& parse) {
    std::vector<std::invoke_result_t<F&, const std::string&>> values;
    for (const std::string& text : texts) values.push_back(std::invoke(parse, text));
    return values;
}

/// What `--mix` is measured on when no candidate is named: the maps that are to be chosen from.
const std::vector<std::string> maps_to_choose_from{"family", "mutex"};

void check(const bench_job& job, std::size_t index) {
    const cell& cell = job.cells[index];
    const std::vector<const candidate*> maps = maps_for(job, index);
    if (cell.keys < cell.fewest_keys()) {
        throw usage_error(fmt::format("workload {} with {} threads needs at least {} keys, not {}", cell.what->name,
                                      cell.threads, cell.fewest_keys(), cell.keys));
    }
    const auto taking_part = static_cast<std::size_t>(
        std::ranges::count_if(maps, [&](const candidate* map) { return map->unfit_for(cell).empty(); }));
    if (taking_part == 0) {
        const candidate& one = *job.maps.front();
        throw usage_error(fmt::format("none of the chosen candidates can do {} with {} thread{}: {} {}", cell.what->name,
                                      cell.threads, cell.threads == 1 ? "" : "s", one.name,
                                      one.unfit_for(cell).empty() ? "does not belong there" : one.unfit_for(cell)));
    }
    const double needed = contest_bytes(cell, taking_part);
    const auto available = available_bytes();
    if (available && needed > share_of_memory * static_cast<double>(*available)) {
        throw usage_error(
            fmt::format("{} keys in {} maps would take about {}, and {} are available: fewer --keys, or fewer --candidate",
                        with_separators(cell.keys), taking_part, in_bytes(needed), in_bytes(static_cast<double>(*available))));
    }
}

void choose_cells(const bench_arguments& arguments, const suite& suite, bench_job& job) {
    if (arguments.mix) job.mix = understand_mix(*arguments.mix);
    job.cells = job.mix != nullptr            ? std::vector<cell>{{&job.mix->what, usual_keys, usable_processors()}}
                : arguments.workloads.empty() ? suite.cells(usable_processors())
                                              : chosen_workloads(arguments.workloads);
    job.cells = vary(job.cells, &cell::kind, each(arguments.key_types, key_type));
    job.cells = vary(job.cells, &cell::keys,
                     each(arguments.keys, [](const std::string& text) { return whole_number(text, "--keys", 1, most_keys); }));
    job.cells = vary(job.cells, &cell::threads, each(arguments.threads, [](const std::string& text) {
                         return static_cast<unsigned>(whole_number(text, "--threads", 1, most_threads));
                     }));
    if (const auto replaced = distribution(arguments.distribution)) {
        for (cell& c : job.cells) c.distribution = replaced;
    }
    job.maps =
        chosen_candidates(job.mix != nullptr && arguments.candidates.empty() ? maps_to_choose_from : arguments.candidates);
    job.rounds = suite.rounds;
}

/// The cells whose name is given, or else begins with these whole words: `stall` is `stall-1e7`, and `foo` is no `footprint`.
std::vector<limit_cell> chosen_limits(const std::vector<std::string>& names, bool quick) {
    std::vector<limit_cell> all = limit_cells(usable_processors(), quick);
    if (names.empty()) return all;
    std::vector<limit_cell> chosen;
    for (const std::string& name : names) {
        const bool exact = std::ranges::find(all, name, &limit_cell::name) != all.end();
        const auto meant = [&](const limit_cell& c) { return exact ? c.name == name : c.name.starts_with(name + '-'); };
        if (name.empty() || std::ranges::none_of(all, meant)) {
            std::vector<std::string_view> known;
            for (const limit_cell& c : all) known.push_back(c.name);
            throw usage_error(fmt::format("no cell '{}' in the suite limits: it has {}", name, fmt::join(known, ", ")));
        }
        std::ranges::copy_if(all, std::back_inserter(chosen), meant);
    }
    return chosen;
}

/// What the suite `limits` measures when no candidate is named.
bool belongs_to_limits(const candidate& e) {
    return e.name == "map" || e.name == "text_map" || e.part == role::peer || e.is_bare || e.name == "flat" ||
           e.name == "mutex_flat";
}

bench_job limits_job(const bench_arguments& arguments, const suite& suite) {
    const bool sized =
        !(arguments.keys.empty() && arguments.threads.empty() && arguments.key_types.empty() && arguments.distribution.empty());
    if (sized) throw usage_error("--suite limits has its own --keys, --threads, --key-type and --distribution");
    bench_job job{};
    job.limits = chosen_limits(arguments.cells, arguments.quick);
    for (const limit_cell& limit : job.limits) job.cells.push_back(limit.what);
    if (arguments.candidates.empty()) {
        for (const candidate& e : candidates()) {
            if (belongs_to_limits(e)) job.maps.push_back(&e);
        }
    } else {
        job.maps = chosen_candidates(arguments.candidates);
    }
    job.rounds = arguments.quick ? 3 : suite.rounds;
    if (arguments.seconds.empty()) job.round_seconds = arguments.quick ? 0.05 : 0.2;
    return job;
}

} // namespace

std::uint64_t whole_number(const std::string& text, std::string_view option, std::uint64_t least, std::uint64_t most) {
    const double value = number(text, option);
    if (value != std::floor(value)) throw usage_error(fmt::format("{}: '{}' is not a whole number", option, text));
    if (value < static_cast<double>(least) || value > static_cast<double>(most)) {
        throw usage_error(fmt::format("{}: '{}' is out of range: it can be {} to {}", option, text, least, most));
    }
    return static_cast<std::uint64_t>(value);
}

std::vector<const candidate*> maps_for(const bench_job& job, std::size_t index) {
    if (job.limits.empty()) return job.maps;
    std::vector<const candidate*> maps;
    std::ranges::copy_if(job.maps, std::back_inserter(maps), [&](const candidate* e) { return job.limits[index].has(*e); });
    return maps;
}

bench_job understand(const bench_arguments& arguments) {
    const suite& suite = chosen_suite(arguments);
    if (!arguments.workloads.empty() && !arguments.suite.empty()) {
        throw usage_error("--workload and --suite exclude each other");
    }
    if (arguments.mix && !(arguments.workloads.empty() && arguments.suite.empty() && !arguments.quick)) {
        throw usage_error("--mix excludes --workload, --suite and --quick");
    }
    bench_job job{};
    if (arguments.suite == limits_suite) {
        job = limits_job(arguments, suite);
    } else {
        choose_cells(arguments, suite, job);
    }
    job.seconds = arguments.seconds.empty() ? suite.seconds : number(arguments.seconds, "--seconds");
    if (!(job.seconds > 0 && job.seconds <= 86400)) throw usage_error("--seconds: it can be above 0, up to 86400");
    if (!arguments.rounds.empty()) job.rounds = static_cast<unsigned>(whole_number(arguments.rounds, "--rounds", 1, 1000));
    job.seed = arguments.seed.empty() ? 1 : whole_number(arguments.seed, "--seed", 0, std::uint64_t{1} << 53);
    job.pin = !arguments.no_pin;
    job.json = arguments.json;
    for (std::size_t i = 0; i < job.cells.size(); ++i) check(job, i);
    return job;
}

} // namespace syncmap::tool
