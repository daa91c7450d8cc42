// What maps and caches on the table need not know of the keys that they copy.
#pragma once

#include <syncmap/map.hpp>

#include "value.hpp"

/// It shares its memory with the key that it is copied from.
template <>
inline constexpr bool syncmap::engine::copy_is_same_key<syncmap::dynamic::value> = true;
