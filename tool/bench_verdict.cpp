#include "bench_verdict.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
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

constexpr std::string_view flagship = "map";
constexpr std::string_view plain_mutex = "mutex";
constexpr double unnoticed = 0.1; ///< share of its time that a program may spend in a map without feeling it

/// The map that is spoken of: the flagship, or without it the one nearest to the best over all cells.
std::string_view protagonist(const bench_outcome& outcome) {
    std::map<std::string_view, double> distance;
    for (const cell_outcome& cell : outcome.cells) {
        if (cell.find(flagship) != nullptr) return flagship;
        const engine_result* const best = cell.fastest();
        for (const engine_result& map : cell.measured.maps) {
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
    std::string text() const {
        return fmt::format("{:.2f}x {} ({})", ratio.median, rival, short_name(*where));
    }
};

std::string standing_of(std::string_view name, const bench_outcome& outcome) {
    std::map<standing, std::vector<comparison>> found;
    for (const cell_outcome& cell : outcome.cells) {
        const engine_result* const own = cell.find(name);
        const engine_result* const rival = own == nullptr ? nullptr : cell.fastest_beside(*own);
        if (rival == nullptr) continue;
        const spread ratio = paired_ratio(own->rates, rival->rates);
        found[standing_of(ratio)].push_back({&cell.measured.what, rival->map->name, ratio});
    }
    const std::size_t all = found[standing::ahead].size() + found[standing::level].size() + found[standing::behind].size();
    if (all == 0) return "Only one map was measured: there is nothing to compare.";
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
    if (!found[standing::level].empty()) text += fmt::format("; level, some rounds ahead and some behind: {}", texts(standing::level));
    if (!found[standing::behind].empty()) text += fmt::format("; behind: {}", texts(standing::behind));
    return text + '.';
}

std::string mutex_advice(const bench_outcome& outcome) {
    std::vector<std::string> sufficient;
    const cell_outcome* slowest = nullptr;
    double slowest_rate = 0;
    for (const cell_outcome& cell : outcome.cells) {
        const engine_result* const mutex = cell.find(plain_mutex);
        const engine_result* const rival = mutex == nullptr ? nullptr : cell.fastest_beside(*mutex);
        if (rival == nullptr) continue;
        if (paired_ratio(mutex->rates, rival->rates).median >= close_enough) sufficient.push_back(short_name(cell.measured.what));
        const double rate = spread_of(mutex->rates).median;
        if (slowest == nullptr || rate < slowest_rate) {
            slowest = &cell;
            slowest_rate = rate;
        }
    }
    if (slowest == nullptr) return {};
    std::string text = sufficient.empty() ? "The plain mutex was nowhere within 10 % of the best"
                                          : fmt::format("The plain mutex is enough, within 10 % of the best, in: {}",
                                                        fmt::join(sufficient, "; "));
    return text + fmt::format(". It is also enough for any program that asks its map less than {} million times a second: at its "
                              "slowest ({}) it served {} million, and a tenth of that is not felt.",
                              in_millions(slowest_rate * unnoticed), short_name(slowest->measured.what), in_millions(slowest_rate));
}

} // namespace

std::string verdict(const bench_outcome& outcome) {
    const std::string_view name = protagonist(outcome);
    if (name.empty()) return "Verdict: no map could be measured.";
    const std::string rows = matrix_sentences(row_standings(outcome));
    const std::string advice = mutex_advice(outcome);
    const double others = outcome.worst_foreign_load();
    return fmt::format("Verdict: {}{}{}{}{}{}", standing_of(name, outcome), rows.empty() ? "" : " ", rows, advice.empty() ? "" : " ", advice,
                       others < disturbing_load ? ""
                                           : fmt::format(" Do not trust these figures far: other programs took up to {:.0f} % of "
                                                         "the processors meanwhile.", 100 * others));
}

} // namespace syncmap::tool
