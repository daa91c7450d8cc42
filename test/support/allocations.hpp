// Counts what the global operator new is asked for.
#pragma once

#include <cstddef>

namespace test {

/// Calls of the global `operator new` by the calling thread so far.
std::size_t allocations() noexcept;

/// So many bytes those calls have taken from the heap: a block of glibc has eight bytes more than it was asked for, and its
/// size is a multiple of sixteen. (Beside a sanitizer: zero.)
std::size_t allocated_bytes() noexcept;

/// How often `f` calls the global `operator new`.
template <class F>
std::size_t allocations_of(F&& f) {
    const std::size_t before = allocations();
    f();
    return allocations() - before;
}

} // namespace test
