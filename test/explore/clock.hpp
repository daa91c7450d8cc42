// What a thread knows of the others: for each of them, up to which of its events.
#pragma once

#include <cstdint>

/// Plain accesses within are not watched (plain_access.hpp): what they touch is the explorer's.
#if defined(__SANITIZE_THREAD__)
#define EXPLORE_UNWATCHED __attribute__((no_sanitize("thread")))
/// The same for what touches memory of explored programs: not a part of it may move into a caller that is watched.
#define EXPLORE_UNWATCHED_ACCESS __attribute__((no_sanitize("thread"), noipa))
/// The same for what every event calls, in line where nothing is watched (-O1 leaves that to us).
#define EXPLORE_UNWATCHED_INLINE EXPLORE_UNWATCHED
#else
#define EXPLORE_UNWATCHED
#define EXPLORE_UNWATCHED_INLINE [[gnu::always_inline]]
#define EXPLORE_UNWATCHED_ACCESS
#endif

namespace explore {

inline constexpr unsigned most_fibers = 8;

/// A vector clock. Sixteen bits are enough: an execution has fewer steps.
struct clock {
    std::uint16_t of[most_fibers]{};

    EXPLORE_UNWATCHED void join(const clock& other) noexcept {
        for (unsigned i = 0; i != most_fibers; ++i) of[i] = of[i] < other.of[i] ? other.of[i] : of[i];
    }
    EXPLORE_UNWATCHED bool has(unsigned fiber, std::uint16_t event) const noexcept { return event <= of[fiber]; }
    /// Whether all that `other` knows is known here.
    EXPLORE_UNWATCHED bool covers(const clock& other) const noexcept {
        bool all = true;
        for (unsigned i = 0; i != most_fibers; ++i) all &= other.of[i] <= of[i];
        return all;
    }
    /// Whether some event that is noted in `events` (zero: none) is known here.
    EXPLORE_UNWATCHED bool has_any(const clock& events) const noexcept {
        bool any = false;
        for (unsigned i = 0; i != most_fibers; ++i) any |= events.of[i] != 0 && events.of[i] <= of[i];
        return any;
    }
};

} // namespace explore
