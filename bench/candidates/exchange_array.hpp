#pragma once

#include "bare_array.hpp"

namespace syncmap::bench::adapters {

/// The floor for every write that is one atomic operation.
struct exchange_array {
    static constexpr std::string_view name = "xchg_array";
    static constexpr std::string_view about = "the same array with each overwrite an atomic exchange";
    static constexpr role part = role::limit;
    static constexpr reach can = reach::overwrites;
    static constexpr bool integers_only = true;
    static constexpr bool is_bare = true;
    template <class Key, class T>
    using map = bare_array<true>;
};

} // namespace syncmap::bench::adapters
