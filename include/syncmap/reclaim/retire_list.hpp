// Lists of nodes that have left a map, and the search for those that no thread holds.
#pragma once

#include <atomic>
#include <cstddef>
#include <new>
#include <utility>

#include <syncmap/detail/sorting.hpp>

namespace syncmap::reclaim {

template <class Sync>
struct node_base;
template <class Sync>
struct hazard_record;
template <class Sync>
class domain;

/// A list of retired nodes. Any thread may push. A thread takes either all nodes or none.
template <class Sync>
class retire_list {
    using node = node_base<Sync>;

public:
    void push(node& n) noexcept {
        node* head = head_.load(std::memory_order_relaxed);
        do {
            n.next_retired = head;
            // (1) release: pairs with the acquire of (2); without it a scan may follow a link that is not there yet.
        } while (!head_.compare_exchange_weak(head, &n, std::memory_order_release, std::memory_order_relaxed));
    }
    void push_all(node* list) noexcept {
        while (list != nullptr) push(*std::exchange(list, list->next_retired));
    }
    node* take_all() noexcept { return head_.exchange(nullptr, std::memory_order_acquire); } // (2) acquire: pairs with (1)
    bool is_empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }

private:
    typename Sync::template atomic<node*> head_{nullptr};
};

template <class Sync>
void append(node_base<Sync>*& list, node_base<Sync>* more) noexcept {
    while (more != nullptr) {
        node_base<Sync>* const next = more->next_retired;
        more->next_retired = std::exchange(list, more);
        more = next;
    }
}

/// The nodes that all threads hold, at one look.
template <class Sync>
class held_nodes {
    using node = node_base<Sync>;

public:
    held_nodes() noexcept = default;
    held_nodes(const held_nodes&) = delete;
    held_nodes& operator=(const held_nodes&) = delete;
    ~held_nodes() { delete[] many_; }

    /// Makes room for the hazards of all threads. Returns false if there is no memory. It is a step of its own because it may
    /// call `operator new`, and `look` may run under a lock.
    bool prepare(domain<Sync>& threads) noexcept {
        const std::size_t most = (threads.hazard_record_count() + hazard_records_to_come) * hazard_record<Sync>::hazards;
        if (most <= room_) return true;
        const void** const more = new (std::nothrow) const void*[most];
        if (more == nullptr) return false;
        delete[] std::exchange(many_, more);
        held_ = more;
        room_ = most;
        return true;
    }
    /// Reads the hazards of all threads. Called after the nodes were retired. Returns false if it cannot read all hazards: no
    /// node may be freed then.
    bool look(domain<Sync>& threads) noexcept {
        // Lies between the unlinking and the look at the hazards; pairs with the light barrier of hazard_guard::protect().
        if (!threads.barriers().heavy_barrier_to_free()) return false;
        count_ = 0;
        if (!threads.hazards(held_, room_, count_)) return false;
        detail::sort(held_, count_, [](const void* a, const void* b) { return a < b; });
        return true;
    }
    /// Whether a hazard names the node. After `look`.
    bool names(const node* n) const noexcept {
        const void* const* first = held_; // all before it are less, all from `end` on are not
        const void* const* end = held_ + count_;
        while (first != end) {
            const void* const* const middle = first + (end - first) / 2;
            if (*middle < n) {
                first = middle + 1;
            } else {
                end = middle;
            }
        }
        return end != held_ + count_ && *end == n;
    }
    /// Leaves in `found` the nodes that hazards name. Marks the pinned ones of the rest HANDED. Puts all others onto the list
    /// `free_now`, and returns that list.
    node* take_unheld(node*& found, node* free_now = nullptr) const noexcept {
        for (node* n = std::exchange(found, nullptr); n != nullptr;) {
            node* const next = n->next_retired;
            if (names(n)) {
                n->next_retired = std::exchange(found, n);
            } else if (n->hand_over()) {
                n->next_retired = std::exchange(free_now, n);
            }
            n = next;
        }
        return free_now;
    }
    /// Does all three steps: takes the nodes that no thread holds out of `found`, and returns them.
    node* find_unheld(domain<Sync>& threads, node*& found) noexcept {
        return found != nullptr && prepare(threads) && look(threads) ? take_unheld(found) : nullptr;
    }

private:
    static constexpr std::size_t hazard_records_to_come = 8; ///< of threads that begin between `prepare` and `look`

    static constexpr std::size_t room_for_few = 128;

    const void* few_[room_for_few]; // written before it is read
    const void** many_ = nullptr; ///< owned; null while the few suffice
    const void** held_ = few_; ///< those of the two that are in use
    std::size_t room_ = room_for_few;
    std::size_t count_ = 0;
};

} // namespace syncmap::reclaim
