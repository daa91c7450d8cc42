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

std::vector<std::vector<double>> run_side_by_side(const std::vector<contestant>& all, const guarantee_plan& plan) {
    constexpr std::size_t turns = 5;
    std::vector<std::vector<double>> rates(all.size());
    for (unsigned round = 0; round < plan.rounds; ++round) {
        std::vector<double> sums(all.size());
        for (std::size_t turn = 0; turn < turns; ++turn) {
            for (std::size_t i = 0; i < all.size(); ++i) {
                const std::size_t next = (i + turn + round) % all.size();
                for (const pace& thread : run_loop(all[next].work, plan.round_seconds / turns, plan.pin)) {
                    sums[next] += thread.per_second;
                }
            }
        }
        for (std::size_t i = 0; i < all.size(); ++i) rates[i].push_back(sums[i] / turns);
    }
    return rates;
}

void add_rates(const std::string& cell, const std::vector<contestant>& all, const std::vector<std::vector<double>>& rates,
               std::vector<guarantee_figure>& to) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        guarantee_figure figure{cell + all[i].name, "M/s", rates[i]};
        for (double& rate : figure.values) rate *= 1e-6;
        to.push_back(std::move(figure));
    }
}

void add_ratio(const std::string& cell, const std::vector<contestant>& all, const std::vector<std::vector<double>>& rates,
               std::size_t of, std::size_t by, std::optional<double> bound, std::vector<guarantee_figure>& to) {
    guarantee_figure figure{cell + all[of].name + " by " + all[by].name, "ratio", {}, bound, true};
    std::ranges::transform(rates[of], rates[by], std::back_inserter(figure.values), [](double x, double y) { return x / y; });
    to.push_back(std::move(figure));
}

} // namespace syncmap::bench
