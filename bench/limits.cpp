#include "limits.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace syncmap::bench {
namespace {

using names = std::vector<std::string_view>;
using enum rival;

constexpr std::uint64_t few = 1'000;
constexpr std::uint64_t many = 100'000;

/// What a maker of cells knows.
struct scale {
    unsigned threads;    ///< of most cells
    std::uint64_t most;  ///< keys of the largest tables
    std::uint64_t texts; ///< keys of the tables of strings
};

cell on(std::string_view name, std::uint64_t keys, unsigned threads, key_kind kind = key_kind::integer,
        std::optional<choice> distribution = std::nullopt) {
    return {find_workload(name), keys, threads, kind, distribution, true};
}

limit_cell rates(std::string_view name, const cell& what, names limits, std::vector<goal> goals) {
    return {name, measure::rate, what, std::move(limits), true, std::move(goals)};
}

const names reading{"flat", "array", "line"};
const names overwriting{"array", "xchg_array"};
const names flat_alone{"flat"};

std::vector<limit_cell> reads(const scale& s) {
    const auto misses = [&](std::string_view name, std::uint64_t keys, names limits, double of_peers) {
        return rates(name, on("miss", keys, s.threads), std::move(limits), {{best_peer, of_peers}});
    };
    return {
        rates("read-1e3", on("read-100", few, s.threads), reading, {{array, 2.2}, {flat, 0.95}, {growt, 1.0}, {general, 3}}),
        rates("read-1e5", on("read-100", many, s.threads), reading, {{array, 1.3}, {flat, 1.0}, {growt, 1.4}, {general, 3}}),
        rates("read-1e7", on("read-100", s.most, s.threads), reading, {{array, 0.9}, {flat, 1.5}, {growt, 1.6}, {general, 3}}),
        rates("zipf-read-1e5", on("ycsb-c", many, s.threads), reading, {{array, 0.55}, {growt, 1.15}, {general, 2}}),
        rates("zipf-read-1e7", on("ycsb-c", s.most, s.threads), reading, {{array, 0.75}, {growt, 1.4}, {general, 2}}),
        misses("miss-1e3", few, {"flat", "array"}, 1.0),
        misses("miss-1e5", many, {"flat", "array"}, 2.0),
        misses("miss-1e7", s.most, {"flat", "array"}, 1.5),
    };
}

std::vector<limit_cell> writes(const scale& s) {
    const auto zipf = [&](std::uint64_t keys) { return on("read-90", keys, s.threads, key_kind::integer, choice::zipf); };
    const names no_limits;
    return {
        rates("90-1e5", on("read-90", many, s.threads), overwriting, {{exchange, 0.96}, {growt, 1.2}, {general, 2.7}}),
        rates("90-1e7", on("read-90", s.most, s.threads), overwriting, {{exchange, 0.86}, {growt, 1.4}, {general, 2.7}}),
        rates("50-1e5", on("read-50", many, s.threads), overwriting, {{exchange, 0.75}, {growt, 1.1}, {general, 2.5}}),
        rates("50-1e7", on("read-50", s.most, s.threads), overwriting, {{exchange, 0.75}, {growt, 1.3}, {general, 2.5}}),
        rates("zipf-90-1e5", zipf(many), overwriting, {{exchange, 0.65}, {growt, 1.15}, {general, 2.5}}),
        rates("zipf-90-1e7", zipf(s.most), overwriting, {{exchange, 0.65}, {growt, 1.15}, {general, 2.5}}),
        rates("own-1e3", on("disjoint", few, s.threads), overwriting, {{exchange, 0.75}, {growt, 0.8}}),
        rates("own-1e5", on("disjoint", many, s.threads), overwriting, {{exchange, 0.5}, {growt, 0.8}, {general, 3}}),
        rates("own-1e7", on("disjoint", s.most, s.threads), overwriting, {{exchange, 0.38}, {growt, 0.8}, {general, 3}}),
        rates("add-1e5", on("counters", many, s.threads), no_limits, {{growt, 1.0}}),
        rates("add-one", on("counter", few, s.threads), no_limits, {{growt, 1.0}}),
        rates("add-one-90", on("counter-90", few, s.threads), no_limits, {{growt, 1.0}}),
        rates("insert-erase-1e5", on("churn-90", many, s.threads), flat_alone, {{flat, 0.9}, {growt, 1.25}, {best_peer, 1.4}}),
        rates("insert-erase-1e7", on("churn-90", s.most, s.threads), flat_alone, {{flat, 1.2}, {growt, 1.4}, {best_peer, 1.3}}),
    };
}

std::vector<limit_cell> growth(const scale& s) {
    const auto grow = [&](std::string_view name, std::uint64_t keys, std::vector<goal> goals) {
        return rates(name, on("grow", keys, s.threads), flat_alone, std::move(goals));
    };
    return {
        grow("grow-1e5", many, {{best_peer, 1.0}}),
        grow("grow-1e6", s.most / 10, {{best_peer, 1.0}}),
        grow("grow-1e7", s.most, {{best_peer, 1.0}, {growt, 1.1}, {boost, 1.8}, {nothing, 2, quantity::p99}}),
        {"stall-1e7",
         measure::stall,
         on("grow", s.most, s.threads),
         {},
         true,
         {{nothing, 5, quantity::stall}, {nothing, 1, quantity::work}}},
    };
}

/// More threads than processors.
std::vector<limit_cell> crowds(const scale& s) {
    return {
        {"90-1e5-crowd",
         measure::tail,
         on("read-90", many, 4 * s.threads),
         {},
         true,
         {{growt, 1.0},
          {general, 2.3},
          {two_threads, 0.85},
          {best_peer, 1.0, quantity::p9999},
          {best_peer, 1.2, quantity::p999}}},
        {"50-1e5-crowd", measure::tail, on("read-50", many, 4 * s.threads), {}, true, {{growt, 1.0}, {general, 2.3}}},
    };
}

/// One thread, all entries in each operation; entries a second.
std::vector<limit_cell> whole_maps(const scale& s) {
    const auto visits = [](std::string_view name, std::string_view workload, std::uint64_t keys, key_kind kind, double bound) {
        return rates(name, on(workload, keys, 1, kind), flat_alone, {{best_peer, bound}});
    };
    return {
        visits("visit-1e7", "visit", s.most, key_kind::integer, 1.0),
        visits("visit-strings", "visit", s.texts, key_kind::string, 1.0),
        visits("snapshots-1e7", "snapshots", s.most, key_kind::integer, 0.8),
        visits("snapshots-strings", "snapshots", s.texts, key_kind::string, 0.8),
        visits("clear-1e7", "clear", s.most, key_kind::integer, 0.83),
        visits("clear-strings", "clear", s.texts, key_kind::string, 0.83),
    };
}

/// Of the map of `std::string` at least `plain` times the best peer, and of the compact form `compact` times.
std::vector<goal> in_both_forms(double plain, double compact) {
    return {{best_peer, plain}, {best_peer, compact, quantity::rate, "text_map"}};
}

std::vector<limit_cell> strings(const scale& s) {
    const auto texts = [&](std::string_view name, std::string_view workload, unsigned threads, double plain, double compact) {
        return rates(name, on(workload, s.texts, threads, key_kind::string), flat_alone, in_both_forms(plain, compact));
    };
    return {
        texts("strings-read", "read-100", s.threads, 1.1, 1.3),
        texts("strings-90", "read-90", s.threads, 1.1, 1.3),
        texts("strings-50", "read-50", s.threads, 1.1, 1.3),
        texts("strings-overwrite", "read-0", 1, 1.1, 1.3),
        texts("strings-insert-erase", "churn-90", s.threads, 1.1, 1.3),
    };
}

std::vector<limit_cell> batched(const scale& s) {
    return {
        rates("batch-1e7", on("batch-32", s.most, 1), {"array"}, {{array, 1.0}, {boost_batches, 2.2}}),
        rates("batch-strings", on("batch-32", s.texts, s.threads, key_kind::string), {}, in_both_forms(1.2, 1.8)),
    };
}

/// One thread, against a mutex that no other thread wants.
std::vector<limit_cell> alone(const scale& s) {
    const auto beside_a_mutex = [](std::string_view name, const cell& what) {
        return limit_cell{name, measure::rate, what, {"mutex_flat", "flat"}, false, {{mutex_flat, 1.0}}};
    };
    return {
        beside_a_mutex("alone-90-4", on("read-90", 4, 1)),
        beside_a_mutex("alone-50-4", on("read-50", 4, 1)),
        beside_a_mutex("alone-insert-erase-1e3", on("churn", few, 1)),
        beside_a_mutex("alone-90-1e5", on("read-90", many, 1)),
        beside_a_mutex("alone-50-1e6", on("read-50", s.most / 10, 1)),
        beside_a_mutex("alone-insert-erase-1e6", on("churn", s.most / 10, 1)),
    };
}

std::vector<limit_cell> memory(const scale& s) {
    const auto weigh = [](std::string_view name, const cell& what, names limits, std::vector<goal> goals) {
        return limit_cell{name, measure::weight, what, std::move(limits), true, std::move(goals)};
    };
    return {
        weigh("bytes-doubling", on("read-100", s.most / 10, 1), {"flat", "array"},
              {{nothing, 30, quantity::bytes}, {nothing, 48, quantity::most_bytes}}),
        weigh("bytes-1e7", on("read-100", s.most, 1), {"flat", "array"}, {{nothing, 27, quantity::bytes}}),
        weigh("bytes-strings", on("read-100", s.texts, 1, key_kind::string), flat_alone,
              {{nothing, 200, quantity::bytes}, {nothing, 120, quantity::bytes, "text_map"}}),
        {"footprint",
         measure::footprint,
         on("read-100", 4, 1),
         flat_alone,
         true,
         {{nothing, 0, quantity::empty_map}, {nothing, 400, quantity::four_entries}, {nothing, 1500, quantity::forty_entries}}},
    };
}

} // namespace

bool limit_cell::has(const candidate& e) const {
    if (e.name == "map" || std::ranges::find(limits, e.name) != limits.end()) return true;
    return peers && e.part != role::limit && e.name != "mutex_flat";
}

std::vector<limit_cell> limit_cells(unsigned processors, bool quick) {
    const scale s{std::min(processors, 2U), quick ? 1'000'000U : 10'000'000U, quick ? many : 1'000'000U};
    std::vector<limit_cell> all;
    for (const auto part : {reads, writes, growth, crowds, whole_maps, strings, batched, alone, memory}) {
        for (limit_cell& cell : part(s)) all.push_back(std::move(cell));
    }
    return all;
}

} // namespace syncmap::bench
