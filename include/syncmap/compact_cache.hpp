// syncmap::compact_cache: a bounded cache for integers, whose entries lie in its table. Its operations, and what each promises,
// stand in cache/compact/basic_compact_cache.hpp; how it works in docs/cache.md, section 12.
//
//   cache/compact/compact_state.hpp        what an entry carries beside its value
//   cache/compact/compact_operations.hpp   its writes
//   cache/eviction.hpp                     what leaves, as in `cache`
#pragma once

#include <syncmap/detail/language.hpp>

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/cache/compact/basic_compact_cache.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/marked_map.hpp>

namespace syncmap {

namespace cache_detail {

/// Says in words what a compact cache does not take.
template <class Key, class T, class Hash, class KeyEqual>
struct compact_requirements {
    static_assert(engine::has_trusted_key<Key, Hash, KeyEqual>,
                  "syncmap: a compact_cache has integers, enumerations or pointers as keys, with the hash of the library or of "
                  "the standard library: use syncmap::cache for other keys");
    static_assert(compact_value<T>,
                  "syncmap: a compact_cache has values of up to seven bytes that are copied as bits, without padding: use "
                  "syncmap::cache for other values");
    static_assert(engine::machine::has_pair_access,
                  "syncmap: a compact_cache needs atomic accesses of 16 bytes, which this machine does not have: use "
                  "syncmap::cache");
};

template <class Key, class T, class Hash, class KeyEqual, class Allocator>
using compact_engine = marked_map_engine<Key, engine::word, Hash, KeyEqual, Allocator, compact_state>;

} // namespace cache_detail

/// A cache of at most `capacity` entries, at every instant, that any number of threads share, for integers: an entry takes its
/// slot in the table, and no memory of its own. What leaves a full cache is decided as in `cache`.
///
///     syncmap::compact_cache<std::uint64_t, std::uint32_t> routes({.capacity = 1'000'000});
///     std::uint32_t hop = routes.get_or_load(address, [](std::uint64_t a) { return look_up(a); });
///
/// Key: an integer, an enumeration or a pointer. T: up to seven bytes that are copied as bits, without padding: integers up to
/// 32 bits, `bool`, `float`, enumerations, structs of integers. Hash, KeyEqual: the library's or the standard library's.
/// Lifetimes, weights, tags, listeners and a warm restart are those of `cache` alone.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class compact_cache : private cache_detail::compact_requirements<Key, T, Hash, KeyEqual>,
                      public basic_compact_cache<cache_detail::compact_engine<Key, T, Hash, KeyEqual, Allocator>, T> {
    using base = basic_compact_cache<cache_detail::compact_engine<Key, T, Hash, KeyEqual, Allocator>, T>;

public:
    using base::base;
};

} // namespace syncmap
