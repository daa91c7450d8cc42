#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <syncmap/map.hpp>

#include "payload.hpp"
#include "promise_parts.hpp"
#include "rounds.hpp"

namespace syncmap::bench {
namespace {

using key = std::uint64_t;
using map_type = syncmap::map<key, key>;

void fill(map_type& map, std::uint64_t keys, std::uint64_t value) {
    map.reserve(keys);
    for (std::uint64_t i = 0; i < keys; ++i) map.store(payload<key>::key(i), value);
}

/// What a thread that reads without pause sees of a step that another thread takes.
struct sight {
    double visible = 0; ///< milliseconds from the beginning of the step to the first new answer
    double whole = 0;   ///< ... to its end
    double longest = 0; ///< longest read, from the beginning of the step to its end or the new answer
};

/// `is_new(answer of a read)` once `step` has taken effect.
template <class Step, class IsNew>
sight watch(const map_type& map, const Step& step, const IsNew& is_new) {
    using milliseconds = std::chrono::duration<double, std::milli>;
    std::atomic<bool> reads{false};
    monotonic::time_point seen{};
    std::vector<std::pair<monotonic::time_point, monotonic::duration>> slow; // reads, with when they ended
    slow.reserve(1 << 16);
    monotonic::time_point begin{};
    monotonic::time_point end{};
    run_crew(1, false, [&](unsigned) {
        const key watched = payload<key>::key(0);
        constexpr monotonic::duration least = std::chrono::microseconds(20); // what is shorter is not worth telling
        for (monotonic::time_point before = monotonic::now();;) {
            const auto answer = map.load(watched);
            const monotonic::time_point after = monotonic::now();
            if (after - before > least && slow.size() < slow.capacity()) slow.emplace_back(after, after - before);
            before = after;
            reads.store(true, std::memory_order_release);
            if (!is_new(answer)) continue;
            seen = after;
            return;
        }
    }, [&] {
        while (!reads.load(std::memory_order_acquire)) {}
        begin = monotonic::now();
        step();
        end = monotonic::now();
    });
    sight found{milliseconds(seen - begin).count(), milliseconds(end - begin).count(), 0};
    for (const auto& [when, length] : slow) {
        if (when >= begin) found.longest = std::max(found.longest, milliseconds(length).count());
    }
    return found;
}

} // namespace

std::vector<promised_figure> measure_clear(const promise_plan& plan) {
    constexpr double bound = 1;
    const std::string at = std::to_string(plan.most) + " entries, ";
    promised_figure visible{at + "until another thread sees the map empty", "ms", {}, bound};
    promised_figure whole{at + "until the caller has taken the table apart", "ms", {}};
    map_type map;
    for (unsigned round = 0; round < plan.rounds; ++round) {
        fill(map, plan.most, 1);
        const sight seen = watch(map, [&] { map.clear(); }, [](const auto& answer) { return !answer; });
        visible.values.push_back(seen.visible);
        whole.values.push_back(seen.whole);
    }
    return {std::move(visible), std::move(whole)};
}

std::vector<promised_figure> measure_replace(const promise_plan& plan) {
    constexpr double bound = 1;
    const std::string at = std::to_string(plan.most) + " entries by as many, ";
    promised_figure longest{at + "longest read over 20 us of another thread, until its first new answer", "ms", {}, bound};
    promised_figure whole{at + "the caller prepares the new table and takes the old one apart", "ms", {}};
    map_type map;
    fill(map, plan.most, 0);
    for (std::uint64_t round = 1; round <= plan.rounds; ++round) {
        map_type next;
        fill(next, plan.most, round);
        const sight seen = watch(map, [&] { map.replace(std::move(next)); },
                                 [&](const auto& answer) { return answer && *answer == round; });
        longest.values.push_back(seen.longest);
        whole.values.push_back(seen.whole);
    }
    return {std::move(longest), std::move(whole)};
}

} // namespace syncmap::bench
