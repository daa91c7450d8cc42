// The value of an entry that is a key alone: it takes no memory in a node.
#pragma once

#include <type_traits>

namespace syncmap::detail {

struct no_value {
    friend constexpr bool operator==(no_value, no_value) noexcept { return true; }
};

/// All of them are this one.
inline constexpr no_value the_no_value{};

template <class T>
inline constexpr bool is_no_value = std::is_same_v<T, no_value>;

} // namespace syncmap::detail
