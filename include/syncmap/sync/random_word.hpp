// Random words for the secrets of maps.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>

#include <syncmap/hash.hpp>

namespace syncmap::sync {

/// A word that who does not see the process's memory cannot foretell. The system's entropy is asked once per process;
/// each word is that secret and a counter, folded: maps are made too often for a system call each.
inline std::uint64_t random_word() {
    static const hash_seed secret = [] {
        std::random_device device;
        const auto draw = [&] { return (std::uint64_t{device()} << 32) | device(); };
        return hash_seed{draw(), draw() | 1U};
    }();
    static std::atomic<std::uint64_t> drawn{0}; // any order will do: no two callers get one number
    return detail::mix((drawn.fetch_add(1, std::memory_order_relaxed) + 1) * 0x9E3779B97F4A7C15U, secret);
}

} // namespace syncmap::sync
