// syncmap::any_map: a map with keys and values of any type, as in Go's sync.Map.
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
///              two keys. For a key of another type the map throws `unhashable_type`, which names it. A map that has never
///              held an entry does not look at keys, and finds none. A floating-point NaN equals nothing, itself included:
///              only walks, `erase_if` and `clear` find such an entry.
/// Texts        "a", `std::string("a")` and `std::string_view("a")` are one key. The map looks them up as they are: only a
///              new entry makes a `std::string`.
/// Values       Of every type that can be copied, nil included: `load` distinguishes nil (a value) from nothing (no entry).
///              `compare_exchange` and `compare_erase` throw `incomparable_type` if they compare two values of a type
///              without operator==.
/// Cost         `load` copies the value; `visit` shows it in place. Where the types are known, `map<Key, T>` is
///              smaller and faster.
///
/// Everything else is as in `map`. `mutex_map<any, any>` and its kin work as well.
using any_map = map<any, any>;

} // namespace syncmap
