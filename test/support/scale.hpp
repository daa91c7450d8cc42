// How much a stress or model test does.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string_view>

#include <syncmap/detail/sanitizers.hpp>

namespace test {

#if defined(SYNCMAP_ADDRESS_SANITIZER) || defined(SYNCMAP_THREAD_SANITIZER)
#define SYNCMAP_TEST_SANITIZED 1
#endif

#if defined(SYNCMAP_TEST_SANITIZED)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// How much slower than an optimised build a test is under a sanitizer: the one constant to turn.
inline constexpr std::size_t sanitizer_cost = 10;
/// What SYNCMAP_FULL=1 in the environment multiplies all counts with.
inline constexpr std::size_t full_run = 50;

inline bool is_full_run() {
    const char* const full = std::getenv("SYNCMAP_FULL");
    return full != nullptr && std::string_view(full) == "1";
}

/// `operations`, meant for an optimised build, as this run can afford them.
inline std::size_t scaled(std::size_t operations) {
    const std::size_t wanted = is_full_run() ? operations * full_run : operations;
    const std::size_t affordable = sanitized ? wanted / sanitizer_cost : wanted;
    return affordable != 0 ? affordable : 1;
}

} // namespace test
