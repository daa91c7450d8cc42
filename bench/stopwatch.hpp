// Times one operation.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace syncmap::bench {

/// From its making to `elapsed()`: nanoseconds, less what looking at the clock takes by itself.
class stopwatch {
    using clock = std::chrono::steady_clock;

public:
    std::uint64_t elapsed() const {
        static const std::uint64_t overhead = own_time();
        const std::uint64_t raw = since_start();
        return raw - std::min(raw, overhead);
    }

private:
    std::uint64_t since_start() const {
        return static_cast<std::uint64_t>(std::chrono::nanoseconds(clock::now() - start_).count());
    }
    static std::uint64_t own_time() {
        std::array<std::uint64_t, 1001> samples{};
        for (std::uint64_t& sample : samples) sample = stopwatch().since_start();
        std::ranges::nth_element(samples, samples.begin() + samples.size() / 2);
        return samples[samples.size() / 2];
    }

    clock::time_point start_ = clock::now();
};

} // namespace syncmap::bench
