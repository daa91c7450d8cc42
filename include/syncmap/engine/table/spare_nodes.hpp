// The nodes at rest of one thread: a stack, whose blocks its next nodes get.
//
// An overwrite makes a node and retires one. Without this, each of them is given back to the allocator hundreds of
// writes later, in one go with others, by which time it leaves the allocator's own thread caches at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine {

/// By its thread alone. (Atomic, so that the child of a fork, to which the thread is lost in the midst of anything, finds
/// the stack as it was before or after.)
template <class Sync>
class spare_nodes {
    using node_base = reclaim::node_base<Sync>;

public:
    /// One of that size, or null. Of the topmost: sizes are often all the same, and else few.
    template <class Node>
    Node* take(std::size_t units) noexcept {
        node_base* above = nullptr;
        node_base* n = first_.load(std::memory_order_relaxed);
        for (int looked = 0; n != nullptr && looked < most_looked_at; ++looked) {
            if (static_cast<Node*>(n)->units_at_rest() == units) {
                --count_;
                if (above == nullptr) {
                    first_.store(n->next_retired, std::memory_order_relaxed);
                } else {
                    above->next_retired = n->next_retired;
                }
                return static_cast<Node*>(n);
            }
            above = n;
            n = n->next_retired;
        }
        return nullptr;
    }
    void put(node_base& n) noexcept {
        n.next_retired = first_.load(std::memory_order_relaxed);
        ++count_;
        first_.store(&n, std::memory_order_release); // release: for the child of a fork, as above
    }

    /// All of them, linked by `next_retired`.
    node_base* take_all() noexcept {
        count_ = 0;
        node_base* const all = first_.load(std::memory_order_relaxed);
        first_.store(nullptr, std::memory_order_relaxed);
        return all;
    }
    std::uint32_t count() const noexcept { return count_; }

private:
    static constexpr int most_looked_at = 4;

    typename Sync::template atomic<node_base*> first_{nullptr};
    std::uint32_t count_ = 0; ///< about: the child of a fork may find it one off
};

} // namespace syncmap::engine
