// A monotonic time that costs a few nanoseconds: the one of the system's last tick.
#pragma once

#include <chrono>
#include <cstdint>

#if defined(__linux__)
#include <ctime>
#endif

namespace syncmap::sync {

/// Returns nanoseconds since some moment in the past. On Linux the value is up to 4 ms old; elsewhere it is exact.
inline std::int64_t coarse_time() noexcept {
#if defined(__linux__)
    std::timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
#else
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
}

} // namespace syncmap::sync
