#pragma once

#include "locked_standard_map.hpp"

namespace syncmap::bench::adapters {

/// The limit for one thread that every program has: the standard map with no lock beside it.
struct std_plain {
    struct no_mutex {
        void lock() noexcept {}
        void unlock() noexcept {}
    };

    static constexpr std::string_view name = "plain";
    static constexpr std::string_view about = "std::unordered_map, not synchronised";
    static constexpr role part = role::limit;
    template <class Key, class T>
    using map = locked_standard_map<Key, T, no_mutex, std::lock_guard>;
};

} // namespace syncmap::bench::adapters
