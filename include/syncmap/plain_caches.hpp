// Caches with a plain policy, to compare `syncmap::cache` with: the same interface, options and promises but for what leaves.
#pragma once

#include <syncmap/detail/language.hpp>

#include <functional>
#include <memory>
#include <utility>

#include <syncmap/cache.hpp>
#include <syncmap/cache/numbered_state.hpp>

namespace syncmap {

namespace cache_detail {
template <numbered_by By, class Key, class T, class Hash, class KeyEqual, class Clock, class Allocator>
using plain_cache =
    basic_cache<marked_map_engine<Key, T, Hash, KeyEqual, Allocator, numbered_state<engine::machine, By>>, Clock>;
} // namespace cache_detail

/// A cache of which the entry leaves that was used longest ago: the least recently used one. Puts are uses, too. Exact with one
/// thread; with several, of two uses by different threads the order may be wrong where fewer than 64 uses lie in between.
///
/// A hit takes no lock, and writes a number into its entry each time. An entry takes 8 bytes more than in `cache`. An eviction
/// looks at eight entries on average: an eighth of the entries is chosen by a look at all of them, which other puts of new keys
/// wait for. All else as in `cache`; but in a child of `fork` the cache is usable only if no thread was in such a look.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>, cache_clock Clock = coarse_clock,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class lru_cache
    : public cache_detail::plain_cache<cache_detail::numbered_by::last_use, Key, T, Hash, KeyEqual, Clock, Allocator> {
    using base = cache_detail::plain_cache<cache_detail::numbered_by::last_use, Key, T, Hash, KeyEqual, Clock, Allocator>;

public:
    using base::base;
};

/// SIEVE (Zhang et al., NSDI'24): a hand goes over the entries in the order in which they came. It passes those that were used
/// since it came by last, and the first other one leaves. Exact with one thread.
///
/// A hit takes no lock, and writes to its entry at most three times between two visits of the hand. What else differs from
/// `cache` is as in `lru_cache`. Where all entries were used, one put may look at all of them.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>, cache_clock Clock = coarse_clock,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class sieve_cache
    : public cache_detail::plain_cache<cache_detail::numbered_by::arrival, Key, T, Hash, KeyEqual, Clock, Allocator> {
    using base = cache_detail::plain_cache<cache_detail::numbered_by::arrival, Key, T, Hash, KeyEqual, Clock, Allocator>;

public:
    using base::base;
};

} // namespace syncmap
