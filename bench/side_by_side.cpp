#include "side_by_side.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "thread_team.hpp"

namespace syncmap::bench {

std::vector<std::uint64_t> cache_sizes(const guarantee_plan& plan) {
    std::vector<std::uint64_t> sizes{std::min<std::uint64_t>(10'000, plan.most), plan.many, plan.most};
    std::ranges::sort(sizes);
    sizes.erase(std::ranges::unique(sizes).begin(), sizes.end());
    return sizes;
}

std::vector<unsigned> thread_counts() {
    const unsigned processors = usable_processors();
    std::vector<unsigned> counts;
    for (unsigned threads = 1; threads < processors; threads *= 2) counts.push_back(threads);
    counts.push_back(processors);
    return counts;
}

std::string cell_name(std::uint64_t entries, unsigned threads) {
    const double power = std::log10(static_cast<double>(entries));
    const std::string number =
        power == std::floor(power) ? "1e" + std::to_string(static_cast<int>(power)) : std::to_string(entries);
    return number + " entries, " + std::to_string(threads) + (threads == 1 ? " thread: " : " threads: ");
}

round_rates run_side_by_side(const std::vector<contestant>& all, const guarantee_plan& plan) {
    constexpr std::size_t turns = 5;
    round_rates rates{std::vector<std::vector<double>>(all.size()), std::vector<std::vector<double>>(all.size())};
    for (unsigned round = 0; round < plan.rounds; ++round) {
        std::vector<pace> sums(all.size());
        for (std::size_t turn = 0; turn < turns; ++turn) {
            for (std::size_t i = 0; i < all.size(); ++i) {
                const std::size_t next = (i + turn + round) % all.size();
                for (const pace& thread : run_loop(all[next].work, plan.round_seconds / turns, plan.pin)) {
                    sums[next].per_second += thread.per_second;
                    sums[next].per_processor_second += thread.per_processor_second;
                }
            }
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            rates.per_second[i].push_back(sums[i].per_second / turns);
            rates.per_processor_second[i].push_back(sums[i].per_processor_second / turns);
        }
    }
    return rates;
}

namespace {

std::vector<double> ratios(const std::vector<double>& of, const std::vector<double>& by) {
    std::vector<double> found;
    std::ranges::transform(of, by, std::back_inserter(found), [](double x, double y) { return x / y; });
    return found;
}

} // namespace

cell_figures::cell_figures(std::string cell, const std::vector<contestant>& all, const guarantee_plan& plan)
    : cell_(std::move(cell)), all_(all), rates_(run_side_by_side(all, plan)) {}

void cell_figures::add_rates(std::vector<guarantee_figure>& to) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
        guarantee_figure figure{cell_ + all_[i].name, "M/s", rates_.per_second[i]};
        for (double& rate : figure.values) rate *= 1e-6;
        to.push_back(std::move(figure));
    }
}

void cell_figures::add_ratio(std::size_t of, std::size_t by, std::optional<double> bound,
                             std::vector<guarantee_figure>& to) const {
    to.push_back({cell_ + all_[of].name + " by " + all_[by].name, "ratio", ratios(rates_.per_second[of], rates_.per_second[by]),
                  bound, true});
}

void cell_figures::add_processor_ratio(std::size_t of, std::size_t by, std::vector<guarantee_figure>& to) const {
    to.push_back({cell_ + all_[of].name + " by " + all_[by].name + ", by processor time", "ratio",
                  ratios(rates_.per_processor_second[of], rates_.per_processor_second[by])});
}

} // namespace syncmap::bench
