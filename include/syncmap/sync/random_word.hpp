// Random words for the secrets of maps.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>

#include <syncmap/hash.hpp>

#if defined(__linux__)
#include <sys/random.h>
#else
#include <random>
#endif

namespace syncmap::sync {

namespace detail {

/// Two words of the system's entropy. (On Linux without <random>, which takes long to compile.)
[[gnu::cold]] inline hash_seed entropy() {
#if defined(__linux__)
    std::uint64_t words[2];
    if (::getentropy(words, sizeof words) != 0) {
        throw std::runtime_error("syncmap: the system gives no entropy");
    }
    return {words[0], words[1] | 1U};
#else
    std::random_device device;
    const auto draw = [&] { return (std::uint64_t{device()} << 32) | device(); };
    return {draw(), draw() | 1U};
#endif
}

} // namespace detail

/// A word that nobody can foretell without seeing the process's memory. The system's entropy is asked once per process;
/// each word is that secret and a number, folded: maps are made too often for a system call each. A thread draws numbers
/// in blocks, so that threads that make maps do not meet.
inline std::uint64_t random_word() {
    static const hash_seed secret = detail::entropy();
    static std::atomic<std::uint64_t> drawn{0}; // any order will do: no two callers get one number
    constexpr std::uint64_t block = 1024;
    static thread_local constinit std::uint64_t number = 0; // the last one of a block is a multiple of it
    if (number % block == 0) number = drawn.fetch_add(block, std::memory_order_relaxed);
    return syncmap::detail::mix(++number * 0x9E3779B97F4A7C15U, secret);
}

} // namespace syncmap::sync
