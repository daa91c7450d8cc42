// A map with the algorithm of Go's sync.Map: for keys that are written once and read many times.
#pragma once

#include <syncmap/detail/language.hpp>

#include <memory>
#include <memory_resource>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/engine/read_dirty.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/hash.hpp>

namespace syncmap {

/// A snapshot that threads read without a lock, and a dirty map behind a mutex that becomes the next snapshot. It has the
/// operations that docs/which-map.md lists, with the promises of `syncmap::map` except these:
///
///  - *Reads* of a key that the snapshot has take no lock and write nothing shared. While the dirty map has new keys, a read of
///    any other key, also of an absent one, locks the mutex. After as many such reads as there are keys the dirty map becomes
///    the snapshot, which then has all keys. No user code runs under the mutex, but a thread makes the dirty map under it.
///  - *Overwriting, erasing and storing again* a key of the snapshot take no lock. An operation that adds or removes a key
///    counts that in one word that all threads share, twice per operation; `size` reads that word.
///  - *`size` and `clear`* wait for threads that have added or removed a key and not yet counted it, for a few instructions. If
///    the system stops such a thread, they sleep until it goes on. From then on inserts and erases sleep too; reads and
///    overwrites do not.
///  - *A `clear` during a computation* makes its key another one. The computation is ordered before the `clear`. Another
///    computation of that key still waits for it; plain writes of the key do not.
///  - *A new key* locks the mutex, and the first one after each promotion copies the snapshot: linear in the number of
///    keys, once for as many misses. Other operations that need the mutex wait.
///  - *Key objects*: if a key is erased and stored again, its object may be the one that was erased.
///  - *Memory*: a key is an entry of its own and each value another allocation; in both indexes a key takes 24 to 48
///    bytes. Erased keys stay until they are more than half of the snapshot; then the map makes the snapshot anew without
///    them. sync.Map keeps them until a new key is stored.
///  - `for_each` and `erase_if` promote first and then walk one snapshot, weakly consistent as in `syncmap::map`. A callback
///    that does not return keeps the keys of that snapshot in memory.
///  - `reserve` makes room in the indexes; the entries themselves are allocated one by one.
///  - The map calls its allocator under the mutex; the allocator must not use the map.
///
/// `syncmap::map` is faster wherever keys come and go. This type exists for comparisons with it, and for programs that need the
/// behaviour of sync.Map.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class snapshot_map : public basic_map<detail::engine_for<Key, T, engine::read_dirty<Key, T, Hash, KeyEqual, Allocator>>> {
    using base = basic_map<engine::read_dirty<Key, T, Hash, KeyEqual, Allocator>>;

public:
    using base::base;
};

namespace pmr {
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>>
using snapshot_map = syncmap::snapshot_map<Key, T, Hash, KeyEqual, std::pmr::polymorphic_allocator<std::pair<const Key, T>>>;
} // namespace pmr

} // namespace syncmap
