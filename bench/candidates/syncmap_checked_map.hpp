#pragma once

#include <syncmap/checked_map.hpp>

#include "family.hpp"

namespace syncmap::bench::adapters {

/// For one thread, as the plain map is, and noticing when there are two.
struct syncmap_checked_map {
    static constexpr std::string_view name = "checked_map";
    static constexpr std::string_view about = "syncmap::checked_map";
    static constexpr role part = role::limit;
    template <class Key, class T>
    using map = family_map<syncmap::checked_map<Key, T>, true>;
};

} // namespace syncmap::bench::adapters
