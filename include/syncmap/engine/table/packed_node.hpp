// A node with texts: their bytes lie in the node's own block. node.hpp tells of both kinds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include <syncmap/detail/no_value.hpp>
#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/table/node_blocks.hpp>
#include <syncmap/owned_bytes.hpp>
#include <syncmap/text.hpp>

namespace syncmap::engine {

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

} // namespace syncmap::engine
