// Prefetches that stay in the program. GCC takes a function that does nothing but prefetch for one without effect, and removes
// calls of it. An empty assembly statement that names the address is an effect.
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
