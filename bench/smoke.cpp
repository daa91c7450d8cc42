#include "smoke.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include <unistd.h>

#include "memory.hpp"
#include "rounds.hpp"
#include "sandbox.hpp"

namespace syncmap::bench {
namespace {

constexpr std::uint64_t entries_worth_weighing = 100'000; ///< fewer drown in pages: then several maps are made
constexpr std::uint64_t most_maps = 1024;
constexpr std::uint64_t doubling_limit = 1'000'000; ///< above, the doubling would take too long
constexpr std::uint64_t keys_for_a_try = 10'000;

/// What the child writes into the pipe.
struct findings {
    double bytes_per_entry = std::numeric_limits<double>::quiet_NaN();
    double mean_bytes = std::numeric_limits<double>::quiet_NaN();
    double most_bytes = std::numeric_limits<double>::quiet_NaN();
};

template <class Key>
findings weigh(const candidate& map, std::uint64_t entries) {
    findings found;
    const std::uint64_t copies = std::clamp<std::uint64_t>(entries_worth_weighing / entries, 1, most_maps);
    std::vector<std::unique_ptr<subject<Key>>> subjects(copies);
    std::uint64_t inside = 0;
    const auto before = resident_bytes();
    if (!before) return found;
    for (auto& subject : subjects) subject = map.make<Key>();
    const auto weight_at = [&](std::uint64_t size) {
        for (auto& subject : subjects) insert_keys(*subject->enter(), {inside, size, 1});
        inside = size;
        const std::uint64_t now = resident_bytes().value_or(*before);
        return static_cast<double>(now - std::min(now, *before)) / static_cast<double>(size * copies);
    };
    found.bytes_per_entry = weight_at(entries);
    if (entries > doubling_limit) return found;
    constexpr int steps = 8;
    double sum = found.bytes_per_entry;
    double most = found.bytes_per_entry;
    for (int step = 1; step < steps; ++step) {
        const double bytes =
            weight_at(static_cast<std::uint64_t>(static_cast<double>(entries) * std::exp2(step / double{steps})));
        sum += bytes;
        most = std::max(most, bytes);
    }
    found.mean_bytes = sum / steps;
    found.most_bytes = most;
    return found;
}

/// The cell's own workload on a small map, for an instant.
template <class Key>
void exercise(const candidate& map, cell cell) {
    cell.keys = std::min(cell.keys, std::max<std::uint64_t>(keys_for_a_try, 4 * cell.threads));
    const auto streams = make_all_requests<Key>(cell, 1);
    contestant<Key> tried(map, cell, streams, false);
    tried.fill();
    if (cell.what->single_pass()) {
        tried.run_once(nullptr);
    } else {
        tried.run_for(std::chrono::milliseconds(10), nullptr);
    }
    tried.drop();
}

template <class Key>
findings examine(const candidate& map, const cell& cell, bool measure_memory) {
    findings found;
    if (measure_memory) found = weigh<Key>(map, cell.keys);
    exercise<Key>(map, cell);
    return found;
}

} // namespace

smoke_result try_out(const candidate& map, const cell& cell, bool measure_memory) {
    const sandbox_result ended = run_apart([&] {
        promise_to_return_within(20 + 20e-6 * static_cast<double>(cell.keys));
        // The last words of a map that crashes would disturb the output; the caller tells what happened.
        if (freopen("/dev/null", "w", stderr) == nullptr) _exit(EXIT_FAILURE);
        byte_writer out;
        out.put(cell.kind == key_kind::integer ? examine<std::uint64_t>(map, cell, measure_memory)
                                               : examine<std::string>(map, cell, measure_memory));
        return out.take();
    });
    if (!ended.failure.empty()) return {ended.failure};
    const auto found = byte_reader(ended.answer).get<findings>();
    smoke_result result;
    if (!std::isnan(found.bytes_per_entry)) result.bytes_per_entry = found.bytes_per_entry;
    if (!std::isnan(found.mean_bytes)) result.mean_bytes = found.mean_bytes;
    if (!std::isnan(found.most_bytes)) result.most_bytes = found.most_bytes;
    return result;
}

} // namespace syncmap::bench
