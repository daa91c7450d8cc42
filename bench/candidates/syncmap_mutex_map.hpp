#pragma once

#include <syncmap/locked_map.hpp>

#include "family.hpp"

namespace syncmap::bench::adapters {

struct syncmap_mutex_map {
    static constexpr std::string_view name = "mutex_map";
    static constexpr std::string_view about = "syncmap::mutex_map";
    static constexpr role part = role::family;
    template <class Key, class T>
    using map = family_map<syncmap::mutex_map<Key, T>>;
};

} // namespace syncmap::bench::adapters
