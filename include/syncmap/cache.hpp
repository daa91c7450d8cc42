// syncmap::cache: the bounded, loading cache. Its operations, and what each promises, stand in cache/basic_cache.hpp; how it
// works in docs/cache.md.
//
//   cache/options.hpp      capacity, clock, statistics; cache/option_types.hpp, of which they are made
//   cache/time/            clocks, lifetimes, the removal of what has expired
//   cache/loaders.hpp      the loaders that the options have
//   cache/loading.hpp      how an absent key gets its value
//   cache/bulk_loading.hpp how many absent keys do
//   cache/coalescing.hpp   misses that are loaded together
//   cache/remembering.hpp  what is remembered of loads that brought no value
//   cache/whole.hpp        operations that look at all entries
//   cache/removals.hpp     listeners; cache/removal_order.hpp, those that are told in order
//   cache/load_times.hpp   how long loads take; cache/prometheus.hpp, which a program includes itself, makes text of statistics
//   cache/tags.hpp         names of many entries, which are invalidated together
//   cache/restarting.hpp   save and load; what they do is in cache/warm_restart.hpp, which a program includes itself
//   cache/operations.hpp   what a write needs so that the bound holds
//   cache/permits.hpp      the bound
//   cache/eviction.hpp     what leaves, over the table (the main queue) and the parts of policy/
//   cache/policy/          small queue, history of keys, what each thread counts: they know no map
#pragma once

#include <syncmap/detail/language.hpp>

#include <functional>
#include <memory>
#include <memory_resource>
#include <utility>

#include <syncmap/cache/basic_cache.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/marked_map.hpp>

namespace syncmap {

namespace cache_detail {
template <class Key, class T, class Hash, class KeyEqual, class Allocator>
using engine_for =
    detail::engine_for<Key, T, marked_map_engine<Key, T, Hash, KeyEqual, Allocator, entry_state<engine::machine>>>;
} // namespace cache_detail

/// A cache of at most `capacity` entries, at every instant, that any number of threads share. A hit takes no lock. It
/// writes to its entry one byte at most, and with `expire_after_access` sometimes its deadline. Misses are loaded once, however
/// many threads ask.
///
///     syncmap::cache<std::string, page> pages({.capacity = 100'000});
///     page p = pages.get_or_load("index.html", [](const std::string& url) { return fetch(url); });
///     if (std::optional<page> q = pages.get("about.html")) show(*q);
///
/// What leaves a full cache is decided as by S3-FIFO with TinyLFU's duel: scans and loops do not push out what is used often.
///
/// Key, T, Hash, KeyEqual, Allocator as in `map`. Each entry is a node of its own. Values may be move-only: use `visit`, `pin`
/// and `pin_or_load`. Clock: what the cache measures lifetimes by, such as `std::chrono::steady_clock`; see
/// cache/time/clocks.hpp.
///
/// A value that has left is destroyed later, as in `map`, when no reader can look at it any more.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>, cache_clock Clock = coarse_clock,
          class Allocator = std::allocator<std::pair<const Key, T>>>
class cache : public basic_cache<cache_detail::engine_for<Key, T, Hash, KeyEqual, Allocator>, Clock> {
    using base = basic_cache<cache_detail::engine_for<Key, T, Hash, KeyEqual, Allocator>, Clock>;

public:
    using base::base;
};

namespace pmr {
/// The same with memory from a `std::pmr::memory_resource`, which must be usable from all the cache's threads at once.
template <class Key, class T, class Hash = hash<Key>, class KeyEqual = std::equal_to<>, cache_clock Clock = coarse_clock>
using cache = syncmap::cache<Key, T, Hash, KeyEqual, Clock, std::pmr::polymorphic_allocator<std::pair<const Key, T>>>;
} // namespace pmr

} // namespace syncmap
