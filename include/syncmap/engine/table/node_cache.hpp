// The cached nodes of one thread: freed nodes whose blocks, and strings, the thread's next nodes get.
//
// An overwrite makes a node and retires one. Without this cache the thread would free hundreds of nodes at a time, hundreds of
// writes later. The allocator's own thread caches cannot keep that many.
//
// Only the cache's thread adds nodes. Any thread may take all of them, as `flush` does. So that this needs no lock, the cache's
// thread also takes all of them before it looks for one, and puts the others back.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine {

/// Cached nodes that only one thread can reach: the last one added first, linked by `next_retired`.
template <class Sync>
class cached_nodes {
    using node_base = reclaim::node_base<Sync>;

public:
    cached_nodes() noexcept = default;
    explicit cached_nodes(node_base* top) noexcept : top_(top) {}

    node_base* top() const noexcept { return top_; }
    std::size_t count() const noexcept { return top_ == nullptr ? 0 : static_cast<std::size_t>(top_->label >> count_shift); }

    /// Adds a node. `granules`: the size of its block. (A node in the cache has no hash. Its label has the size, and the number
    /// of nodes from it downwards.)
    void add(node_base& n, std::size_t granules) noexcept {
        n.label = granules | (count() + 1) * one;
        n.next_retired = std::exchange(top_, &n);
    }
    static std::size_t granules_of(const node_base& n) noexcept { return static_cast<std::uint32_t>(n.label); }

    node_base* take_top() noexcept { return std::exchange(top_, top_->next_retired); }

    /// Returns a node of that size, or null. Looks only at the topmost ones: often all have one size, or there are few sizes.
    node_base* take(std::size_t granules) noexcept {
        node_base* above[most_looked_at];
        std::size_t looked = 0;
        for (node_base* n = top_; n != nullptr && looked < most_looked_at; n = n->next_retired) {
            if (granules_of(*n) == granules) {
                (looked == 0 ? top_ : above[looked - 1]->next_retired) = n->next_retired;
                while (looked > 0) above[--looked]->label -= one;
                return n;
            }
            above[looked++] = n;
        }
        return nullptr;
    }

private:
    static constexpr std::size_t most_looked_at = 4;
    static constexpr int count_shift = 32;
    static constexpr std::uint64_t one = std::uint64_t{1} << count_shift;

    node_base* top_ = nullptr;
};

template <class Sync>
class node_cache {
    using node_base = reclaim::node_base<Sync>;

public:
    using nodes = cached_nodes<Sync>;

    /// Returns a node whose block has that many granules, or null. With null it may set `unfit` to a cached node of another
    /// size, which the caller frees and counts: so a thread does not keep for ever what it does not use. Called by the cache's
    /// thread. Calls `fetch(node)` with the node that the next call will probably return.
    template <class Fetch>
    node_base* take(std::size_t granules, node_base*& unfit, Fetch fetch) noexcept {
        if (Sync::most_cached_nodes() == 0 || top_.load(std::memory_order_relaxed) == nullptr) return nullptr;
        nodes all = take_all();
        node_base* const found = all.take(granules);
        if (found == nullptr && all.top() != nullptr) unfit = all.take_top();
        if (all.top() != nullptr) fetch(*all.top());
        put(all);
        return found;
    }

    /// Takes all nodes. Any thread may call it. (1) acquire: pairs with the release of (2).
    nodes take_all() noexcept { return nodes(top_.exchange(nullptr, std::memory_order_acquire)); }

    /// Puts nodes into the cache, which is empty. Called by the cache's thread.
    void put(nodes all) noexcept {
        // (2) release: pairs with the acquire of (1); without it the thread that takes the nodes may miss links and sizes.
        if (all.top() != nullptr) top_.store(all.top(), std::memory_order_release);
    }

private:
    typename Sync::template atomic<node_base*> top_{nullptr};
};

} // namespace syncmap::engine
