// What lies in front of some nodes, for an extension of the map: the *prefix* of an entry's node.
//
// A mark (marked_node.hpp) may name a type `prefix`. A write then says of each node that it makes whether the node has one. A
// node without a prefix costs no byte for it. The mark has the bit that tells; it goes with the node, not with the entry.
//
// It may also name a type `extension`, for a few of the nodes with a prefix.
//
//   [room for alignment][prefix][node]               the block of a node with a prefix; its address is the node's
//   [room for alignment][extension][prefix][node]    that of a node with both
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/operation/write_hooks.hpp>

namespace syncmap::engine {

/// Whether nodes of this kind may have a prefix.
template <class Node>
inline constexpr bool may_have_prefix = requires { typename Node::prefix; };

template <class Node>
inline constexpr bool may_have_extension = requires { typename Node::extension; };

/// What an operation says, when its node is made, of what lies in front.
template <class Op>
prefix_kind wanted_prefix(const Op& op) noexcept {
    if constexpr (requires { op.wants_prefix(); }) {
        return static_cast<prefix_kind>(op.wants_prefix());
    } else {
        return prefix_kind::none;
    }
}
/// What lies in front of a node.
template <class Node>
prefix_kind prefix_of([[maybe_unused]] const Node& n) noexcept {
    if constexpr (may_have_extension<Node>) {
        if (n.has_extension()) return prefix_kind::extended;
    }
    if constexpr (may_have_prefix<Node>) {
        if (n.has_prefix()) return prefix_kind::plain;
    }
    return prefix_kind::none;
}

/// Whether nodes of this kind may have no value: then they have a prefix.
template <class Node>
inline constexpr bool may_lack_value = requires(Node& n) { n.in_front().end_without_value(); };

template <class Node>
bool has_value([[maybe_unused]] const Node& n) noexcept {
    if constexpr (may_lack_value<Node>) {
        return n.has_value();
    } else {
        return true;
    }
}

/// What makes no value: of an operation that has the static constant `makes_no_value`.
struct nothing_made {};
template <class Make>
inline constexpr bool makes_nothing = std::is_same_v<std::remove_cvref_t<Make>, nothing_made>;

/// Memory for nodes with a prefix, from an allocator; `Extended`: and an extension. `granules`: of the node alone.
template <class Node, class NodeAllocator, bool Extended>
class prefixed_memory {
    struct alignas(alignof(Node)) piece {
        std::byte bytes[alignof(Node)];
    };
    using memory = syncmap::detail::aligned_memory<piece, NodeAllocator>;
    using prefix = typename Node::prefix;
    static constexpr std::size_t extension_bytes = [] {
        if constexpr (Extended) {
            static_assert(alignof(typename Node::extension) <= alignof(prefix) && sizeof(prefix) % alignof(prefix) == 0);
            return sizeof(typename Node::extension);
        } else {
            return std::size_t{0};
        }
    }();
    static constexpr std::size_t pieces_in_front = (extension_bytes + sizeof(prefix) + sizeof(piece) - 1) / sizeof(piece);
    static_assert(alignof(prefix) <= alignof(Node) && sizeof(typename Node::granule) % sizeof(piece) == 0);

    static constexpr std::size_t pieces(std::size_t granules) noexcept {
        return pieces_in_front + granules * (sizeof(typename Node::granule) / sizeof(piece));
    }

public:
    static constexpr std::size_t bytes_in_front = pieces_in_front * sizeof(piece);

    /// Makes what lies in front, and returns where the node is to be made.
    static void* allocate(NodeAllocator& a, std::size_t granules) {
        piece* const node = memory::allocate(a, pieces(granules)) + pieces_in_front;
        std::byte* const end = reinterpret_cast<std::byte*>(node);
        ::new (end - sizeof(prefix)) prefix();
        if constexpr (Extended) ::new (end - sizeof(prefix) - extension_bytes) typename Node::extension();
        return node;
    }
    static void deallocate(NodeAllocator& a, void* node, std::size_t granules) noexcept {
        memory::deallocate(a, static_cast<piece*>(node) - pieces_in_front, pieces(granules));
    }
};

/// Returns memory for a node, with room for what it has in front.
template <class Node, class NodeAllocator>
void* allocate_node(NodeAllocator& a, std::size_t granules, [[maybe_unused]] prefix_kind in_front) {
    if constexpr (may_have_extension<Node>) {
        if (in_front == prefix_kind::extended) return prefixed_memory<Node, NodeAllocator, true>::allocate(a, granules);
    }
    if constexpr (may_have_prefix<Node>) {
        if (in_front != prefix_kind::none) return prefixed_memory<Node, NodeAllocator, false>::allocate(a, granules);
    }
    return syncmap::detail::aligned_memory<typename Node::granule, NodeAllocator>::allocate(a, granules);
}

/// Makes a node without content in a block of its own.
template <class Node, class NodeAllocator>
Node* make_empty(NodeAllocator& a, std::size_t granules, std::uint64_t hash, [[maybe_unused]] prefix_kind in_front) {
    auto* const n = ::new (allocate_node<Node>(a, granules, in_front)) Node(hash);
    if constexpr (may_have_prefix<Node>) {
        if (in_front == prefix_kind::plain) n->mark.begin_with_prefix();
        if constexpr (may_have_extension<Node>) {
            if (in_front == prefix_kind::extended) n->mark.begin_with_extension();
        }
    }
    return n;
}

/// Destroys a node whose content is destroyed already, and frees its block. `memory` is the block's first granule.
template <class NodeAllocator, class Node>
void give_memory_back(NodeAllocator& a, Node& n, typename Node::granule& memory, std::size_t granules) noexcept {
    if constexpr (may_have_prefix<Node>) {
        if (n.has_prefix()) {
            if constexpr (may_lack_value<Node>) {
                if (!n.has_value()) n.in_front().end_without_value();
            }
            [[maybe_unused]] const prefix_kind in_front = prefix_of(n);
            std::destroy_at(std::addressof(n));
            if constexpr (may_have_extension<Node>) {
                if (in_front == prefix_kind::extended)
                    return prefixed_memory<Node, NodeAllocator, true>::deallocate(a, std::addressof(n), granules);
            }
            return prefixed_memory<Node, NodeAllocator, false>::deallocate(a, std::addressof(n), granules);
        }
    }
    std::destroy_at(std::addressof(n));
    syncmap::detail::aligned_memory<typename Node::granule, NodeAllocator>::deallocate(a, std::addressof(memory), granules);
}

/// Returns how many bytes the block of a node has in front of it.
template <class Node>
std::size_t bytes_in_front_of([[maybe_unused]] const Node& n) noexcept {
    if constexpr (may_have_extension<Node>) {
        if (n.has_extension()) return prefixed_memory<Node, std::allocator<Node>, true>::bytes_in_front;
    }
    if constexpr (may_have_prefix<Node>) {
        if (n.has_prefix()) return prefixed_memory<Node, std::allocator<Node>, false>::bytes_in_front;
    }
    return 0;
}

} // namespace syncmap::engine
