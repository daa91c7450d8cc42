// The map that Go's sync.Map is, by the same algorithm: for keys that are written once and read ever after.
#pragma once

#include <syncmap/detail/language.hpp>

#include <functional>
#include <memory>
#include <memory_resource>
#include <utility>

#include <syncmap/engine/read_dirty.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/hash.hpp>

namespace syncmap {

/// A snapshot that is read without a lock, and a dirty map behind a mutex that becomes the next snapshot. All
/// operations of `syncmap::map`, with the same promises but for these:
///
///  - *Reads* of a key that the snapshot has take no lock and write nothing shared. While new keys are waiting to be
///    promoted, a read of any other key, a missing one too, locks the mutex; after as many of those as there are keys
///    the snapshot has them all. No user code runs inside the mutex, but making the dirty map does.
///  - *Overwriting, erasing and storing again* a key of the snapshot take no lock. Whether a key comes or goes is
///    counted in one word that all share, twice per operation; `size` reads that word.
///  - *`size` and `clear`* wait for threads that are between a change of whether a key is there and its being counted, a
///    few instructions. If the system stops one there, they sleep until it goes on, and so does from then on who
///    inserts or erases; reads and overwrites do not.
///  - *A `clear` during a computation* makes its key another one: the computation is ordered before the `clear`, another
///    one of that key waits for it still, plain writes of the key do not.
///  - *A new key* locks the mutex, and the first one after each promotion copies the snapshot: linear in the number of
///    keys, once for as many misses. Those that need the mutex wait.
///  - *Key objects*: a key that was erased and is stored again may be the object that was erased.
///  - *Memory*: a key is an entry of its own and each value another allocation; in both indexes a key takes 24 to 48
///    bytes. Erased keys stay until they are more than half of the snapshot, then it is made anew without them;
///    sync.Map keeps them until a new key comes.
///  - `for_each` and `erase_if` promote first and then walk one snapshot, weakly consistent as the flagship's; a
///    callback that stands still holds back the keys of that snapshot.
///  - `reserve` makes room in the indexes; the entries themselves are allocated one by one.
///  - An allocator is called inside the mutex and must not use the map.
///  - It has neither `pin` nor `update` of several keys.
///
/// `syncmap::map` is faster wherever keys come and go; this type is here to be measured against it, and for who wants
/// to keep what sync.Map does.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class snapshot_map : public basic_map<engine::read_dirty<Key, T, Hash, KeyEqual, Allocator>> {
    using base = basic_map<engine::read_dirty<Key, T, Hash, KeyEqual, Allocator>>;

public:
    using base::base;
};

namespace pmr {
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>>
using snapshot_map = syncmap::snapshot_map<Key, T, Hash, KeyEqual, std::pmr::polymorphic_allocator<std::pair<const Key, T>>>;
} // namespace pmr

} // namespace syncmap
