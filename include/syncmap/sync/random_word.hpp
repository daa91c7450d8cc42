// Random words for the secrets of maps.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/hash.hpp>

#if defined(__linux__)
#include <cerrno>
#include <cstring>
#include <ctime>
#include <sys/random.h>
#include <unistd.h>
#else
#include <random>
#endif

#if defined(__linux__)
// Of <sys/auxv.h>, which takes long to compile.
extern "C" unsigned long getauxval(unsigned long) noexcept;
#endif

namespace syncmap::sync {

namespace detail {

#if defined(__linux__)
/// Returns entropy that a sandbox cannot refuse, for one that refuses `getrandom`: the sixteen random bytes that the kernel
/// gives each program, mixed with the clock, the process number and addresses in the process. (Children by `fork` share the
/// sixteen bytes.)
[[gnu::cold, gnu::noinline]] inline hash_seed entropy_without_calls() noexcept {
    std::uint64_t words[2] = {};
    constexpr unsigned long random_bytes = 25; // AT_RANDOM
    if (const auto given = ::getauxval(random_bytes); given != 0) {
        std::memcpy(words, reinterpret_cast<const void*>(given), sizeof words); // NOLINT(performance-no-int-to-ptr)
    }
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const hash_seed folding{0x9E3779B97F4A7C15U, 0xD6E8FEB86659FD93U};
    std::uint64_t state = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
    const auto fold = [&](std::uint64_t more) { state = syncmap::detail::mix(state ^ more, folding); };
    fold(static_cast<std::uint64_t>(::getpid()));
    fold(reinterpret_cast<std::uintptr_t>(&words));
    fold(reinterpret_cast<std::uintptr_t>(&::getentropy));
    fold(words[0]);
    const std::uint64_t first = state;
    fold(words[1]);
    return {first, state | 1U};
}
#endif

/// Returns two words of the system's entropy. (On Linux without <random>, which takes long to compile.)
[[gnu::cold]] inline hash_seed entropy() {
#if defined(__linux__)
    const int error = errno;
    std::uint64_t words[2];
    if (::getentropy(words, sizeof words) == 0) return {words[0], words[1] | 1U};
    errno = error;
    return entropy_without_calls();
#else
    std::random_device device;
    const auto draw = [&] { return (std::uint64_t{device()} << 32) | device(); };
    return {draw(), draw() | 1U};
#endif
}

} // namespace detail

/// Returns a word that cannot be predicted without reading the process's memory. The process asks the system for entropy once:
/// maps are made too often for a system call each. Each word is that secret mixed with a number. A thread draws numbers in
/// blocks, so that threads that make maps do not contend.
[[gnu::cold]] inline std::uint64_t random_word() {
    static const hash_seed secret = detail::entropy();
    static std::atomic<std::uint64_t> drawn{0}; // relaxed: no two threads get one number, in any order
    constexpr std::uint64_t block = 1024;
    static thread_local constinit std::uint64_t number = 0; // the last one of a block is a multiple of it
    if (number % block == 0) number = drawn.fetch_add(block, std::memory_order_relaxed);
    return syncmap::detail::mix(++number * 0x9E3779B97F4A7C15U, secret);
}

} // namespace syncmap::sync
