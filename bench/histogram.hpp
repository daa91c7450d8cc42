// Latencies in buckets whose width grows with the value: 3 % wide, from one nanosecond to hours.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>

namespace syncmap::bench {

class histogram {
public:
    void add(std::uint64_t nanoseconds) noexcept {
        ++counts_[bucket(nanoseconds)];
        longest_ = std::max(longest_, nanoseconds);
    }

    void merge(const histogram& other) noexcept {
        std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus<>{});
        longest_ = std::max(longest_, other.longest_);
    }

    std::uint64_t samples() const noexcept { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }
    std::uint64_t longest() const noexcept { return longest_; }

    /// The value that `share` (0 to 1) of the samples do not exceed, to the bucket's width.
    std::uint64_t quantile(double share) const noexcept {
        const std::uint64_t all = samples();
        const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(all));
        std::uint64_t passed = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            passed += counts_[i];
            if (passed > rank) return std::min(upper_end(i), longest_);
        }
        return longest_;
    }

private:
    static constexpr unsigned fine_bits = 5;
    static constexpr std::size_t steps = std::size_t{1} << fine_bits;

    static constexpr std::size_t bucket(std::uint64_t value) noexcept {
        if (value < steps) return value;
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - fine_bits;
        return std::min<std::size_t>((shift + 1) * steps + ((value >> shift) - steps), size - 1);
    }
    static constexpr std::uint64_t upper_end(std::size_t index) noexcept {
        if (index < steps) return index;
        const auto shift = static_cast<unsigned>(index / steps) - 1;
        return ((index % steps + steps + 1) << shift) - 1;
    }

    static constexpr std::size_t size = 40 * steps;
    std::array<std::uint64_t, size> counts_{};
    std::uint64_t longest_ = 0;
};

} // namespace syncmap::bench
