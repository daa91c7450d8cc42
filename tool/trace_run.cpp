#include "trace_run.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <syncmap/version.hpp>

#include "bench_options.hpp"
#include "hit_models.hpp"
#include "memory.hpp"
#include "replay.hpp"
#include "trace_file.hpp"
#include "units.hpp"
#include "usage_error.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;
using json = nlohmann::ordered_json;

constexpr double bytes_per_entry = 100;
constexpr double bytes_per_request = 24; ///< of the largest model, the optimum

struct model {
    std::string_view name;
    std::uint64_t (*hits)(const trace&, std::size_t capacity);
};
constexpr std::array models{model{"optimum", optimal_hits}, model{"lru", lru_hits}, model{"sieve", sieve_hits},
                            model{"clock", clock_hits}};
constexpr std::size_t optimum = 0;
constexpr std::size_t lru = 1;

/// A cache of syncmap's that is replayed.
struct contestant {
    std::string_view name;
    cache_policy policy;
    unsigned threads;
};
std::string heading(const contestant& c) {
    return c.threads == 1 ? std::string(c.name) : fmt::format("{}, {}T", c.name, c.threads);
}

struct cache_row {
    contestant by;
    std::uint64_t hits;
    std::size_t most_seen;
    bool is_wrong;
};

struct capacity_row {
    std::size_t capacity;
    std::array<std::uint64_t, models.size()> hits{}; ///< of the models
    std::vector<cache_row> cache{};
};

capacity_row measure(const trace& trace, std::size_t capacity, const std::vector<contestant>& contestants) {
    capacity_row row{capacity};
    std::ranges::transform(models, row.hits.begin(), [&](const model& m) { return m.hits(trace, capacity); });
    for (const contestant& c : contestants) {
        const replay_result found = replay(trace, capacity, c.threads, c.policy);
        row.cache.push_back(
            {c, trace.requests.size() - found.loads, found.most_seen, found.is_wrong || found.most_seen > capacity});
    }
    return row;
}

std::vector<contestant> contestants_of(std::string_view name, cache_policy policy, const std::vector<unsigned>& threads) {
    std::vector<contestant> all;
    for (const unsigned count : threads) all.push_back({name, policy, count});
    return all;
}

/// What a trace's numbers are told with.
class report {
public:
    report(std::string_view name, const trace& trace) : name_(name), requests_(trace.requests.size()), keys_(trace.keys) {}

    void print_heading(std::FILE* out, const std::vector<contestant>& contestants) const {
        fmt::print(out, "{}: {} requests, {} keys. Requests that need no load, in per cent; every cache begins empty.\n\n",
                   name_, with_separators(requests_), with_separators(keys_));
        fmt::print(out, "{:>12}", "capacity");
        for (const contestant& c : contestants) fmt::print(out, "{:>{}}", heading(c), column(c));
        for (const model& m : models) fmt::print(out, "{:>9}", m.name);
        fmt::print(out, "{:>13}{:>17}\n", "cache - lru", "cache / optimum");
    }

    void print(std::FILE* out, const capacity_row& row) const {
        fmt::print(out, "{:>12}", with_separators(row.capacity));
        for (const cache_row& c : row.cache) fmt::print(out, "{:>{}.2f}", percent(c.hits), column(c.by));
        for (const std::uint64_t hits : row.hits) fmt::print(out, "{:>9.2f}", percent(hits));
        const double own = percent(row.cache.front().hits);
        fmt::print(out, "{:>+13.2f}{:>17}\n", own - percent(row.hits[lru]),
                   row.hits[optimum] == 0 ? "-" : fmt::format("{:.3f}", own / percent(row.hits[optimum])));
        for (const cache_row& c : row.cache) {
            if (!c.is_wrong) continue;
            fmt::print(out, "  wrong with {} thread{}: {} had {} entries, or its statistics or values do not add up\n",
                       c.by.threads, c.by.threads == 1 ? "" : "s", c.by.name, with_separators(c.most_seen));
        }
        std::fflush(out);
    }

    /// One line: what the cache saved.
    void print_verdict(std::FILE* out, const capacity_row& row) const {
        const std::uint64_t own = row.cache.front().hits;
        const std::uint64_t other = row.hits[lru];
        fmt::print(out, "{}: {} entries answer {:.1f} % of {} requests, LRU {:.1f} %: {} loads saved, {} {} than by LRU\n",
                   name_, with_separators(row.capacity), percent(own), with_separators(requests_), percent(other),
                   with_separators(own), with_separators(own > other ? own - other : other - own),
                   own >= other ? "more" : "fewer");
    }

    json to_json(const std::vector<capacity_row>& rows) const {
        json listed = json::array();
        for (const capacity_row& row : rows) {
            json policies = json::object();
            for (std::size_t i = 0; i < models.size(); ++i) policies[std::string(models[i].name)] = hits_json(row.hits[i]);
            json caches = json::array();
            for (const cache_row& c : row.cache) {
                json one = {{"cache", c.by.name}, {"threads", c.by.threads}};
                one.update(hits_json(c.hits));
                one.update({{"most_entries", c.most_seen}, {"wrong", c.is_wrong}});
                caches.push_back(std::move(one));
            }
            listed.push_back({{"capacity", row.capacity}, {"cache", std::move(caches)}, {"models", std::move(policies)}});
        }
        return {{"tool", "syncmap trace"}, {"version", library_version_text}, {"trace", name_}, {"requests", requests_},
                {"keys", keys_},           {"capacities", std::move(listed)}};
    }

private:
    static std::size_t column(const contestant& c) { return std::max<std::size_t>(11, heading(c).size() + 2); }
    double percent(std::uint64_t hits) const { return 100 * static_cast<double>(hits) / static_cast<double>(requests_); }
    json hits_json(std::uint64_t hits) const { return {{"hits", hits}, {"hit_ratio", percent(hits) / 100}}; }

    std::string name_;
    std::uint64_t requests_;
    std::uint64_t keys_;
};

void check_memory(const trace& trace, std::uint64_t capacity) {
    const double entries = static_cast<double>(std::min<std::uint64_t>(capacity, trace.keys));
    const double needed = bytes_per_entry * entries + 9 * static_cast<double>(capacity) +
                          bytes_per_request * static_cast<double>(trace.requests.size());
    if (const auto available = available_bytes(); available && needed > static_cast<double>(*available)) {
        throw usage_error(fmt::format("--capacity: a cache of {} entries would take about {}, and {} are available",
                                      with_separators(capacity), in_bytes(needed), in_bytes(static_cast<double>(*available))));
    }
}

} // namespace

exit_status run_trace(const trace_arguments& arguments) {
    std::vector<std::uint64_t> capacities;
    for (const std::string& text : arguments.capacities)
        capacities.push_back(whole_number(text, "--capacity", 1, most_capacity));
    std::vector<unsigned> threads;
    for (const std::string& text : arguments.threads)
        threads.push_back(static_cast<unsigned>(whole_number(text, "--threads", 1, 1024)));
    if (threads.empty()) threads.push_back(1);
    std::vector<contestant> contestants = contestants_of("cache", cache_policy::standard, threads);
    for (const std::string& policy : arguments.also) {
        const bool is_lru = policy == "lru";
        if (!is_lru && policy != "sieve") throw usage_error(fmt::format("--also: '{}' is neither lru nor sieve", policy));
        const auto more = is_lru ? contestants_of("lru_cache", cache_policy::lru, threads)
                                 : contestants_of("sieve_cache", cache_policy::sieve, threads);
        contestants.insert(contestants.end(), more.begin(), more.end());
    }
    const trace_format format = arguments.format.empty() ? trace_format::lines : trace_format_of(arguments.format);
    const bool json_only = arguments.json == "-";
    std::FILE* const text = json_only ? stderr : stdout;

    const trace recorded = read_trace(arguments.file, format);
    for (const std::uint64_t capacity : capacities) check_memory(recorded, capacity);
    std::ofstream file;
    if (!arguments.json.empty() && !json_only) {
        file.open(arguments.json);
        if (!file) throw usage_error(fmt::format("--json: '{}' cannot be written", arguments.json));
    }
    const std::string name = !arguments.name.empty() ? arguments.name
                             : arguments.file == "-" ? "stdin"
                                                     : std::filesystem::path(arguments.file).filename().string();
    const report told(name, recorded);
    told.print_heading(text, contestants);
    std::vector<capacity_row> rows;
    for (const std::uint64_t capacity : capacities) {
        rows.push_back(measure(recorded, capacity, contestants));
        told.print(text, rows.back());
    }
    fmt::print(text, "\n");
    for (const capacity_row& row : rows) told.print_verdict(text, row);

    if (!arguments.json.empty()) {
        const std::string written = told.to_json(rows).dump(2) + '\n';
        if (json_only) {
            std::fputs(written.c_str(), stdout);
        } else if (!(file << written << std::flush)) {
            throw usage_error(fmt::format("--json: '{}' could not be written to the end", arguments.json));
        }
    }
    const bool is_wrong =
        std::ranges::any_of(rows, [](const capacity_row& row) { return std::ranges::any_of(row.cache, &cache_row::is_wrong); });
    return is_wrong ? exit_status::findings : exit_status::fine;
}

} // namespace syncmap::tool
