// syncmap::any_map: the map whose keys and values are of any type, as Go's sync.Map has it.
#pragma once

#include <syncmap/detail/language.hpp>

#include <syncmap/any.hpp>
#include <syncmap/map.hpp>

namespace syncmap {

/// `syncmap::map` with keys and values of any type:
///
///     syncmap::any_map map;
///     map.store("user:1", 42);
///     map.store(7, nil);
///     if (auto value = map.load("user:1")) value->as<int>();
///
/// Keys         Of every type with `std::hash` and operator==, nil included. The type is part of the key: 1 and 1L are
///              two keys. A key of another type is refused with `unhashable_type`, which names it; a map that has never
///              held an entry does not look at keys, and says that there is none. A floating-point NaN equals nothing,
///              itself included: such an entry is met by walks, `erase_if` and `clear` alone.
/// Texts        "a", `std::string("a")` and `std::string_view("a")` are one key and looked up as they are: only a new
///              entry makes a `std::string`.
/// Values       Of every type that can be copied, nil included: `load` tells nil (a value) from nothing (no entry).
///              `compare_exchange` and `compare_erase` throw `incomparable_type` where they meet two values of a type
///              without operator==.
/// Cost         `load` copies the value; `visit` shows it in place. Where the types are known, `map<Key, T>` is
///              smaller and faster.
///
/// Everything else is as in `map`. `mutex_map<any, any>` and its kin work as well.
using any_map = map<any, any>;

} // namespace syncmap
