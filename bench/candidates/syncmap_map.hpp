#pragma once

#include <syncmap/map.hpp>

#include "family.hpp"

namespace syncmap::bench::adapters {

struct syncmap_map {
    static constexpr std::string_view name = "map";
    static constexpr std::string_view about = "syncmap::map";
    static constexpr role part = role::family;
    template <class Key, class T>
    using map = family_map<syncmap::map<Key, T>>;
};

} // namespace syncmap::bench::adapters
