// The maps whose every call is made to fail.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot_map.hpp>
#include <syncmap/text.hpp>

#include "faults/injector.hpp"

namespace test::faults {

/// The machine itself, with batches so small that some fifty entries grow, shrink and are freed like millions.
struct hurried : syncmap::engine::machine {
    static constexpr std::uint32_t retire_batch = 4;
    static constexpr std::size_t batches_between_scans(std::size_t) noexcept { return 2; }
    static constexpr std::uint32_t most_cached_nodes() noexcept { return 4; }
    static constexpr std::size_t migration_batch = 1;
    static constexpr std::uint32_t looks_between_barriers = 1;
    static constexpr std::uint32_t shrink_check_interval = 4;
};

template <class Key, class T>
using allocator_for = allocator<std::pair<const Key, T>>;

template <class T>
using of_inline_keys =
    syncmap::basic_map<syncmap::engine::table<int, T, syncmap::hash<int>, std::equal_to<>, allocator_for<int, T>, hurried>>;
template <class T>
using of_nodes = syncmap::basic_map<
    syncmap::engine::table<breakable_key, T, breakable_hash, std::equal_to<>, allocator_for<breakable_key, T>, hurried>>;

struct inline_words {
    static constexpr const char* name = "map_inline";
    using type = of_inline_keys<int>;
};
struct inline_small_values {
    static constexpr const char* name = "map_inline_own_equality";
    using type = of_inline_keys<small_value>;
};
struct node_keys {
    static constexpr const char* name = "map_node_key";
    using type = of_nodes<int>;
};
struct nodes {
    static constexpr const char* name = "map_node";
    using type = of_nodes<breakable_value>;
};
struct texts {
    static constexpr const char* name = "map_text";
    using type =
        syncmap::basic_map<syncmap::engine::table<syncmap::text, syncmap::text, breakable_view_hash, breakable_view_equal,
                                                  allocator_for<syncmap::text, syncmap::text>, hurried>>;
};
/// The text stands behind a key whose copy may fail when the block is there already.
struct texts_of_nodes {
    static constexpr const char* name = "map_node_text";
    using type = syncmap::basic_map<syncmap::engine::table<breakable_key, syncmap::text, breakable_hash, std::equal_to<>,
                                                           allocator_for<breakable_key, syncmap::text>, hurried>>;
};
struct behind_mutex {
    static constexpr const char* name = "mutex_map";
    using type = syncmap::mutex_map<breakable_key, breakable_value, breakable_hash, std::equal_to<>,
                                    allocator_for<breakable_key, breakable_value>>;
};
struct behind_shared_mutex {
    static constexpr const char* name = "shared_mutex_map";
    using type =
        syncmap::shared_mutex_map<breakable_key, int, breakable_hash, std::equal_to<>, allocator_for<breakable_key, int>>;
};
struct with_snapshot {
    static constexpr const char* name = "snapshot_map";
    using type = syncmap::snapshot_map<breakable_key, breakable_value, breakable_hash, std::equal_to<>,
                                       allocator_for<breakable_key, breakable_value>>;
};

} // namespace test::faults
