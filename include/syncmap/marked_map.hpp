// The table engine of `syncmap::map` as extensions use it: entries that carry a mark, found by hash, swept in turn, erased if
// they are still the ones that were seen, and loaded once. For the library's own extensions, such as the cache.
#pragma once

#include <syncmap/detail/language.hpp>

#include <syncmap/engine/table/load_flights.hpp>

namespace syncmap {

template <class Key, class T, class Hash, class KeyEqual, class Allocator, class Mark, class Sync = engine::machine>
using marked_map_engine = engine::marked_table<Key, T, Hash, KeyEqual, Allocator, Mark, Sync>;

} // namespace syncmap
