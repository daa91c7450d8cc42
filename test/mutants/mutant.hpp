// Which mutant of the engine is alive in this process: scripts/mutants.py puts these calls into a copy of the headers.
#pragma once

#include <atomic>
#include <cstdlib>

namespace mutants {

inline const unsigned long active = [] {
    const char* const number = std::getenv("SYNCMAP_MUTANT");
    return number == nullptr ? 0UL : std::strtoul(number, nullptr, 10);
}();

/// Called where a mutant is, the living one or, with `profiling`, any. What it does is no part of what is explored.
inline void (*arrived)(unsigned long) = nullptr;
inline bool profiling = false;

/// Out of line: the explorer watches plain accesses, and those here are not the engine's.
[[gnu::no_sanitize("thread"), gnu::noinline]] inline bool is(unsigned long number) noexcept {
    if (arrived != nullptr && (profiling || number == active)) arrived(number);
    return number == active;
}
inline std::memory_order order(unsigned long number, std::memory_order weaker, std::memory_order right) noexcept {
    return is(number) ? weaker : right;
}

} // namespace mutants
