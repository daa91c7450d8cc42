#pragma once

#include <shared_mutex>

#include "locked_standard_map.hpp"

namespace syncmap::bench::adapters {

struct std_shared_mutex {
    static constexpr std::string_view name = "shared_mutex";
    static constexpr std::string_view about = "std::shared_mutex + std::unordered_map";
    static constexpr role part = role::lock;
    template <class Key, class T>
    using map = locked_standard_map<Key, T, std::shared_mutex, std::shared_lock>;
};

} // namespace syncmap::bench::adapters
