// What both kinds of nodes share: the block that a thread takes for a new node, and the part that holds the key.
#pragma once

#include <cstddef>
#include <utility>

#include <syncmap/engine/table/marked_node.hpp>
#include <syncmap/engine/table/node_cache.hpp>
#include <syncmap/engine/table/node_key.hpp>
#include <syncmap/engine/table/node_prefix.hpp>
#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine {

/// Larger nodes are freed at once.
inline constexpr std::size_t most_cached_bytes = 512;

/// Returns a cached node of the thread `by` (its thread_record) that has so many granules and has that in front, or null. Gives
/// a cached node that does not fit back to the allocator.
template <class Node, class NodeAllocator, class ThreadRecord, class Fetch>
Node* take_cached(NodeAllocator& a, ThreadRecord& by, std::size_t granules, [[maybe_unused]] prefix_kind in_front,
                  Fetch fetch) noexcept {
    reclaim::node_base<typename Node::sync>* unfit = nullptr; // it stays null where all blocks have one size
    auto* found = static_cast<Node*>(by.cached.take(granules, unfit, fetch));
    if constexpr (may_have_prefix<Node>) {
        if (found != nullptr && prefix_of(*found) != in_front) unfit = std::exchange(found, nullptr);
    }
    if (unfit != nullptr) {
        static_cast<Node&>(*unfit).give_back(a, cached_nodes<typename Node::sync>::granules_of(*unfit));
        by.count_freed(1);
    }
    return found;
}

/// A writer overwrites a value in a slot there, so such an entry keeps its node and its key. Other nodes share the key unless
/// they can have a copy.
template <class Key, class T, bool ValueInSlot, class Sync, class Mark>
using keyed_node_for = keyed_node<Key, Sync, !ValueInSlot && !copy_is_same_key<Key>, node_base_for<Sync, Mark>>;

} // namespace syncmap::engine
