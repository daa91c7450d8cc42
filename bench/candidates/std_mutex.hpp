#pragma once

#include "locked_standard_map.hpp"

namespace syncmap::bench::adapters {

struct std_mutex {
    static constexpr std::string_view name = "mutex";
    static constexpr std::string_view about = "std::mutex + std::unordered_map";
    static constexpr role part = role::lock;
    template <class Key, class T>
    using map = locked_standard_map<Key, T, std::mutex, std::lock_guard>;
};

} // namespace syncmap::bench::adapters
