// Prefetches that stay in the program. GCC 12 has removed a call of a function that does nothing but prefetch (decision 62).
// An empty assembly statement that names the address is an effect, which the compiler keeps.
#pragma once

namespace syncmap::detail {

/// Fetches the line at the address, which may be any.
[[gnu::always_inline]] inline void prefetch(const void* at) noexcept {
    __builtin_prefetch(at);
    asm volatile("" : : "r"(at));
}
/// The same for a line that the thread will write to.
[[gnu::always_inline]] inline void prefetch_to_write(const void* at) noexcept {
    __builtin_prefetch(at, 1);
    asm volatile("" : : "r"(at));
}

} // namespace syncmap::detail
