// The two kinds of nodes: plain ones for any types, and packed ones with texts.
//
//   plain    [hash, link, pins][key][value]                   one object each; no value if that lies in the slot
//   packed   [hash, link, pins][key or value][text][text]     texts lie last, each as a length and bytes
//
// A key that is no text may belong to another node: see node_key.hpp.
//
// A packed node has at most one member that is no text. The key's text lies before the value's. The places of all three follow
// from the node's address and, for the second text, from the first one's length.
//
// The `node_cache` may keep the block of a freed node for another one: the node *rests*. Its strings then keep their memory;
// everything else of its content is destroyed before.
#pragma once

#include <type_traits>

#include <syncmap/detail/no_value.hpp>
#include <syncmap/engine/table/packed_node.hpp>
#include <syncmap/engine/table/plain_node.hpp>

namespace syncmap::engine {

/// The kind of nodes that a map has. An entry without a value has nodes as if its value lay in the slot.
template <class Key, class T, bool ValueInSlot, class Sync, class Mark = no_mark>
using node_for = std::conditional_t<syncmap::detail::is_text<Key> || syncmap::detail::is_text<T>,
                                    packed_node<Key, T, ValueInSlot || syncmap::detail::is_no_value<T>, Sync, Mark>,
                                    plain_node<Key, T, ValueInSlot || syncmap::detail::is_no_value<T>, Sync, Mark>>;

} // namespace syncmap::engine
