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
    return {
        rates("read-1e3", on("read-100", few, 1), reading, {{flat, 1.0}, {growt, 1.0}, {general, 3}}),
        rates("read-1e5", on("read-100", many, s.threads), reading, {{array, 0.97}, {flat, 1.0}, {growt, 1.25}, {general, 3}}),
        rates("zipf-read-1e5", on("ycsb-c", many, s.threads), reading, {{array, 0.55}, {growt, 1.15}, {general, 2}}),
        rates("miss-1e5", on("miss", many, s.threads), {"flat", "array"}, {{flat, 1.4}, {general, 2}}),
        rates("read-1e7", on("read-100", s.most, s.threads), reading, {{array, 0.8}, {flat, 1.5}, {growt, 1.8}, {general, 3}}),
        rates("zipf-read-1e7", on("ycsb-c", s.most, s.threads), reading, {{array, 0.75}, {growt, 1.4}, {general, 2}}),
    };
}

std::vector<limit_cell> writes(const scale& s) {
    const auto zipf = [&](std::uint64_t keys) { return on("read-90", keys, s.threads, key_kind::integer, choice::zipf); };
    return {
        rates("90-1e5", on("read-90", many, s.threads), overwriting, {{exchange, 0.96}, {growt, 1.3}, {general, 2.7}}),
        rates("90-1e7", on("read-90", s.most, s.threads), overwriting, {{exchange, 0.86}, {growt, 1.5}, {general, 2.7}}),
        rates("insert-erase-1e5", on("churn-90", many, s.threads), flat_alone, {{flat, 0.9}, {growt, 1.25}, {general, 2.5}}),
        rates("insert-erase-1e7", on("churn-90", s.most, s.threads), flat_alone, {{flat, 1.2}, {growt, 1.4}, {general, 2.5}}),
        rates("50-1e5", on("read-50", many, s.threads), overwriting, {{exchange, 0.75}, {growt, 1.3}, {general, 2.5}}),
        rates("50-1e7", on("read-50", s.most, s.threads), overwriting, {{exchange, 0.75}, {growt, 1.4}, {general, 2.5}}),
        rates("zipf-90-1e5", zipf(many), overwriting, {{exchange, 0.65}, {growt, 1.15}, {general, 2.5}}),
        rates("zipf-90-1e7", zipf(s.most), overwriting, {{exchange, 0.65}, {growt, 1.15}, {general, 2.5}}),
        rates("own-1e5", on("disjoint", many, s.threads), overwriting, {{exchange, 0.7}, {growt, 1.4}, {general, 3}}),
        rates("own-1e7", on("disjoint", s.most, s.threads), overwriting, {{exchange, 0.7}, {growt, 1.4}, {general, 3}}),
    };
}

std::vector<limit_cell> growth(const scale& s) {
    return {
        rates("grow-1e7", on("grow", s.most, s.threads), flat_alone, {{growt, 1.1}, {boost, 1.8}}),
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
    return {{"90-1e5-crowd",
             measure::tail,
             on("read-90", many, 4 * s.threads),
             {},
             true,
             {{growt, 1.2},
              {general, 2.3},
              {two_threads, 0.85},
              {best_peer, 1.0, quantity::p9999},
              {best_peer, 1.2, quantity::p999}}}};
}

/// Of the map of `std::string`, and of the compact form.
std::vector<goal> in_both_forms(std::vector<goal> goals) {
    for (std::size_t i = 0, plain = goals.size(); i != plain; ++i) {
        goals.push_back(goals[i]);
        goals.back().of = "text_map";
    }
    return goals;
}

std::vector<limit_cell> strings(const scale& s) {
    const auto texts = [&](std::string_view workload) { return on(workload, s.texts, s.threads, key_kind::string); };
    return {
        rates("strings-read", texts("read-100"), flat_alone, in_both_forms({{flat, 1.05}, {best_peer, 1.3}})),
        rates("strings-90", texts("read-90"), flat_alone, in_both_forms({{flat, 1.0}, {best_peer, 1.2}})),
        rates("strings-50", texts("read-50"), flat_alone, in_both_forms({{flat, 0.85}, {best_peer, 1.3}})),
        rates("strings-insert-erase", texts("churn-90"), flat_alone, in_both_forms({{best_peer, 1.2}})),
    };
}

std::vector<limit_cell> batched(const scale& s) {
    return {
        rates("batch-1e7", on("batch-32", s.most, 1), {"array"}, {{array, 1.0}, {boost_batches, 2.2}}),
        rates("batch-strings", on("batch-32", s.texts, 1, key_kind::string), {}, in_both_forms({{boost_batches, 2.5}})),
    };
}

/// One thread, against a mutex that nobody else wants.
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
        weigh("bytes-doubling", on("read-100", s.most / 10, 1), {"flat", "array"}, {{nothing, 34, quantity::bytes}}),
        weigh("bytes-1e7", on("read-100", s.most, 1), {"flat", "array"}, {{nothing, 30, quantity::bytes}}),
        weigh("bytes-strings", on("read-100", s.texts, 1, key_kind::string), flat_alone,
              {{nothing, 200, quantity::bytes}, {nothing, 120, quantity::bytes, "text_map"}}),
        {"footprint",
         measure::footprint,
         on("read-100", 4, 1),
         flat_alone,
         true,
         {{nothing, 0, quantity::empty_map}, {nothing, 256, quantity::four_entries}}},
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
    for (const auto part : {reads, writes, growth, crowds, strings, batched, alone, memory}) {
        for (limit_cell& cell : part(s)) all.push_back(std::move(cell));
    }
    return all;
}

} // namespace syncmap::bench
