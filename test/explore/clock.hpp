// What a thread knows of the others: for each of them, up to which of its events.
#pragma once

#include <array>
#include <cstdint>

namespace explore {

inline constexpr unsigned most_fibers = 8;

/// A vector clock. Sixteen bits are enough: an execution has fewer steps.
struct clock {
    std::array<std::uint16_t, most_fibers> of{};

    void join(const clock& other) noexcept {
        for (unsigned i = 0; i != most_fibers; ++i) of[i] = of[i] < other.of[i] ? other.of[i] : of[i];
    }
    bool has(unsigned fiber, std::uint16_t event) const noexcept { return event <= of[fiber]; }
    /// Whether all that `other` knows is known here.
    bool covers(const clock& other) const noexcept {
        bool all = true;
        for (unsigned i = 0; i != most_fibers; ++i) all &= other.of[i] <= of[i];
        return all;
    }
    /// Whether some event that is noted in `events` (zero: none) is known here.
    bool has_any(const clock& events) const noexcept {
        bool any = false;
        for (unsigned i = 0; i != most_fibers; ++i) any |= events.of[i] != 0 && events.of[i] <= of[i];
        return any;
    }
};

} // namespace explore
