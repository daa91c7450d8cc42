#include "bench_limits.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

#include <fmt/core.h>

#include "bench_table.hpp"
#include "units.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

constexpr std::string_view two_thread_cell = "90-1e5";

spread exactly(double value) { return {value, value, value}; }

/// The candidate that a rival is, where it is a certain one.
std::string_view candidate_of(rival against) {
    switch (against) {
    case rival::flat: return "flat";
    case rival::array: return "array";
    case rival::exchange: return "xchg_array";
    case rival::mutex_flat: return "mutex_flat";
    case rival::growt: return "growt";
    case rival::boost:
    case rival::boost_batches: return "boost";
    case rival::general:
    case rival::best_peer:
    case rival::two_threads:
    case rival::nothing: break;
    }
    return {};
}

std::string_view words_for(rival against) {
    switch (against) {
    case rival::exchange: return "xchg array";
    case rival::mutex_flat: return "mutex + flat";
    case rival::boost: return "Boost";
    case rival::boost_batches: return "Boost's bulk visit";
    case rival::general: return "best general peer";
    case rival::best_peer: return "best peer";
    case rival::two_threads: return "own two threads";
    default: return candidate_of(against);
    }
}

bool takes_any_type(const candidate& map) { return map.part == role::peer && map.name != "growt"; }

std::string text_of(const goal& g) {
    if (g.of != flagship) return fmt::format("{} {}", g.of, text_of({g.against, g.bound, g.what}));
    switch (g.what) {
    case quantity::rate: return fmt::format(">= {:.2f} x {}", g.bound, words_for(g.against));
    case quantity::p999: return fmt::format("p99.9 <= {:.1f} x {}", g.bound, words_for(g.against));
    case quantity::p9999: return fmt::format("p99.99 <= {:.1f} x {}", g.bound, words_for(g.against));
    case quantity::p99: return fmt::format("p99 <= {:g} us", g.bound);
    case quantity::stall: return fmt::format("longest operation <= {:g} ms", g.bound);
    case quantity::work: return fmt::format("its own work <= {:g} ms", g.bound);
    case quantity::bytes: return fmt::format("<= {:g} bytes an entry", g.bound);
    case quantity::most_bytes: return fmt::format("never over {:g} bytes an entry", g.bound);
    case quantity::empty_map: return fmt::format("empty map: {:g} bytes on the heap", g.bound);
    case quantity::four_entries: return fmt::format("four entries: <= {:g} bytes on the heap", g.bound);
    case quantity::forty_entries: break;
    }
    return fmt::format("forty entries: <= {:g} bytes on the heap", g.bound);
}

/// Finds the figures that goals ask for.
class judge {
public:
    judge(const bench_outcome& outcome, std::size_t index) : outcome_(outcome), cell_(outcome.cells[index]) {}

    judged_goal operator()(const goal& g) {
        judged_goal judged{text_of(g)};
        own_ = cell_.find(g.of);
        find(g, judged);
        if (judged.found) judged.met = g.at_least() ? judged.found->median >= g.bound : judged.found->median <= g.bound;
        return judged;
    }

private:
    void find(const goal& g, judged_goal& judged) const {
        switch (g.what) {
        case quantity::rate: return find_rate(g, judged);
        case quantity::p999: return find_tail(0.999, judged);
        case quantity::p9999: return find_tail(0.9999, judged);
        case quantity::p99:
            if (own_ != nullptr) judged.found = exactly(1e-3 * static_cast<double>(own_->latencies.quantile(0.99)));
            return;
        case quantity::stall:
        case quantity::empty_map: return take_figure(&figure::first, judged);
        case quantity::work:
        case quantity::four_entries: return take_figure(&figure::second, judged);
        case quantity::forty_entries: return take_figure(&figure::third, judged);
        case quantity::bytes:
        case quantity::most_bytes: break;
        }
        const auto map = std::ranges::find(outcome_.job.maps, g.of, &candidate::name);
        if (map == outcome_.job.maps.end()) return;
        const weight found = outcome_.weight_of(**map, cell_.measured.what);
        if (const auto bytes = g.what == quantity::bytes ? found.fair() : found.most_bytes) judged.found = exactly(*bytes);
    }

    void find_rate(const goal& g, judged_goal& judged) const {
        if (own_ == nullptr) return;
        if (g.against == rival::two_threads) {
            if (const candidate_result* const two = own_with_two_threads()) {
                judged.found = exactly(spread_of(own_->rates).median / spread_of(two->rates).median);
            }
            return;
        }
        const candidate_result* const other = rival_of(g.against);
        if (other == nullptr) return;
        judged.found = paired_ratio(own_->rates, other->rates);
        if (candidate_of(g.against).empty()) judged.against = other->map->name;
    }

    const candidate_result* rival_of(rival against) const {
        if (const std::string_view name = candidate_of(against); !name.empty()) return cell_.find(name);
        const candidate_result* best = nullptr;
        for (const candidate_result& r : cell_.measured.maps) {
            const bool fits = against == rival::general ? takes_any_type(*r.map) : r.map->part == role::peer;
            if (fits && (best == nullptr || spread_of(r.rates).median > spread_of(best->rates).median)) best = &r;
        }
        return best;
    }

    void find_tail(double share, judged_goal& judged) const {
        if (own_ == nullptr) return;
        const candidate_result* best = nullptr;
        const auto tail = [&](const candidate_result& r) { return static_cast<double>(r.latencies.quantile(share)); };
        for (const candidate_result& r : cell_.measured.maps) {
            if (r.map->part == role::peer && (best == nullptr || tail(r) < tail(*best))) best = &r;
        }
        if (best == nullptr || tail(*best) == 0) return;
        judged.found = exactly(tail(*own_) / tail(*best));
        judged.against = best->map->name;
    }

    void take_figure(double figure::* which, judged_goal& judged) const {
        for (const figure& f : cell_.figures) {
            if (f.map->name == flagship) judged.found = exactly(f.*which);
        }
    }

    const candidate_result* own_with_two_threads() const {
        const auto cell = std::ranges::find(outcome_.job.limits, two_thread_cell, &limit_cell::name);
        if (cell == outcome_.job.limits.end()) return nullptr;
        const auto index = static_cast<std::size_t>(cell - outcome_.job.limits.begin());
        return index < outcome_.cells.size() ? outcome_.cells[index].find(flagship) : nullptr;
    }

    const bench_outcome& outcome_;
    const cell_outcome& cell_;
    const candidate_result* own_ = nullptr; ///< the map that is judged
};

std::string in_words(const spread& s) {
    if (s.least == s.most) return fmt::format("{:.2f}", s.median);
    return fmt::format("{:.2f} ({:.2f} - {:.2f})", s.median, s.least, s.most);
}

std::string ratio_of(const limit_standing& found, std::string_view row) {
    const auto ratio = std::ranges::find(found.ratios, row, [](const row_ratio& r) { return r.row->name; });
    return ratio == found.ratios.end() ? "-" : fmt::format("{:.2f}", ratio->ratio.median);
}

std::string_view fate_of(const judged_goal& goal) { return !goal.found ? "not measured here" : goal.met ? "met" : "not met"; }

void print_rates(std::FILE* out, const cell_outcome& cell) {
    std::vector<const candidate_result*> ranking;
    for (const candidate_result& map : cell.measured.maps) ranking.push_back(&map);
    std::ranges::sort(ranking, std::greater<>{}, [](const candidate_result* map) { return spread_of(map->rates).median; });
    const candidate_result* const own = cell.find(flagship);
    fmt::print(out, "  {:<20}{:>9}{:>19}{:>9}  {:<21}{:>9}{:>10}\n", "", "Mops/s", "range", "ns/op", "map / it", "p99.9",
               "p99.99");
    for (const candidate_result* const map : ranking) {
        const spread rate = spread_of(map->rates);
        const bool apart = map->map->is_private_in(cell.measured.what);
        fmt::print(out, "  {:<20}{:>9}{:>19}{:>9.1f}  {:<21}{:>9}{:>10}\n",
                   fmt::format("{}{}", map->map->name,
                               apart                           ? " (own copies)"
                               : map->map->part == role::limit ? " (limit)"
                                                               : ""),
                   in_millions(rate.median), in_millions(rate.least) + " - " + in_millions(rate.most),
                   1e9 * cell.measured.what.threads / rate.median,
                   own == nullptr || own == map ? "" : in_words(paired_ratio(own->rates, map->rates)),
                   with_separators(map->latencies.quantile(0.999)), with_separators(map->latencies.quantile(0.9999)));
    }
}

void print_stalls(std::FILE* out, const cell_outcome& cell) {
    fmt::print(out, "  {:<20}{:>24}{:>30}\n", "", "longest operation, ms", "its processor time, ms");
    for (const figure& f : cell.figures) fmt::print(out, "  {:<20}{:>24.2f}{:>30.2f}\n", f.map->name, f.first, f.second);
}

void print_footprints(std::FILE* out, const cell_outcome& cell) {
    fmt::print(out, "  {:<20}{:>24}{:>16}{:>16}\n", "", "empty: bytes on the heap", "four entries", "forty entries");
    for (const figure& f : cell.figures) {
        fmt::print(out, "  {:<20}{:>24.0f}{:>16.0f}{:>16.0f}\n", f.map->name, f.first, f.second, f.third);
    }
}

void print_weights(std::FILE* out, const bench_outcome& outcome, const cell_outcome& cell) {
    fmt::print(out, "  {:<20}{:>16}{:>26}{:>16}\n", "", "bytes an entry", "mean over a doubling", "most in it");
    for (const candidate* const map : outcome.job.maps) {
        const weight w = outcome.weight_of(*map, cell.measured.what);
        if (!w.bytes_per_entry || !cell.limit->has(*map)) continue;
        const auto or_dash = [](const std::optional<double>& bytes) { return bytes ? fmt::format("{:.1f}", *bytes) : "-"; };
        fmt::print(out, "  {:<20}{:>16.1f}{:>26}{:>16}\n", map->name, *w.bytes_per_entry, or_dash(w.mean_bytes),
                   or_dash(w.most_bytes));
    }
}

/// The figure that stands for the cell in one line.
std::string figure_of(const cell_outcome& cell, const limit_standing& found) {
    if (const candidate_result* const own = cell.find(flagship)) return in_millions(spread_of(own->rates).median) + " M/s";
    if (found.goals.empty() || !found.goals.front().found) return "-";
    const double value = found.goals.front().found->median;
    switch (cell.limit->kind) {
    case measure::stall: return fmt::format("{:.2f} ms", value);
    case measure::weight: return fmt::format("{:.1f} B", value);
    default: return fmt::format("{:.0f} B", value);
    }
}

} // namespace

standing standing_of(const spread& ratio) {
    return ratio.least > 1 ? standing::ahead : ratio.most < 1 ? standing::behind : standing::level;
}

std::string_view name_of(standing found) {
    return found == standing::ahead ? "ahead" : found == standing::level ? "level" : "behind";
}

std::size_t limit_standing::goals_met() const {
    return static_cast<std::size_t>(std::ranges::count_if(goals, &judged_goal::met));
}
std::size_t limit_standing::goals_measured() const {
    return static_cast<std::size_t>(std::ranges::count_if(goals, [](const judged_goal& g) { return g.found.has_value(); }));
}

limit_standing limit_standing_of(const bench_outcome& outcome, std::size_t index) {
    const cell_outcome& cell = outcome.cells[index];
    limit_standing result;
    if (const candidate_result* const own = cell.find(flagship)) {
        for (const candidate_result& map : cell.measured.maps) {
            if (&map != own) result.ratios.push_back({map.map, paired_ratio(own->rates, map.rates)});
        }
        std::ranges::sort(result.ratios, {}, [](const row_ratio& r) { return r.ratio.median; });
        const auto peer = std::ranges::find(result.ratios, role::peer, [](const row_ratio& r) { return r.row->part; });
        if (peer != result.ratios.end()) result.best_peer = &*peer;
    }
    std::ranges::transform(cell.limit->goals, std::back_inserter(result.goals), judge(outcome, index));
    return result;
}

void print_limits_heading(std::FILE* out, const bench_job& job) {
    fmt::print(
        out,
        "{} interleaved rounds of {:g} s in random order, all maps alive; {}; syncmap's hash for all. Mops/s: all threads\n"
        "together, median and range. map / it: the rate of `map` by that of the row, median and range over the rounds.\n"
        "ahead, behind: in every round; level: some this, some that. p99.9, p99.99: of one operation, in ns, in a pass of\n"
        "its own. own copies: a map for each thread, since it is not synchronised\n\n",
        job.rounds, job.round_seconds.value_or(0), job.pin ? "threads pinned where they fit" : "threads not pinned");
}

void print_limit_cell(std::FILE* out, const bench_outcome& outcome, std::size_t index) {
    const cell_outcome& cell = outcome.cells[index];
    fmt::print(out, "[{}/{}] {}: {}\n", index + 1, outcome.job.cells.size(), cell.limit->name, describe(cell.measured.what));
    switch (cell.limit->kind) {
    case measure::rate:
    case measure::tail: print_rates(out, cell); break;
    case measure::stall: print_stalls(out, cell); break;
    case measure::weight: print_weights(out, outcome, cell); break;
    case measure::footprint: print_footprints(out, cell); break;
    }
    print_excluded(out, cell);
    const limit_standing found = limit_standing_of(outcome, index);
    for (const judged_goal& goal : found.goals) {
        fmt::print(out, "  goal {:<42}{:<22}{}{}\n", goal.text, goal.found ? in_words(*goal.found) : "", fate_of(goal),
                   goal.against.empty() ? "" : fmt::format(" ({})", goal.against));
    }
    fmt::print(out, "\n");
    std::fflush(out);
}

void print_limits(std::FILE* out, const bench_outcome& outcome) {
    fmt::print(out, "{:<24}{:>11}{:>8}{:>8}{:>8}{:>8}{:>8}  {:<28}{}\n", "cell", "map", "/ flat", "/ array", "/ xchg", "/ line",
               "/ mutex", "/ best peer here", "goals met");
    std::size_t met = 0, measured = 0, all = 0;
    for (std::size_t i = 0; i < outcome.cells.size(); ++i) {
        const cell_outcome& cell = outcome.cells[i];
        const limit_standing found = limit_standing_of(outcome, i);
        const std::string peer = found.best_peer == nullptr
                                     ? "-"
                                     : fmt::format("{:.2f} {}, {}", found.best_peer->ratio.median, found.best_peer->row->name,
                                                   name_of(standing_of(found.best_peer->ratio)));
        fmt::print(out, "{:<24}{:>11}{:>8}{:>8}{:>8}{:>8}{:>8}  {:<28}{} of {}\n", cell.limit->name, figure_of(cell, found),
                   ratio_of(found, "flat"), ratio_of(found, "array"), ratio_of(found, "xchg_array"), ratio_of(found, "line"),
                   ratio_of(found, "mutex_flat"), peer, found.goals_met(), found.goals_measured());
        met += found.goals_met();
        measured += found.goals_measured();
        all += found.goals.size();
    }
    fmt::print(out, "\n{} of {} goals that could be measured are met; {} more have a rival that is not installed here.\n", met,
               measured, all - measured);
    const double others = outcome.worst_foreign_load();
    if (others >= disturbing_load) {
        fmt::print(out,
                   "Other programs took up to {:.0f} % of the processors meanwhile: trust the ratios more than the rates.\n",
                   100 * others);
    }
}

} // namespace syncmap::tool
