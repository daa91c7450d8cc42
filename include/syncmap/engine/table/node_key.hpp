// The key of a node, and which key object an entry keeps: the first one, whatever keys its value is replaced by.
//
// A new value is a new node, and an entry keeps its key object. Where a copy of a key cannot be told from it by anything but
// its address, the new node has a copy. Any other key object is *shared*: the node that it was stored in is its home, and the
// later nodes of the entry point there. They are counted at home.
//
// [K1] `users` of a home: the home itself, until its own value is destroyed, and each node that points to it. The last one
//      destroys the key and gives the home's memory back.
// [K2] A user is added while an older one is held, so the count is not zero then.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/engine/table/reused_capacity.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/reclaim/node.hpp>
#include <syncmap/text.hpp>

namespace syncmap::engine {

/// A copy of such a key is the same key, address apart, and takes no more than some bytes. For keys of the library's own.
template <class Key>
inline constexpr bool copy_is_same_key =
    syncmap::detail::is_text<Key> || std::is_trivially_copy_constructible_v<Key> || reused_capacity<Key>::keeps_memory;

/// Equality calls no user code, so keys may be compared under a lock.
template <class Key, class KeyEqual>
inline constexpr bool equality_is_known =
    (std::is_same_v<KeyEqual, std::equal_to<>> || std::is_same_v<KeyEqual, std::equal_to<Key>>) &&
    (std::is_arithmetic_v<Key> || std::is_pointer_v<Key> || syncmap::detail::is_text_by_bytes<Key> ||
     syncmap::detail::is_text<Key>);

/// Two key objects that are equal may be different ones. (-0.0 equals 0.0.)
template <class Key, class KeyEqual>
inline constexpr bool tells_equal_keys_apart = !equality_is_known<Key, KeyEqual> || std::is_floating_point_v<Key>;

/// In place of the key of a node that is made for a present entry: the key is that of `present`.
template <class Node>
struct key_of_entry {
    const Node& present;
};
template <class K>
inline constexpr bool is_key_of_entry = false;
template <class Node>
inline constexpr bool is_key_of_entry<key_of_entry<Node>> = true;

/// A node with a key object of its own.
template <class Key, class Sync, bool Shared>
struct keyed_node : reclaim::node_base<Sync> {
    static constexpr bool shares_key = false;

    explicit keyed_node(std::uint64_t h) noexcept : reclaim::node_base<Sync>(h) {}
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
    /// Returns the key that it had. Of a node that is not published yet; for keys that are copied, whose moves cannot fail.
    template <class NodeAllocator>
    Key exchange_key(NodeAllocator& a, Key&& other) noexcept {
        using traits = std::allocator_traits<NodeAllocator>;
        Key before(std::move(key_));
        traits::destroy(a, std::addressof(key_));
        traits::construct(a, std::addressof(key_), std::move(other));
        return before;
    }
    /// Ends the key. True: the node's memory may go too.
    template <class NodeAllocator, class GiveBack>
    bool release_key(NodeAllocator& a, GiveBack) noexcept {
        std::allocator_traits<NodeAllocator>::destroy(a, std::addressof(key_));
        return true;
    }
    /// Of a node that nobody else knows: whether its memory may be kept for another one.
    static constexpr bool is_sole_user() noexcept { return true; }

protected:
    union {
        Key key_;
    };
};

/// A node that shows the key object of its home.
template <class Key, class Sync>
struct keyed_node<Key, Sync, true> : reclaim::node_base<Sync> {
    static constexpr bool shares_key = true;

    explicit keyed_node(std::uint64_t h) noexcept : reclaim::node_base<Sync>(h) {}
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

    /// Ends this node's use of keys. True: its memory may go too; else another node shows its key, and gives the memory back.
    /// `give_back(home)` does that for a home whose last user this was.
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
    /// Of a node that nobody else knows: whether its memory may be kept for another one.
    bool is_sole_user() const noexcept { return users_.load(std::memory_order_relaxed) <= 1; }

    // ---- of a node that is not published yet, and turns out to be for another entry ----

    template <class NodeAllocator, class GiveBack>
    void show_key_of(NodeAllocator& a, const keyed_node& present, GiveBack give_back) noexcept {
        if (present.home_ == home_) return;
        keyed_node* const before = std::exchange(home_, &present.join_home());
        if (before != this) leave_home(a, *before, give_back);
    }
    /// The key that the writer was given, which is here already, or else is made of `key`.
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
    /// True: that was the last user. acquire, release: all that the others did with the key comes before its destruction.
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

    typename Sync::template atomic<std::uint32_t> users_{0}; ///< of the own key; of none: there is no own key
    keyed_node* home_ = this;
    union {
        Key key_;
    };
};

} // namespace syncmap::engine
