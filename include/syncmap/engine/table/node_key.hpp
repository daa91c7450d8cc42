// The key of a node, and which key object an entry keeps: the first one, whatever keys later writes of the entry have.
//
// A new value is a new node, and the entry keeps its key object. If a copy of a key differs from it only in its address, the
// new node has a copy. Any other key object is *shared*: the node in which it was stored is its home, and the later nodes of
// the entry point there. The home counts them.
//
// [K1] `users` of a home: the home itself, until its own value is destroyed, and each node that points to it. The last user
//      destroys the key and frees the home's memory.
// [K2] A thread adds a user while it holds an older one, so the count is not zero then.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/detail/functional.hpp>
#include <syncmap/engine/table/reused_capacity.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/reclaim/node.hpp>
#include <syncmap/text.hpp>

namespace syncmap::engine {

/// A copy of such a key differs from it only in its address, and takes few bytes: a text, a trivially copied key, a string.
template <class Key>
inline constexpr bool copy_is_same_key =
    syncmap::detail::is_text<Key> || std::is_trivially_copy_constructible_v<Key> || reused_capacity<Key>::keeps_memory;

/// Equality calls no user code, so keys may be compared under a lock.
template <class Key, class KeyEqual>
inline constexpr bool equality_is_known =
    (std::is_same_v<KeyEqual, std::equal_to<>> || std::is_same_v<KeyEqual, std::equal_to<Key>>) &&
    (std::is_arithmetic_v<Key> || std::is_pointer_v<Key> || syncmap::detail::is_text_by_bytes<Key> ||
     syncmap::detail::is_text<Key>);

/// Two key objects that are equal may differ all the same. (-0.0 equals 0.0.)
template <class Key, class KeyEqual>
inline constexpr bool tells_equal_keys_apart = !equality_is_known<Key, KeyEqual> || std::is_floating_point_v<Key>;

/// Stands for the key of a new node that is made for a present entry: it has the key of `present`.
template <class Node>
struct key_of_entry {
    const Node& present;
};
template <class K>
inline constexpr bool is_key_of_entry = false;
template <class Node>
inline constexpr bool is_key_of_entry<key_of_entry<Node>> = true;

/// A node with a key object of its own. `Base`: what it carries for its reclamation, and perhaps a mark (marked_node.hpp).
template <class Key, class Sync, bool Shared, class Base>
struct keyed_node : Base {
    static constexpr bool shares_key = false;

    explicit keyed_node(std::uint64_t h) noexcept : Base(h) {}
    ~keyed_node() {}

    const Key& key() const noexcept { return key_; }

    template <class NodeAllocator, class K>
    void construct_key(NodeAllocator& a, K&& key) {
        using traits = std::allocator_traits<NodeAllocator>;
        if constexpr (is_key_of_entry<std::remove_cvref_t<K>>) {
            traits::construct(a, std::addressof(key_), key.present.key());
        } else {
            traits::construct(a, std::addressof(key_), std::forward<K>(key));
        }
    }
    /// Replaces the key of a node that is not published yet, and returns the old one. Only for keys that are copied: their
    /// moves cannot fail.
    template <class NodeAllocator>
    Key exchange_key(NodeAllocator& a, Key&& other) noexcept {
        using traits = std::allocator_traits<NodeAllocator>;
        Key before(std::move(key_));
        traits::destroy(a, std::addressof(key_));
        traits::construct(a, std::addressof(key_), std::move(other));
        return before;
    }
    /// Destroys the key. Returns true: the caller may free the node's memory.
    template <class NodeAllocator, class GiveBack>
    bool release_key(NodeAllocator& a, GiveBack) noexcept {
        std::allocator_traits<NodeAllocator>::destroy(a, std::addressof(key_));
        return true;
    }
    /// Returns whether the memory of a node that only this thread can reach may be kept for another one.
    static constexpr bool is_sole_user() noexcept { return true; }

protected:
    union {
        Key key_;
    };
};

/// A node that has the key object of its home.
template <class Key, class Sync, class Base>
struct keyed_node<Key, Sync, true, Base> : Base {
    static constexpr bool shares_key = true;

    explicit keyed_node(std::uint64_t h) noexcept : Base(h) {}
    ~keyed_node() {}

    const Key& key() const noexcept { return home_->key_; }

    template <class NodeAllocator, class K>
    void construct_key(NodeAllocator& a, K&& key) {
        if constexpr (is_key_of_entry<std::remove_cvref_t<K>>) {
            users_.store(0, std::memory_order_relaxed);
            home_ = &key.present.join_home();
        } else {
            std::allocator_traits<NodeAllocator>::construct(a, std::addressof(key_), std::forward<K>(key));
            users_.store(1, std::memory_order_relaxed);
            home_ = this;
        }
    }

    /// Ends this node's use of keys. Returns whether the caller may free its memory: if not, another node has its key, and
    /// frees the memory later. Calls `give_back(home)` to free a home whose last user this node was.
    template <class NodeAllocator, class GiveBack>
    bool release_key(NodeAllocator& a, GiveBack give_back) noexcept {
        keyed_node* const home = home_;
        const bool is_elsewhere = home != this;
        const bool has_key = has_own_key();
        const bool is_last = !has_key || leave();
        if (has_key && is_last) std::allocator_traits<NodeAllocator>::destroy(a, std::addressof(key_));
        if (is_elsewhere) leave_home(a, *home, give_back);
        return is_last;
    }
    /// Returns whether the memory of a node that only this thread can reach may be kept for another one.
    bool is_sole_user() const noexcept { return users_.load(std::memory_order_relaxed) <= 1; }

    // ---- for a node that is not published yet, whose write now finds another entry, or none ----

    template <class NodeAllocator, class GiveBack>
    void show_key_of(NodeAllocator& a, const keyed_node& present, GiveBack give_back) noexcept {
        if (present.home_ == home_) return;
        keyed_node* const before = std::exchange(home_, &present.join_home());
        if (before != this) leave_home(a, *before, give_back);
    }
    /// Gives the node the writer's own key. The node has it already, or makes it from `key`.
    template <class NodeAllocator, class K, class GiveBack>
    void show_own_key(NodeAllocator& a, K&& key, GiveBack give_back) {
        if (!has_own_key()) {
            std::allocator_traits<NodeAllocator>::construct(a, std::addressof(key_), std::forward<K>(key));
            users_.store(1, std::memory_order_relaxed);
        }
        keyed_node* const before = std::exchange(home_, this);
        if (before != this) leave_home(a, *before, give_back);
    }

protected:
    bool has_own_key() const noexcept { return users_.load(std::memory_order_relaxed) != 0; }
    /// Returns true if that was the last user. (1) release, acquire: pairs with itself in other threads; without it a thread
    /// may destroy the key during another one's last access.
    [[nodiscard]] bool leave() noexcept { return users_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
    template <class NodeAllocator, class GiveBack>
    static void leave_home(NodeAllocator& a, keyed_node& home, GiveBack give_back) noexcept {
        if (!home.leave()) return;
        std::allocator_traits<NodeAllocator>::destroy(a, std::addressof(home.key_));
        give_back(home);
    }
    keyed_node& join_home() const noexcept {
        home_->users_.fetch_add(1, std::memory_order_relaxed); // [K2]
        return *home_;
    }

    typename Sync::template atomic<std::uint32_t> users_{0}; ///< of the own key; 0: there is no own key
    keyed_node* home_ = this;
    union {
        Key key_;
    };
};

} // namespace syncmap::engine
