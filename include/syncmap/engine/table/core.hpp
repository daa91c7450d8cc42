// The state of one map, and the protocol of its root word. All else in this folder is a part that works on it.
//
// The root: the address of the table, a bit for the process that is about to fork, and a generation that makes every
// change of the root visible. docs/design.md, section 1.
#pragma once

#include <atomic>
#include <memory>
#include <type_traits>

#include <syncmap/engine/table/control_block.hpp>
#include <syncmap/engine/table/node.hpp>

namespace syncmap::engine {

/// The types of one engine, for its parts. `Mark`: what each entry carries beside key and value (marked_node.hpp).
template <class Key, class T, class Hash, class KeyEqual, class Allocator, class Sync, class Mark = no_mark>
struct table_types {
    using key_type = Key;
    using mapped_type = T;
    using hasher = Hash;
    using key_equal = KeyEqual;
    using allocator_type = Allocator;
    using sync = Sync;
    using mark = Mark;
    static constexpr bool has_marks = !std::is_same_v<Mark, no_mark>;
    static constexpr bool has_marks_in_nodes = has_marks && !mark_in_value<Mark>;
    using layout = engine::layout<Key, T, Hash, KeyEqual, Sync, has_marks_in_nodes>;
    using header = table_header<layout, Sync>;
    using line_type = line<layout>;
    using control = control_block<layout, Sync>;

    using node = node_for<Key, T, layout::pairs, Sync, std::conditional_t<has_marks_in_nodes, Mark, no_mark>>;
};

template <class Types>
class core : public map_root<typename Types::sync> {
public:
    using map_root<typename Types::sync>::root_;
    using Key = typename Types::key_type;
    using T = typename Types::mapped_type;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using header = typename Types::header;
    using line_type = typename Types::line_type;
    using control = typename Types::control;
    using rare_type = typename control::rare_type;
    using thread_record_type = typename control::thread_record_type;
    using node = typename Types::node;
    using node_base = reclaim::node_base<Sync>;
    using atomic_word = typename Layout::atomic_word;
    using allocator_type = typename Types::allocator_type;
    using hazard_record_type = reclaim::hazard_record<Sync>;

    constexpr core() = default;
    constexpr core(const typename Types::hasher& hash, const typename Types::key_equal& equal, const allocator_type& alloc)
        : hash_(hash), equal_(equal), allocator_(alloc) {}
    /// An empty map with the same functions and the same allocator; the contents follow, see storage::take_contents.
    core(core&& other) noexcept(std::is_nothrow_copy_constructible_v<typename Types::hasher> &&
                                std::is_nothrow_copy_constructible_v<typename Types::key_equal>)
        : hash_(other.hash_), equal_(other.equal_), allocator_(other.allocator_) {}
    core(const core&) = delete;
    core& operator=(const core&) = delete;

    // ---- the root word: address of the table, and a generation that makes every change of root visible ----

    static constexpr word root_address = 0x0000FFFFFFFFFFC0U;

    static header* table_of(word root) noexcept { return reinterpret_cast<header*>(root & root_address); }
    static constexpr word forking = control::forking;
    static word generation_of(word root) noexcept { return (root >> 48) << 5 | (root & 62) >> 1; }
    static word make_root(header* t, word generation) noexcept {
        return address_word(t) | (generation & 31) << 1 | (generation >> 5) << 48;
    }
    static word next_root(word root, header* t) noexcept { return make_root(t, generation_of(root) + 1) | (root & forking); }

    /// Makes `t` the root's table if the root is `from`, but for the bit FORKING, which comes and goes by itself.
    bool change_root(word from, header* t) noexcept {
        word seen = root_.load(std::memory_order_relaxed);
        while (((seen ^ from) & ~forking) == 0) {
            // release: a thread that finds the table sees it whole.
            // acquire: the old one's successors are seen as they were left.
            if (root_.compare_exchange_weak(seen, next_root(seen, t), std::memory_order_acq_rel, std::memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }

    bool is_root(word r) const noexcept {
        // acquire loads before this one are not moved behind it; see design R5 and W2.
        return root_.load(std::memory_order_acquire) == r;
    }
    bool is_forking() const noexcept { return (root_.load(std::memory_order_acquire) & forking) != 0; }

    // ---- what the words lead to ----

    /// For a thread that has seen a table: the control block was made before it.
    control& shared_of_table() const noexcept { return *control_.load(std::memory_order_acquire); }
    static node* node_at(word slot_word) noexcept {
        static_assert(alignof(node) > 7, "the lowest three bits of a node's address are marks");
        return static_cast<node*>(Layout::address(slot_word));
    }

    /// Returns the hash of an entry, by its slot word.
    std::uint64_t hash_of([[maybe_unused]] const hash_seed& seed, word slot_word) const noexcept {
        if constexpr (Layout::inline_key) {
            return syncmap::detail::seeded_hash(hash_, Layout::key_of(slot_word, false), seed); // trusted: calls nothing back
        } else {
            return node_at(slot_word)->hash();
        }
    }

    typename Sync::template atomic<control*> control_{nullptr};
    [[no_unique_address]] typename Types::hasher hash_{};
    [[no_unique_address]] typename Types::key_equal equal_{};
    [[no_unique_address]] allocator_type allocator_{};
};

} // namespace syncmap::engine
