// Several contestants that take turns, so that what disturbs the machine for longer disturbs all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "guarantee_costs.hpp"
#include "run_loop.hpp"

namespace syncmap::bench {

struct contestant {
    std::string name;
    std::vector<stretch_of_work> work; ///< of each thread
};

/// The numbers of entries that the suite `cache` has: 1e4 and those of the plan, but none above its largest.
std::vector<std::uint64_t> cache_sizes(const guarantee_plan& plan);
/// 1, 2, 4, ... below the number of processors, and that number.
std::vector<unsigned> thread_counts();

/// "1e5 entries, 2 threads: ". For other numbers than powers of ten all digits.
std::string cell_name(std::uint64_t entries, unsigned threads);

/// Operations of all threads together: for each contestant one number of each round.
struct round_rates {
    std::vector<std::vector<double>> per_second;
    std::vector<std::vector<double>> per_processor_second; ///< hardly disturbed by other programs, and blind to waiting
};
round_rates run_side_by_side(const std::vector<contestant>& all, const guarantee_plan& plan);

/// What a cell's contestants have to do with each other, as figures.
class cell_figures {
public:
    cell_figures(std::string cell, const std::vector<contestant>& all, const guarantee_plan& plan);

    /// The rate of each, in millions a second.
    void add_rates(std::vector<guarantee_figure>& to) const;
    /// One contestant's rate by another's, round by round.
    void add_ratio(std::size_t of, std::size_t by, std::optional<double> bound, std::vector<guarantee_figure>& to) const;
    /// The same by processor time.
    void add_processor_ratio(std::size_t of, std::size_t by, std::vector<guarantee_figure>& to) const;

private:
    std::string cell_;
    const std::vector<contestant>& all_;
    round_rates rates_;
};

} // namespace syncmap::bench
