#include "bench_verdict.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "bench_limits.hpp"
#include "bench_matrix.hpp"
#include "bench_table.hpp"
#include "statistics.hpp"
#include "units.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

constexpr double small_share = 0.1; ///< of the time of a program

std::uint64_t tail_of(const candidate_result& map) { return map.latencies.quantile(0.999); }

/// The map that is spoken of: the flagship, or without it the one nearest to the best over all cells.
std::string_view protagonist(const bench_outcome& outcome) {
    std::map<std::string_view, double> distance;
    for (const cell_outcome& cell : outcome.cells) {
        if (cell.find(flagship) != nullptr) return flagship;
        const candidate_result* const best = cell.fastest();
        for (const candidate_result& map : cell.measured.maps) {
            if (map.map->part == role::limit) continue;
            distance[map.map->name] += std::log(spread_of(best->rates).median / spread_of(map.rates).median);
        }
    }
    const auto nearest = std::ranges::min_element(distance, {}, [](const auto& entry) { return entry.second; });
    return nearest == distance.end() ? std::string_view{} : nearest->first;
}

struct comparison {
    const cell* where;
    std::string_view rival;
    spread ratio;
    std::string text() const { return fmt::format("{:.2f}x {} ({})", ratio.median, rival, short_name(*where)); }
};

std::string standing_of(std::string_view name, const bench_outcome& outcome) {
    std::map<standing, std::vector<comparison>> found;
    for (const cell_outcome& cell : outcome.cells) {
        const candidate_result* const own = cell.find(name);
        const candidate_result* const rival = own == nullptr ? nullptr : cell.fastest_beside(*own);
        if (rival == nullptr) continue;
        const spread ratio = paired_ratio(own->rates, rival->rates);
        found[standing_of(ratio)].push_back({&cell.measured.what, rival->map->name, ratio});
    }
    const std::size_t all = found[standing::ahead].size() + found[standing::level].size() + found[standing::behind].size();
    if (all == 0) return "only one map was measured: there is nothing to compare";
    const auto texts = [&](standing which) {
        std::vector<std::string> list;
        for (const comparison& c : found[which]) list.push_back(c.text());
        return fmt::format("{}", fmt::join(list, ", "));
    };
    std::string text = fmt::format("{} won {} of {} cell{}", name, found[standing::ahead].size(), all, all == 1 ? "" : "s");
    if (std::vector<comparison>& won = found[standing::ahead]; won.size() == 1) {
        text += fmt::format(", with {}", won.front().text());
    } else if (!won.empty()) {
        const auto [least, most] = std::ranges::minmax_element(won, {}, [](const comparison& c) { return c.ratio.median; });
        text += fmt::format(", over the best other map by {} to {}", least->text(), most->text());
    }
    if (!found[standing::level].empty())
        text += fmt::format("; level, some rounds ahead and some behind: {}", texts(standing::level));
    if (!found[standing::behind].empty()) text += fmt::format("; behind: {}", texts(standing::behind));
    return text;
}

/// What a program that rarely asks its map would see of the plain mutex: a share of its time, and the tail.
std::string mutex_advice(const bench_outcome& outcome) {
    const cell_outcome* slowest = nullptr;
    const cell_outcome* longest = nullptr;
    double slowest_rate = 0;
    for (const cell_outcome& cell : outcome.cells) {
        const candidate_result* const mutex = cell.find(baseline);
        if (mutex == nullptr || cell.fastest_beside(*mutex) == nullptr) continue;
        const double rate = spread_of(mutex->rates).median;
        if (slowest == nullptr || rate < slowest_rate) {
            slowest = &cell;
            slowest_rate = rate;
        }
        if (longest == nullptr || tail_of(*mutex) > tail_of(*longest->find(baseline))) longest = &cell;
    }
    if (slowest == nullptr) return {};
    std::string text = fmt::format(
        "the plain mutex: a program that asks its map less than {} million times a second spends at most a tenth of "
        "its time there (at its slowest, {}, it served {} million). One operation in a thousand took up to {} ns ({})",
        in_millions(slowest_rate * small_share), short_name(slowest->measured.what), in_millions(slowest_rate),
        with_separators(tail_of(*longest->find(baseline))), short_name(longest->measured.what));
    if (const candidate_result* const map = longest->find(flagship))
        text += fmt::format(", {} ns of map", with_separators(tail_of(*map)));
    return text;
}

/// Under the heading a line for each, and what is broken off a line further to the right.
std::string listed(std::string_view heading, const std::vector<std::string>& lines) {
    std::string text(heading);
    for (const std::string& line : lines) {
        text += "\n  ";
        for (const char c : wrapped(line, 114)) {
            text += c;
            if (c == '\n') text += "    ";
        }
    }
    return text + '\n';
}

} // namespace

std::string verdict(const bench_outcome& outcome) {
    const std::string_view name = protagonist(outcome);
    std::vector<std::string> rows = matrix_lines(row_standings(outcome));
    if (rows.empty()) rows.push_back(name.empty() ? "no map could be measured" : "no map was measured in all cells of a row");
    std::vector<std::string> caveats;
    if (!name.empty()) caveats.push_back(standing_of(name, outcome));
    if (std::string advice = mutex_advice(outcome); !advice.empty()) caveats.push_back(std::move(advice));
    if (const std::vector<std::string> out = outcome.excluded(); !out.empty()) {
        caveats.push_back(fmt::format("excluded, as they failed or answered wrongly: {}", fmt::join(out, ", ")));
    }
    if (const double others = outcome.worst_foreign_load(); others >= disturbing_load) {
        caveats.push_back(fmt::format(
            "do not trust these figures far: other programs took up to {:.0f} % of the processors meanwhile", 100 * others));
    }
    return listed("Verdict", rows) + (caveats.empty() ? "" : listed("Caveats", caveats));
}

} // namespace syncmap::tool
