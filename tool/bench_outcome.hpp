// Everything that one `syncmap bench` found out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bench_options.hpp"
#include "contest.hpp"
#include "smoke.hpp"

namespace syncmap::tool {

/// The candidate that the others are compared with, and the one that this project is about.
inline constexpr std::string_view baseline = "mutex";
inline constexpr std::string_view flagship = "map";

/// Share of the best that is closer to it than people can tell in a program.
inline constexpr double close_enough = 0.9;
/// Share of the processors in other hands above which figures mislead.
inline constexpr double disturbing_load = 0.12;

/// What a cell of the suite `limits` has of a map that is no rate.
struct figure {
    const bench::candidate* map;
    double first;
    double second;
    double third = 0;
};

struct cell_outcome {
    bench::cell_result measured; ///< its maps are those that answered rightly
    std::vector<bench::candidate_result> excluded{}; ///< those that did not: measured, and of no rank
    const bench::limit_cell* limit = nullptr; ///< of the suite `limits`
    std::vector<figure> figures{};

    /// What the contest of the cell has found. Maps with wrong answers are excluded.
    void take(bench::cell_result found);

    const bench::candidate_result* find(std::string_view name) const;
    /// The best median of the maps that several threads may use, or null when there is none.
    const bench::candidate_result* fastest() const;
    /// The best median among the others.
    const bench::candidate_result* fastest_beside(const bench::candidate_result& one) const;
};

struct weight {
    std::optional<double> bytes_per_entry{}; ///< at the cell's keys
    std::optional<double> mean_bytes{};      ///< mean from the cell's keys to twice as many
    std::optional<double> most_bytes{};      ///< the most between them
    /// The mean where there is one: it cannot be lucky about where a table's last growth step fell.
    std::optional<double> fair() const { return mean_bytes ? mean_bytes : bytes_per_entry; }
};

struct bench_outcome {
    bench_job job{};
    std::map<std::tuple<std::string_view, bench::key_kind, std::uint64_t>, weight> weights{};
    std::vector<cell_outcome> cells{};
    double seconds = 0;

    weight weight_of(const bench::candidate& map, const bench::cell& cell) const;
    /// The largest share of the processors that other programs took during a cell.
    double worst_foreign_load() const;
    /// The maps that failed or answered wrongly, each with the cells where it did: "xenium (read-100 100k/2T)".
    std::vector<std::string> excluded() const;
    /// Did one of syncmap's own maps answer wrongly or fail?
    bool own_maps_failed() const;
};

} // namespace syncmap::tool
