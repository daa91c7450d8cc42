// A secret for one table.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>

#include <syncmap/hash.hpp>

namespace syncmap::engine {

/// A fresh pair of random words. The system's entropy is asked once per process; each further seed is that
/// secret and a counter, folded: tables are made too often for a system call each.
inline hash_seed random_seed() {
    static const hash_seed secret = [] {
        std::random_device device;
        const auto draw = [&] { return (std::uint64_t{device()} << 32) | device(); };
        return hash_seed{draw(), draw() | 1U};
    }();
    static std::atomic<std::uint64_t> drawn{0}; // any order will do: no two callers get one number
    const std::uint64_t number = drawn.fetch_add(1, std::memory_order_relaxed) + 1;
    const std::uint64_t first = detail::mix(number * 0x9E3779B97F4A7C15U, secret);
    return {first | 1U, detail::mix(~first, secret) | 1U};
}

} // namespace syncmap::engine
