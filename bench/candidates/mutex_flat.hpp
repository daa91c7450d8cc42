#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "locked_standard_map.hpp"

namespace syncmap::bench::adapters {

/// The best that one lock can do: a program that uses a map with one thread only, or at most times, has this instead.
struct mutex_flat {
    static constexpr std::string_view name = "mutex_flat";
    static constexpr std::string_view about = "std::mutex + boost::unordered_flat_map";
    static constexpr role part = role::lock;
    template <class Key, class T>
    using map = locked_standard_map<Key, T, std::mutex, std::lock_guard, boost::unordered_flat_map<Key, T, common_hash<Key>>>;
};

} // namespace syncmap::bench::adapters
