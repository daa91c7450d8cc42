#pragma once

#include <syncmap/snapshot_map.hpp>

#include "family.hpp"

namespace syncmap::bench::adapters {

struct syncmap_snapshot_map {
    static constexpr std::string_view name = "snapshot_map";
    static constexpr std::string_view about = "syncmap::snapshot_map";
    static constexpr role part = role::family;
    template <class Key, class T>
    using map = family_map<syncmap::snapshot_map<Key, T>>;
};

} // namespace syncmap::bench::adapters
