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

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include <syncmap/detail/aligned_memory.hpp>
#include <syncmap/detail/no_value.hpp>
#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/table/marked_node.hpp>
#include <syncmap/engine/table/node_cache.hpp>
#include <syncmap/engine/table/node_key.hpp>
#include <syncmap/engine/table/node_prefix.hpp>
#include <syncmap/engine/table/reused_capacity.hpp>
#include <syncmap/owned_bytes.hpp>
#include <syncmap/reclaim/node.hpp>
#include <syncmap/text.hpp>

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

/// Key and value are made and destroyed by the allocator, hence the unions.
template <class Key, class T, bool ValueInSlot, class Sync, class Mark = no_mark>
struct plain_node : keyed_node_for<Key, T, ValueInSlot, Sync, Mark> {
    /// The unit in which memory for nodes is counted.
    using granule = plain_node;
    using sync = Sync;
    using base = keyed_node_for<Key, T, ValueInSlot, Sync, Mark>;

    explicit plain_node(std::uint64_t h) noexcept : base(h) {}
    ~plain_node() {}

    std::uint64_t hash() const noexcept { return this->label; }
    const T& value() const noexcept {
        if constexpr (syncmap::detail::is_no_value<T>) {
            return syncmap::detail::the_no_value;
        } else {
            return value_;
        }
    }
    T& value() noexcept
        requires(!syncmap::detail::is_no_value<T>)
    {
        return value_;
    }

    static constexpr std::size_t granules() noexcept { return 1; }
    std::size_t block_bytes() const noexcept { return sizeof(plain_node) + bytes_in_front_of(*this); }
    /// Returns how many bytes key and value own beside the block.
    std::size_t owned_bytes() const noexcept {
        const std::size_t of_key = base::shares_key ? 0 : syncmap::detail::owned_bytes_of(this->key());
        if constexpr (ValueInSlot) {
            return of_key;
        } else {
            if (!has_value_object()) return of_key;
            return syncmap::detail::sum_of_bytes(of_key, syncmap::detail::owned_bytes_of(value_));
        }
    }

    /// Makes a node. Strong guarantee: it makes the value first, since a move from the caller's key cannot be undone.
    template <class NodeAllocator, class ThreadRecord, class K, class Make>
    static plain_node* make(NodeAllocator& a, ThreadRecord& by, std::uint64_t hash, K&& key, Make&& make_value,
                            prefix_kind in_front) {
        const auto fetch = [](auto& next) { static_cast<plain_node&>(next).template fetch_strings<true>(); };
        if (auto* const n = take_cached<plain_node>(a, by, granules(), in_front, fetch)) {
            n->allow();
            try {
                n->template fill<true>(a, by, std::forward<K>(key), make_value);
            } catch (...) {
                n->give_back(a, granules());
                throw;
            }
            n->renew(hash);
            if constexpr (makes_nothing<Make>) n->begin_without_value();
            return n;
        }
        auto* const n = make_empty<plain_node>(a, granules(), hash, in_front);
        try {
            n->template fill<false>(a, by, std::forward<K>(key), make_value);
        } catch (...) {
            n->deallocate(a, granules());
            throw;
        }
        if constexpr (makes_nothing<Make>) n->begin_without_value();
        return n;
    }
    /// Destroys key and value. Returns whether the caller may free the memory; see node_key.hpp.
    template <class NodeAllocator>
    [[nodiscard]] bool destroy_content(NodeAllocator& a) noexcept {
        if constexpr (!ValueInSlot) {
            if (has_value_object()) std::allocator_traits<NodeAllocator>::destroy(a, std::addressof(value_));
        }
        return this->release_key(a, giving_back(a));
    }

    /// Asks for the memory of strings, of a node that the caller holds or, in the cache, that only it can reach.
    template <bool ForWriting>
    void fetch_strings() const noexcept {
        if constexpr (reuses_key_capacity) reused_capacity<Key>::template fetch<ForWriting>(this->key_);
        if constexpr (reuses_value_capacity) reused_capacity<T>::template fetch<ForWriting>(value_);
    }
    static constexpr bool has_strings = keeps_string_memory<Key, T, ValueInSlot>;

    // ---- in the node cache ----

    /// Whether `make_cacheable` may free memory that key or value own.
    static constexpr bool frees_when_cached =
        (!ValueInSlot && !reused_capacity<T>::keeps_memory && !std::is_trivially_destructible_v<T>) ||
        (!reused_capacity<Key>::keeps_memory && !std::is_trivially_destructible_v<Key>);

    /// `granules`: of its block, as in all functions below.
    bool may_be_cached(std::size_t /*granules*/) const noexcept {
        bool is_small = sizeof(plain_node) <= most_cached_bytes && this->is_sole_user() && has_value(*this);
        if constexpr (reuses_key_capacity) is_small = is_small && reused_capacity<Key>::is_small(this->key_);
        if constexpr (reuses_value_capacity) is_small = is_small && reused_capacity<T>::is_small(value_);
        return is_small;
    }
    template <class NodeAllocator>
    void make_cacheable(NodeAllocator& a, std::size_t /*granules*/) noexcept {
        if constexpr (!reuses_value_capacity && !ValueInSlot)
            std::allocator_traits<NodeAllocator>::destroy(a, std::addressof(value_));
        if constexpr (!reuses_key_capacity) static_cast<void>(this->release_key(a, giving_back(a))); // the memory stays
        forbid();
    }
    /// Gives the block of a cached node back to the allocator.
    template <class NodeAllocator>
    void give_back(NodeAllocator& a, std::size_t granules) noexcept {
        using traits = std::allocator_traits<NodeAllocator>;
        allow();
        if constexpr (reuses_key_capacity) traits::destroy(a, std::addressof(this->key_));
        if constexpr (reuses_value_capacity) traits::destroy(a, std::addressof(value_));
        deallocate(a, granules);
    }

    /// Frees the block of a node whose content is destroyed.
    template <class NodeAllocator>
    void deallocate(NodeAllocator& a, std::size_t granules) noexcept {
        give_memory_back(a, *this, *this, granules);
    }
    template <class NodeAllocator>
    static auto giving_back(NodeAllocator& a) noexcept {
        return [&a](base& home) { static_cast<plain_node&>(home).deallocate(a, granules()); };
    }

private:
    struct nothing {};
    static constexpr bool reuses_key_capacity = reused_capacity<Key>::keeps_memory;
    static constexpr bool reuses_value_capacity = !ValueInSlot && reused_capacity<T>::keeps_memory;

    /// False: a node without a value. One whose string would be used again has an empty one.
    bool has_value_object() const noexcept {
        if constexpr (reuses_value_capacity || std::is_trivially_destructible_v<decltype(value_)>) {
            return true;
        } else {
            return has_value(*this);
        }
    }

    /// Makes key and value. In a node from the cache it assigns to the strings.
    template <bool FromCache, class NodeAllocator, class ThreadRecord, class K, class Make>
    void fill(NodeAllocator& a, [[maybe_unused]] ThreadRecord& by, K&& key, Make&& make_value) {
        [[maybe_unused]] const auto on_free = [&by] { by.count_freed(1); };
        constexpr bool is_valueless = makes_nothing<Make> && !reuses_value_capacity;
        constexpr bool assigns_value = FromCache && reuses_value_capacity;
        if constexpr (is_valueless) {
            static_assert(!ValueInSlot);
        } else if constexpr (makes_nothing<Make>) {
            if constexpr (FromCache) {
                reused_capacity<T>::assign(value_, T(), on_free);
            } else {
                std::allocator_traits<NodeAllocator>::construct(a, std::addressof(value_));
            }
        } else if constexpr (assigns_value) {
            reused_capacity<T>::assign(value_, make_value(), on_free);
        } else if constexpr (!ValueInSlot) {
            construct_made(a, std::addressof(value_), make_value);
        }
        try {
            if constexpr (FromCache && reuses_key_capacity) {
                if constexpr (is_key_of_entry<std::remove_cvref_t<K>>) {
                    reused_capacity<Key>::assign(this->key_, key.present.key(), on_free);
                } else {
                    reused_capacity<Key>::assign(this->key_, std::forward<K>(key), on_free);
                }
            } else {
                this->construct_key(a, std::forward<K>(key));
            }
        } catch (...) {
            if constexpr (!ValueInSlot && !assigns_value && !is_valueless) {
                std::allocator_traits<NodeAllocator>::destroy(a, std::addressof(value_));
            }
            throw;
        }
    }

    /// Cached strings stay valid objects. In a node without strings no thread may access what lies behind the base.
    static constexpr bool is_forbidden = !reuses_key_capacity && !reuses_value_capacity;
    static constexpr std::size_t content_bytes() noexcept { return sizeof(plain_node) - sizeof(node_base_for<Sync, Mark>); }
    void forbid() noexcept {
        if constexpr (is_forbidden) Sync::forbid_access(content(), content_bytes());
    }
    void allow() noexcept {
        if constexpr (is_forbidden) Sync::allow_access(content(), content_bytes());
    }
    std::byte* content() noexcept { return reinterpret_cast<std::byte*>(this) + sizeof(node_base_for<Sync, Mark>); }
    union {
        std::conditional_t<ValueInSlot, nothing, T> value_;
    };
};

/// The member of a packed node that is no text: a value.
template <class Member, class Base>
struct packed_head : Base {
    explicit packed_head(std::uint64_t h) noexcept : Base(h) {}
    ~packed_head() {}
    union {
        Member member;
    };
};
template <class Base>
struct packed_head<void, Base> : Base {
    using Base::Base;
};

/// Where the last member of a class ends and its padding begins. `end_of_members` finds that by how many bytes a derived class
/// can add before it becomes larger.
template <class Head, std::size_t More>
struct lengthened : Head {
    std::byte more[More];
};
template <class Head, std::size_t More = 1>
constexpr std::size_t end_of_members() noexcept {
    if constexpr (sizeof(lengthened<Head, More + 1>) == sizeof(lengthened<Head, 1>)) {
        return end_of_members<Head, More + 1>();
    } else {
        return sizeof(lengthened<Head, 1>) - More;
    }
}

/// The part before the texts of a packed node: its key, its value, or neither.
template <class Key, class T, bool ValueInSlot, class Sync, class Mark>
using packed_head_for = std::conditional_t<
    !syncmap::detail::is_text<Key>, keyed_node_for<Key, T, ValueInSlot, Sync, Mark>,
    packed_head<std::conditional_t<ValueInSlot || syncmap::detail::is_text<T>, void, T>, node_base_for<Sync, Mark>>>;

template <class Key, class T, bool ValueInSlot, class Sync, class Mark = no_mark>
struct packed_node : packed_head_for<Key, T, ValueInSlot, Sync, Mark> {
private:
    static constexpr bool key_is_text = syncmap::detail::is_text<Key>;
    static constexpr bool value_is_text = syncmap::detail::is_text<T>;
    static constexpr bool has_value_member = key_is_text && !value_is_text && !ValueInSlot;
    using head = packed_head_for<Key, T, ValueInSlot, Sync, Mark>;

public:
    using sync = Sync;
    struct alignas(alignof(head)) granule {
        std::byte bytes[alignof(head)];
    };

    using head::head;

    static constexpr bool has_strings = false; ///< beside the block

    static constexpr bool shares_key = [] {
        if constexpr (key_is_text) {
            return false;
        } else {
            return head::shares_key;
        }
    }();

    std::uint64_t hash() const noexcept { return this->label; }
    const Key& key() const noexcept {
        if constexpr (key_is_text) {
            return text_at(texts());
        } else {
            return head::key();
        }
    }
    const T& value() const noexcept {
        if constexpr (syncmap::detail::is_no_value<T>) {
            return syncmap::detail::the_no_value;
        } else if constexpr (!value_is_text) {
            return this->member;
        } else if constexpr (key_is_text) {
            return text_at(key().end());
        } else {
            return text_at(texts());
        }
    }

    T& value() noexcept
        requires has_value_member
    {
        return this->member;
    }

    std::size_t granules() const noexcept {
        const std::byte* end = nullptr;
        if constexpr (value_is_text) {
            end = value().end();
        } else {
            end = key().end();
        }
        return granules_of(static_cast<std::size_t>(end - reinterpret_cast<const std::byte*>(this)));
    }
    std::size_t block_bytes() const noexcept { return granules() * sizeof(granule) + bytes_in_front_of(*this); }
    /// Returns how many bytes the member that is no text owns beside the block.
    std::size_t owned_bytes() const noexcept {
        if constexpr (has_value_member) {
            return has_value(*this) ? syncmap::detail::owned_bytes_of(this->member) : 0;
        } else if constexpr (!key_is_text && !shares_key) {
            return syncmap::detail::owned_bytes_of(key());
        } else {
            return 0;
        }
    }

    /// Makes a node. Strong guarantee: it moves from the caller's objects last, since that cannot be undone.
    template <class NodeAllocator, class ThreadRecord, class K, class Make>
    static packed_node* make(NodeAllocator& a, ThreadRecord& by, std::uint64_t hash, K&& key, Make&& make_value,
                             prefix_kind in_front) {
        if constexpr (!value_is_text) {
            const std::string_view name = view_of_key(key);
            packed_node* const n = allocate(a, by, hash, text::bytes_of(name), in_front);
            text::write(n->texts(), name);
            if constexpr (makes_nothing<Make>) {
                n->begin_without_value();
            } else if constexpr (has_value_member) {
                construct_in(a, *n, [&] { construct_made(a, std::addressof(n->member), make_value); });
            }
            return n;
        } else if constexpr (makes_nothing<Make>) {
            packed_node* const n = make(a, by, hash, std::forward<K>(key), [] { return std::string_view(); }, in_front);
            n->begin_without_value();
            return n;
        } else {
            auto&& given = make_value(); // may run user code; its result decides the size of the block
            const std::string_view value = given;
            if constexpr (key_is_text) {
                const std::string_view name = view_of_key(key);
                packed_node* const n = allocate(a, by, hash, text::bytes_of(name) + text::bytes_of(value), in_front);
                text::write(text::write(n->texts(), name), value);
                return n;
            } else {
                packed_node* const n = allocate(a, by, hash, text::bytes_of(value), in_front);
                text::write(n->texts(), value);
                construct_in(a, *n, [&] { n->construct_key(a, std::forward<K>(key)); });
                return n;
            }
        }
    }
    /// Destroys key and value. Returns whether the caller may free the memory; see node_key.hpp.
    template <class NodeAllocator>
    [[nodiscard]] bool destroy_content([[maybe_unused]] NodeAllocator& a) noexcept {
        if constexpr (!key_is_text) {
            return this->release_key(a, giving_back(a));
        } else {
            if constexpr (has_value_member) {
                if (has_value(*this)) std::allocator_traits<NodeAllocator>::destroy(a, std::addressof(this->member));
            }
            return true;
        }
    }

    // ---- in the node cache ----

    static constexpr bool frees_when_cached =
        (has_value_member && !std::is_trivially_destructible_v<T>) || (!key_is_text && !std::is_trivially_destructible_v<Key>);

    bool may_be_cached(std::size_t granules) const noexcept {
        if constexpr (shares_key) {
            if (!this->is_sole_user()) return false;
        }
        return granules * sizeof(granule) <= most_cached_bytes && has_value(*this);
    }
    template <class NodeAllocator>
    void make_cacheable(NodeAllocator& a, [[maybe_unused]] std::size_t granules) noexcept {
        static_cast<void>(destroy_content(a)); // the memory stays
        Sync::forbid_access(content(), content_bytes(granules));
    }
    /// Gives the block of a cached node back to the allocator.
    template <class NodeAllocator>
    void give_back(NodeAllocator& a, std::size_t granules) noexcept {
        Sync::allow_access(content(), content_bytes(granules));
        deallocate(a, granules);
    }

    /// Frees the block of a node whose content is destroyed.
    template <class NodeAllocator>
    void deallocate(NodeAllocator& a, std::size_t granules) noexcept {
        give_memory_back(a, *this, reinterpret_cast<granule&>(*this), granules);
    }

    template <class NodeAllocator>
    static auto giving_back(NodeAllocator& a) noexcept {
        return [&a](head& home) {
            auto& n = static_cast<packed_node&>(home);
            n.deallocate(a, n.granules());
        };
    }

private:
    template <class K>
    static std::string_view view_of_key(const K& key) noexcept(is_key_of_entry<K>) {
        if constexpr (is_key_of_entry<K>) {
            return key.present.key();
        } else {
            return key;
        }
    }

    std::byte* content() noexcept { return reinterpret_cast<std::byte*>(this) + sizeof(node_base_for<Sync, Mark>); }
    static std::size_t content_bytes(std::size_t granules) noexcept {
        const std::size_t all = granules * sizeof(granule);
        return all - detail::lesser(all, sizeof(node_base_for<Sync, Mark>));
    }

    /// Blocks are 8 bytes below a multiple of 16, as allocators make them: with fewer sizes a cached node serves more texts.
    static constexpr std::size_t granules_of(std::size_t bytes) noexcept {
        const std::size_t fewest = (bytes + sizeof(granule) - 1) / sizeof(granule);
        return sizeof(granule) == 8 ? fewest | 1 : fewest;
    }
    static const text& text_at(const std::byte* place) noexcept { return *std::launder(reinterpret_cast<const text*>(place)); }

    static constexpr std::size_t texts_at = end_of_members<head>();
    std::byte* texts() noexcept { return reinterpret_cast<std::byte*>(this) + texts_at; }
    const std::byte* texts() const noexcept { return reinterpret_cast<const std::byte*>(this) + texts_at; }

    template <class NodeAllocator, class ThreadRecord>
    static packed_node* allocate(NodeAllocator& a, ThreadRecord& by, std::uint64_t hash, std::size_t bytes_of_texts,
                                 prefix_kind in_front) {
        const std::size_t size = granules_of(texts_at + bytes_of_texts);
        if (auto* const n = take_cached<packed_node>(a, by, size, in_front, [](auto&) {})) {
            Sync::allow_access(n->content(), content_bytes(size));
            n->renew(hash);
            return n;
        }
        return make_empty<packed_node>(a, size, hash, in_front);
    }
    /// Makes the member that is no text. The texts are written before: if this throws, they tell the block's size.
    template <class NodeAllocator, class Construct>
    static void construct_in(NodeAllocator& a, packed_node& n, Construct construct) {
        try {
            construct();
        } catch (...) {
            n.deallocate(a, n.granules());
            throw;
        }
    }
};

/// The kind of nodes that a map has. An entry without a value has nodes as if its value lay in the slot.
template <class Key, class T, bool ValueInSlot, class Sync, class Mark = no_mark>
using node_for = std::conditional_t<syncmap::detail::is_text<Key> || syncmap::detail::is_text<T>,
                                    packed_node<Key, T, ValueInSlot || syncmap::detail::is_no_value<T>, Sync, Mark>,
                                    plain_node<Key, T, ValueInSlot || syncmap::detail::is_no_value<T>, Sync, Mark>>;

} // namespace syncmap::engine
