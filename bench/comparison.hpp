// The speed of threads in one state of affairs by that in another.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "guarantee_costs.hpp"
#include "run_loop.hpp"

namespace syncmap::bench {

/// In each round both states take turns many times: what disturbs the machine for longer disturbs both.
class comparison {
public:
    struct range {
        std::size_t first;
        std::size_t end;
    };

    explicit comparison(const guarantee_plan& plan, unsigned turns = 20) : plan_(plan), turns_(turns) {}

    /// The paces of all threads in one turn of the given length.
    using turn = std::function<std::vector<pace>(double seconds)>;

    /// Threads whose speed is compared, and what that is called.
    struct aspect {
        range threads;
        std::string name;
        std::optional<double> bound{};
    };
    void add(const turn& one, const turn& other, const std::vector<aspect>& aspects, std::vector<guarantee_figure>& to) const {
        std::vector<std::vector<double>> by_time(aspects.size());
        std::vector<std::vector<double>> by_processor(aspects.size());
        for (unsigned round = 0; round < plan_.rounds; ++round) {
            std::vector<pace> sums[2]{std::vector<pace>(aspects.size()), std::vector<pace>(aspects.size())};
            for (unsigned i = 0; i < 2 * turns_; ++i) {
                const bool first = (i + i / 2) % 2 == 0; // A B B A
                const std::vector<pace> paces = (first ? one : other)(plan_.round_seconds / turns_);
                for (std::size_t a = 0; a < aspects.size(); ++a) {
                    for (std::size_t thread = aspects[a].threads.first; thread < aspects[a].threads.end; ++thread) {
                        sums[first ? 0 : 1][a].per_second += paces[thread].per_second;
                        sums[first ? 0 : 1][a].per_processor_second += paces[thread].per_processor_second;
                    }
                }
            }
            for (std::size_t a = 0; a < aspects.size(); ++a) {
                by_time[a].push_back(sums[0][a].per_second / sums[1][a].per_second);
                by_processor[a].push_back(sums[0][a].per_processor_second / sums[1][a].per_processor_second);
            }
        }
        for (std::size_t a = 0; a < aspects.size(); ++a) {
            to.push_back({aspects[a].name, "ratio", std::move(by_time[a]), aspects[a].bound, true});
            to.push_back(
                {aspects[a].name + ", by processor time", "ratio", std::move(by_processor[a]), aspects[a].bound, true});
        }
    }

    void add(const std::vector<stretch_of_work>& one, const std::vector<stretch_of_work>& other, range threads,
             const std::string& name, std::optional<double> bound, std::vector<guarantee_figure>& to) const {
        const auto driven = [this](const std::vector<stretch_of_work>& work) {
            return [this, &work](double seconds) { return run_loop(work, seconds, plan_.pin); };
        };
        add(driven(one), driven(other), {{threads, name, bound}}, to);
    }

private:
    const guarantee_plan& plan_;
    unsigned turns_;
};

} // namespace syncmap::bench
