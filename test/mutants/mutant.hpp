// Which mutant of the engine is alive in this process: scripts/mutants.py puts these calls into a copy of the headers.
#pragma once

#include <atomic>
#include <cstdlib>

namespace mutants {

inline const unsigned long active = [] {
    const char* const number = std::getenv("SYNCMAP_MUTANT");
    return number == nullptr ? 0UL : std::strtoul(number, nullptr, 10);
}();

inline bool is(unsigned long number) noexcept { return number == active; }
inline std::memory_order order(unsigned long number, std::memory_order weaker, std::memory_order right) noexcept {
    return is(number) ? weaker : right;
}

} // namespace mutants
