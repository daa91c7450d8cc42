#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include <syncmap/map.hpp>

#include "guarantee_parts.hpp"
#include "payload.hpp"
#include "rounds.hpp"

namespace syncmap::bench {
namespace {

using key = std::uint64_t;
using map_type = syncmap::map<key, key>;

void fill(map_type& map, std::uint64_t keys, std::uint64_t value) {
    map.reserve(keys);
    for (std::uint64_t i = 0; i < keys; ++i) map.store(payload<key>::key(i), value);
}

/// What a thread that reads without pause sees of a step that another thread takes; milliseconds.
struct sight {
    double visible = 0; ///< from the call to the end of the first read that gave the new answer
    double whole = 0;   ///< ... to the end of the step
    double work = 0;    ///< processor time of the longest of these reads
};

double milliseconds(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

/// `is_new(answer of a read)` once `step` has taken effect.
template <class Step, class IsNew>
sight watch(const map_type& map, const Step& step, const IsNew& is_new) {
    std::atomic<std::uint64_t> reads{0};
    std::atomic<bool> called{false};
    sight found;
    double first_new = 0;
    double begin = 0;
    run_team(
        1, false,
        [&](unsigned) {
            const key watched = payload<key>::key(0);
            for (;;) {
                const bool counts = called.load(std::memory_order_relaxed);
                const double work = milliseconds(CLOCK_THREAD_CPUTIME_ID);
                const auto answer = map.load(watched);
                if (counts) found.work = std::max(found.work, milliseconds(CLOCK_THREAD_CPUTIME_ID) - work);
                if (is_new(answer)) break;
                reads.fetch_add(1, std::memory_order_release);
            }
            first_new = milliseconds(CLOCK_MONOTONIC);
        },
        [&] {
        // Begins while the other thread has a processor of its own: when it gets on in an instant.
            constexpr double instant = 0.02;
            for (double looked = 0;;) {
                looked = milliseconds(CLOCK_MONOTONIC);
                const std::uint64_t seen = reads.load(std::memory_order_acquire);
                while (reads.load(std::memory_order_acquire) < seen + 2) {}
                if (seen != 0 && milliseconds(CLOCK_MONOTONIC) - looked < instant) break;
            }
            called.store(true, std::memory_order_relaxed);
            begin = milliseconds(CLOCK_MONOTONIC);
            step();
            found.whole = milliseconds(CLOCK_MONOTONIC) - begin;
        });
    found.visible = first_new - begin;
    return found;
}

} // namespace

std::vector<guarantee_figure> measure_clear(const guarantee_plan& plan) {
    constexpr double bound = 1;
    const std::string at = std::to_string(plan.most) + " entries, ";
    guarantee_figure visible{at + "until another thread sees the map empty", "ms", {}, bound};
    guarantee_figure whole{at + "until the caller has taken the table apart", "ms", {}};
    map_type map;
    for (unsigned round = 0; round < plan.rounds; ++round) {
        fill(map, plan.most, 1);
        const sight seen = watch(map, [&] { map.clear(); }, [](const auto& answer) { return !answer; });
        visible.values.push_back(seen.visible);
        whole.values.push_back(seen.whole);
    }
    return {std::move(visible), std::move(whole)};
}

std::vector<guarantee_figure> measure_replace(const guarantee_plan& plan) {
    constexpr double bound = 1;
    const std::string at = std::to_string(plan.most) + " entries by as many, ";
    guarantee_figure work{at + "processor time of another thread's longest read meanwhile", "ms", {}, bound};
    guarantee_figure whole{at + "the caller prepares the new table and takes the old one apart", "ms", {}};
    map_type map;
    fill(map, plan.most, 0);
    for (std::uint64_t round = 1; round <= plan.rounds; ++round) {
        map_type next;
        fill(next, plan.most, round);
        const sight seen =
            watch(map, [&] { map.replace(std::move(next)); }, [&](const auto& answer) { return answer && *answer == round; });
        work.values.push_back(seen.work);
        whole.values.push_back(seen.whole);
    }
    return {std::move(work), std::move(whole)};
}

} // namespace syncmap::bench
