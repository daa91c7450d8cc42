#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <syncmap/map.hpp>

#include "candidates/family.hpp"
#include "comparison.hpp"
#include "guarantee_parts.hpp"
#include "rounds.hpp"

namespace syncmap::bench {
namespace {

using key = std::uint64_t;
using family = family_map<syncmap::map<key, key>>;

constexpr workload writes{"writes", "overwrites, and inserts and erases, half of each", choice::uniform, 0, 50, 0, 0, 50};
constexpr workload reads{"reads", "reads", choice::uniform, 100, 0, 0, 0, 0};

/// One thread's way through its requests.
class worker {
public:
    worker(family& map, const workload& what, std::uint64_t keys, std::uint64_t seed)
        : session_(map), stream_(make_requests<key>(cell{&what, keys, 1}, 0, seed)) {}
    stretch_of_work work() {
        return [this] {
            const request_view<key> requests = stream_.view(at_, stretch);
            at_ = at_ + requests.size == stream_.size() ? 0 : at_ + requests.size;
            return session_.execute(requests).done;
        };
    }

private:
    detail::adapted_session<family, key> session_;
    request_stream<key> stream_;
    std::size_t at_ = 0;
};

void fill(family& map, std::uint64_t keys) {
    for (std::uint64_t i = 0; i < keys; ++i) map.store(payload<key>::key(i), i);
}

double microseconds_of(const auto& f) {
    const auto begin = monotonic::now();
    f();
    return std::chrono::duration<double, std::micro>(monotonic::now() - begin).count();
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

} // namespace

std::vector<guarantee_figure> measure_living_snapshot(const guarantee_plan& plan) {
    constexpr double writers_keep = 0.8;
    std::vector<guarantee_figure> found;
    for (const std::uint64_t keys : {std::uint64_t{100'000}, plan.many}) {
        family map;
        fill(map, keys);
        worker writer(map, writes, keys, plan.seed);
        worker reader(map, reads, keys / 2, plan.seed); // those that stay
        const std::vector<stretch_of_work> both{writer.work(), reader.work()};
        const auto without = [&](double length) { return run_loop(both, length, plan.pin); };
        const auto from_the_beginning = [&](double length) {
            const auto alive = map.plain().snapshot();
            return run_loop(both, length, plan.pin);
        };
        const auto of_age = [&](double length) {
            const auto alive = map.plain().snapshot();
            fill(map, keys); // each bucket is preserved once
            return run_loop(both, length, plan.pin);
        };
        const std::string at = std::to_string(keys) + " keys, ";
        // Few turns: a snapshot lives for one of them.
        const comparison compare(plan, 2);
        const std::string life = std::to_string(static_cast<int>(500 * plan.round_seconds)) + " ms of a snapshot";
        compare.add(from_the_beginning, without,
                    {{{0, 1}, at + "writer, the first " + life, writers_keep}, {{1, 2}, at + "reader, the first " + life}},
                    found);
        compare.add(of_age, without,
                    {{{0, 1}, at + "writer, once each bucket was written", writers_keep},
                     {{1, 2}, at + "reader, once each bucket was written"}},
                    found);
    }
    return found;
}

std::vector<guarantee_figure> measure_taking_snapshots(const guarantee_plan& plan) {
    constexpr int takings = 100;
    std::vector<guarantee_figure> found;
    for (const std::uint64_t keys : {std::uint64_t{10'000}, plan.many, plan.most}) {
        family map;
        fill(map, keys);
        const auto each_round = [&](const std::string& what) {
            guarantee_figure taken{what + ", taking: median of 100", "us", {}};
            guarantee_figure dropped{what + ", dropping: median of 100", "us", {}};
            for (unsigned round = 0; round < plan.rounds; ++round) {
                std::vector<double> takes;
                std::vector<double> drops;
                for (int i = 0; i < takings; ++i) {
                    using snapshot = decltype(map.plain().snapshot());
                    std::optional<snapshot> alive;
                    takes.push_back(microseconds_of([&] { alive.emplace(map.plain().snapshot()); }));
                    drops.push_back(microseconds_of([&] { alive.reset(); }));
                }
                taken.values.push_back(median(std::move(takes)));
                dropped.values.push_back(median(std::move(drops)));
            }
            found.push_back(std::move(taken));
            found.push_back(std::move(dropped));
        };
        each_round(std::to_string(keys) + " entries, nobody else");
        worker writer(map, writes, keys, plan.seed);
        const stretch_of_work work = writer.work();
        std::atomic<bool> over{false};
        run_team(
            1, false,
            [&](unsigned) {
                while (!over.load(std::memory_order_relaxed)) work();
            },
            [&] {
                each_round(std::to_string(keys) + " entries, beside a writer");
                over = true;
            });
    }
    return found;
}

} // namespace syncmap::bench
