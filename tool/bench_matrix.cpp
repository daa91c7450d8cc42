#include "bench_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "bench_table.hpp"
#include "units.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

constexpr std::uint64_t longest_tail = 2; ///< times that of the best: more is felt, however seldom

/// The maps that the row lets compete, and among them the own maps: maps of any type only where dynamic values are the
/// question, maps for one thread only where there is one.
bool shown_in(bool dynamic, const candidate& map) {
    return map.part == role::family || map.part == role::limit || (dynamic && map.part == role::dynamic) ||
           map.name == baseline;
}

double geometric_mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += std::log(value);
    return std::exp(sum / static_cast<double>(values.size()));
}

/// The map's result in each cell; nothing unless it has one in all.
std::vector<const candidate_result*> results_of(const candidate& map, const std::vector<const cell_outcome*>& cells) {
    std::vector<const candidate_result*> results;
    for (const cell_outcome* const cell : cells) {
        if (const candidate_result* const found = cell->find(map.name)) results.push_back(found);
    }
    if (results.size() != cells.size()) results.clear();
    return results;
}

/// Round by round over all cells, as `paired_ratio` over one.
spread ratio_over_cells(const std::vector<const candidate_result*>& a, const std::vector<const candidate_result*>& b) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < a.front()->rates.size(); ++round) {
        std::vector<double> of_round;
        for (std::size_t cell = 0; cell < a.size(); ++cell) of_round.push_back(a[cell]->rates[round] / b[cell]->rates[round]);
        ratios.push_back(geometric_mean(of_round));
    }
    return spread_of(std::move(ratios));
}

row_entry entry_of(const candidate& map, const std::vector<const candidate_result*>& results,
                   const std::vector<const cell_outcome*>& cells, const bench_outcome& outcome) {
    row_entry entry{&map, map.is_own()};
    std::vector<double> medians;
    double bytes = 0;
    bool weighed = true;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        medians.push_back(spread_of(results[i]->rates).median);
        const std::optional<double> weight = outcome.weight_of(map, cells[i]->measured.what).fair();
        weighed = weighed && weight.has_value();
        bytes += weight.value_or(0);
        entry.tail_ns = std::max(entry.tail_ns, results[i]->latencies.quantile(0.999));
    }
    entry.rate = geometric_mean(medians);
    if (weighed) entry.bytes_per_entry = bytes / static_cast<double>(cells.size());
    return entry;
}

row_standing standing_of(const matrix_row& row, std::vector<const cell_outcome*> cells, bool dynamic,
                         const bench_outcome& outcome) {
    row_standing standing{&row, std::move(cells)};
    for (const candidate* const map : outcome.job.maps) {
        if (!shown_in(dynamic, *map)) continue;
        const auto results = results_of(*map, standing.cells);
        if (!results.empty()) standing.maps.push_back(entry_of(*map, results, standing.cells, outcome));
    }
    std::ranges::stable_sort(standing.maps, std::greater<>{}, &row_entry::rate);
    if (const row_entry* const best = standing.best_own()) {
        const auto of_best = results_of(*best->map, standing.cells);
        for (row_entry& entry : standing.maps) {
            const auto of_entry = results_of(*entry.map, standing.cells);
            entry.to_best = ratio_over_cells(of_entry, of_best);
            entry.tail_like_best =
                std::ranges::equal(of_entry, of_best, [](const candidate_result* one, const candidate_result* other) {
                    return one->latencies.quantile(0.999) <= longest_tail * other->latencies.quantile(0.999);
                });
        }
    }
    for (const cell_outcome* const cell : standing.cells) {
        const candidate_result* fastest = nullptr;
        for (const row_entry& entry : standing.maps) {
            const candidate_result* const own = cell->find(entry.map->name);
            if (fastest == nullptr || spread_of(own->rates).median > spread_of(fastest->rates).median) fastest = own;
        }
        for (row_entry& entry : standing.maps) {
            entry.near_best += paired_ratio(cell->find(entry.map->name)->rates, fastest->rates).median >= close_enough;
        }
    }
    return standing;
}

std::string bytes_of(const row_entry& entry) {
    return entry.bytes_per_entry ? fmt::format("{:.0f}", *entry.bytes_per_entry) : "-";
}

std::string named(const row_entry& entry) { return fmt::format("{} ({:.2f}x)", entry.map->name, entry.to_best.median); }

/// "beats X by 1.20x", or that the two are level when the rounds do not agree.
std::string against(const row_entry& next) {
    const bool agreed = next.to_best.most < 1 || next.to_best.least > 1;
    return fmt::format("{:.2f}x {}{}", 1 / next.to_best.median, next.map->name, agreed ? "" : " (level: the rounds disagree)");
}

std::string line_of(const row_standing& standing) {
    const row_entry* const chosen = standing.choice();
    if (chosen == nullptr) return {};
    std::string text = fmt::format("use {}: {}. {} Mops/s", chosen->map->name, standing.row->name, in_millions(chosen->rate));
    if (chosen->bytes_per_entry) text += fmt::format(", {} bytes an entry", bytes_of(*chosen));
    if (const row_entry* const next = standing.next_own()) text += ", " + against(*next);
    std::vector<std::string> enough;
    for (const row_entry* const entry : standing.enough()) enough.push_back(named(*entry));
    if (!enough.empty()) text += fmt::format("; simpler, and within 10 %: {}", fmt::join(enough, ", "));
    return text;
}

} // namespace

const row_entry* row_standing::best_own() const {
    const auto found = std::ranges::find_if(maps, &row_entry::own);
    return found == maps.end() ? nullptr : &*found;
}

const row_entry* row_standing::choice() const {
    if (const row_entry* const best = best_own()) return best;
    return maps.empty() ? nullptr : &maps.front();
}

const row_entry* row_standing::next_own() const {
    const auto best = std::ranges::find_if(maps, &row_entry::own);
    if (best == maps.end()) return nullptr;
    const auto next = std::find_if(best + 1, maps.end(), [](const row_entry& entry) { return entry.own; });
    return next == maps.end() ? nullptr : &*next;
}

std::vector<const row_entry*> row_standing::enough() const {
    std::vector<const row_entry*> found;
    for (const row_entry& entry : maps) {
        const bool simple = entry.map->name == "mutex_map" || entry.map->name == baseline || entry.map->part == role::limit;
        if (simple && &entry != best_own() && entry.to_best.median >= close_enough && entry.tail_like_best)
            found.push_back(&entry);
    }
    return found;
}

std::vector<row_standing> row_standings(const bench_outcome& outcome) {
    std::vector<row_standing> standings;
    for (const matrix_row& row : matrix()) {
        std::vector<const cell_outcome*> cells;
        bool dynamic = false;
        for (const cell_outcome& cell : outcome.cells) {
            const auto of_any_type = [](const candidate_result& r) { return r.map->part == role::dynamic; };
            const bool besides =
                dynamic_row_of(cell.measured.what) == &row && std::ranges::any_of(cell.measured.maps, of_any_type);
            if (&row_of(cell.measured.what) != &row && !besides) continue;
            cells.push_back(&cell);
            dynamic = dynamic || besides;
        }
        if (!cells.empty()) standings.push_back(standing_of(row, std::move(cells), dynamic, outcome));
    }
    return standings;
}

void print_matrix(std::FILE* out, const std::vector<row_standing>& rows) {
    fmt::print(out,
               "Decision matrix: the rows that these cells belong to (--list tells the rule), and how syncmap's maps and the\n"
               "plain mutex did there. Mops/s: geometric mean of the cells. x best: of syncmap's best, median and range\n");
    for (const row_standing& standing : rows) {
        std::vector<std::string> names;
        for (const cell_outcome* const cell : standing.cells) names.push_back(short_name(cell->measured.what));
        fmt::print(out, "{}\n", standing.row->name);
        fmt::print(out, "{}\n",
                   wrapped(fmt::format("  rule of thumb: {}; cells: {}", standing.row->thumb, fmt::join(names, ", ")), 118));
        fmt::print(out, "  {:<18}{:>9}{:>10}{:>15}{:>9}{:>16}\n", "", "Mops/s", "x best", "range", "B/entry", "within 10 % in");
        for (const row_entry& entry : standing.maps) {
            fmt::print(out, "  {:<18}{:>9}{:>10}{:>15}{:>9}{:>16}\n", entry.map->name, in_millions(entry.rate),
                       fmt::format("{:.2f}x", entry.to_best.median),
                       fmt::format("{:.2f} - {:.2f}", entry.to_best.least, entry.to_best.most), bytes_of(entry),
                       fmt::format("{} of {}", entry.near_best, standing.cells.size()));
        }
    }
    fmt::print(out, "\n");
}

std::vector<std::string> matrix_lines(const std::vector<row_standing>& rows) {
    std::vector<std::string> lines;
    for (const row_standing& standing : rows) {
        if (std::string line = line_of(standing); !line.empty()) lines.push_back(std::move(line));
    }
    return lines;
}

} // namespace syncmap::tool
