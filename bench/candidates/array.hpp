#pragma once

#include "bare_array.hpp"

namespace syncmap::bench::adapters {

struct array {
    static constexpr std::string_view name = "array";
    static constexpr std::string_view about = "a bare linear-probing array of words, not synchronised";
    static constexpr role part = role::limit;
    static constexpr reach can = reach::overwrites;
    static constexpr bool integers_only = true;
    static constexpr bool is_bare = true;
    template <class Key, class T>
    using map = bare_array<false>;
};

} // namespace syncmap::bench::adapters
