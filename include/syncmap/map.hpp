// syncmap::map: the concurrent hash map. Its operations, and what each promises, stand in facade.hpp; how it works
// in docs/design.md.
#pragma once

#include <syncmap/detail/language.hpp>

#include <memory>
#include <memory_resource>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/engine/table/table.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/pinned.hpp>
#include <syncmap/snapshot.hpp>

namespace syncmap {

/// A hash map that any number of threads share: reads without a lock, writes that lock one bucket at most, exact size,
/// growth and shrinking in small steps.
///
///     syncmap::map<std::string, int> hits;      // ready to use; a global can be constinit
///     hits.fetch_add("index.html", 1);          // from any thread
///
/// Key, T       Object types, neither const nor references. A key that cannot be copied rules out `update` of several
///              keys and `merge`, a value that cannot be copied the operations that return it. Neither needs a
///              default constructor. Destructors must not throw.
/// Hash         `hash(key)`, which the map mixes with its secret, so that an identity will do; or
///              `hash(key, hash_seed)`, which gets the secret (see hash.hpp).
/// KeyEqual     `equal(key, key)`. With `is_transparent` in both, keys of other types are looked up as they are.
/// Allocator    Makes the nodes and tables. With `std::allocator` on Linux, tables of 256 KiB and more come straight
///              from the system, which gets their pages back when they are left; all other tables are kept for the
///              next resize until the map is destroyed.
///
/// On x86-64, integer, enumeration and pointer keys of up to 8 bytes, with `syncmap::hash` or `std::hash` and
/// `std::equal_to`, lie in the table itself if the value is trivially copyable and of up to 8 bytes; such keys are
/// compared by their bits. All other entries are nodes of their own; there too a trivially copyable value of up to 8
/// bytes lies in the table, beside the node's address, and is overwritten in place.
///
/// A value that was erased or replaced is destroyed later, when no reader can look at it any more. What waits is bounded for
/// each thread: see docs/guarantees.md, Memory. Do not wait for a destructor to run. It can run in any write to any map.
/// Destructors, hash and equality run with no lock held, and may use the map.
///
/// Threads share the map by reference. It is not copied, and moved only while no other thread uses it. Its destructor must be
/// the last to use it.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class map : public basic_map<detail::engine_for<Key, T, engine::table<Key, T, Hash, KeyEqual, Allocator>>> {
    using base = basic_map<engine::table<Key, T, Hash, KeyEqual, Allocator>>;

public:
    using base::base;
};

namespace pmr {
/// The same with memory from a `std::pmr::memory_resource`, which must be usable from all the map's threads at once.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>>
using map = syncmap::map<Key, T, Hash, KeyEqual, std::pmr::polymorphic_allocator<std::pair<const Key, T>>>;
} // namespace pmr

} // namespace syncmap
