// A node of any types: one object for the key, one for the value. node.hpp tells of both kinds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/detail/no_value.hpp>
#include <syncmap/engine/making.hpp>
#include <syncmap/engine/table/node_blocks.hpp>
#include <syncmap/engine/table/reused_capacity.hpp>
#include <syncmap/owned_bytes.hpp>

namespace syncmap::engine {

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

} // namespace syncmap::engine
