// How long loads have taken: how many of them in each range of time, and all together.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <syncmap/cache/time/clocks.hpp>

namespace syncmap::cache_detail {

/// `Clock`: the cache's. The coarse one says too little of loads: they are measured by `steady_clock` then.
template <class Sync, class Clock>
class load_times {
public:
    static constexpr std::size_t ranges = 32;
    using measured_by = std::conditional_t<std::is_same_v<Clock, coarse_clock>, std::chrono::steady_clock, Clock>;
    using instant = decltype(std::declval<const measured_by&>().now());

    explicit load_times([[maybe_unused]] const Clock& clock) {
        if constexpr (!std::is_same_v<Clock, coarse_clock>) clock_ = clock;
    }

    instant now() const { return clock_.now(); }
    /// A load that has begun then has ended.
    void add(instant begun) noexcept {
        const std::chrono::nanoseconds taken = std::chrono::duration_cast<std::chrono::nanoseconds>(now() - begun);
        const auto n = static_cast<std::uint64_t>(taken.count() < 0 ? 0 : taken.count()); // a clock may go back
        const auto range = static_cast<std::size_t>(std::bit_width(n / 1000));
        counts_[range < ranges ? range : ranges - 1].fetch_add(1, std::memory_order_relaxed);
        nanoseconds_.fetch_add(n, std::memory_order_relaxed);
    }

    std::array<std::uint64_t, ranges> counts() const noexcept {
        std::array<std::uint64_t, ranges> all{};
        for (std::size_t i = 0; i != ranges; ++i) all[i] = counts_[i].load(std::memory_order_relaxed);
        return all;
    }
    std::uint64_t nanoseconds() const noexcept { return nanoseconds_.load(std::memory_order_relaxed); }

private:
    using counter = typename Sync::template atomic<std::uint64_t>;

    measured_by clock_{};
    counter nanoseconds_{0};
    std::array<counter, ranges> counts_{};
};

} // namespace syncmap::cache_detail
