// When a node that left the map is freed: by whichever thread has gathered a batch, once no hazard names it.
#pragma once

#include <algorithm>
#include <new>
#include <vector>

#include <syncmap/engine/table/storage.hpp>

namespace syncmap::engine {

template <class Types>
class retirement : public storage<Types> {
    using base = storage<Types>;

public:
    using base::base;

protected:
    using typename base::control;
    using typename base::node;
    using typename base::node_base;
    using typename base::stripe_type;
    using typename base::Sync;

    /// `n` lies in no slot any more [I6] and is freed when nobody holds it. Never under a unit's lock: it may run
    /// destructors of the user's.
    void retire(control& c, stripe_type& s, node* n) noexcept {
        put(s, n);
        std::uint32_t& count = s.writer->retired_count;
        if (++count % batch_size != 0) return;
        if (count / batch_size >= Sync::batches_between_scans(c.home->threads.row_count())) {
            count = 0;
            if (scan(c, &s)) return;
        }
        scan_own(c, s); // who scans may have been stopped: garbage does not wait for that
    }

    /// The same for a thread without a stripe, which counts what it has `gathered`.
    void retire(control& c, std::uint32_t& gathered, node* n) noexcept {
        put(*c.stripes.load(std::memory_order_acquire), n); // who has nodes has a stripe
        if (++gathered % batch_size == 0) scan(c);
    }

    /// Frees all retired nodes that no thread holds. False: another thread is at it, and nothing was done.
    /// A caller with a stripe keeps what of them its next nodes can use.
    bool scan(control& c, stripe_type* mine = nullptr) noexcept {
        if (c.scanning.exchange(true, std::memory_order_acquire)) return false;
        node_base* found = nullptr;
        c.each_stripe([&](stripe_type& s) { append(found, s.retired.exchange(nullptr, std::memory_order_acquire)); });
        node_base* free_now = take_unheld(c, found);
        while (found != nullptr) put(*c.stripes.load(std::memory_order_acquire), std::exchange(found, found->next_retired));
        c.scanning.store(false, std::memory_order_release);
        if (mine != nullptr) free_now = keep(c, *mine, free_now);
        this->destroy_nodes(free_now); // destructors may use the map again, and scan
        return true;
    }

private:
    /// Retired nodes that one thread gathers before it looks which can be freed: of large entries fewer.
    static constexpr std::size_t batch_bytes = std::size_t{1} << 20;
    static constexpr std::uint32_t batch_size =
        static_cast<std::uint32_t>(std::clamp<std::size_t>(batch_bytes / sizeof(node), 1, Sync::retire_batch));

    /// What so many threads as a map has keep at rest, all together.
    static constexpr std::size_t all_spares = std::size_t{1} << 13;

    static void put(stripe_type& s, node_base* n) noexcept {
        node_base* head = s.retired.load(std::memory_order_relaxed);
        do {
            n->next_retired = head;
            // release: the scan that takes the list sees the nodes' links. Others may push as well; who takes takes all.
        } while (!s.retired.compare_exchange_weak(head, n, std::memory_order_release, std::memory_order_relaxed));
    }

    /// Frees what this thread has retired and no thread holds. Touches nothing that another thread could have in hand.
    void scan_own(control& c, stripe_type& s) noexcept {
        node_base* found = s.retired.exchange(nullptr, std::memory_order_acquire);
        node_base* const free_now = take_unheld(c, found);
        while (found != nullptr) put(s, std::exchange(found, found->next_retired));
        this->destroy_nodes(keep(c, s, free_now));
    }

    /// Lays nodes to rest until the thread has its share of them; returns the others.
    node_base* keep(control& c, stripe_type& s, node_base* list) noexcept {
        const std::size_t most = std::min<std::size_t>(Sync::most_spares(), all_spares / c.stripe_count());
        if (most == 0) return list;
        using pile_type = pile_of_nodes<Sync>;
        pile_type pile = s.spares.take_all();
        node_base* others = nullptr;
        while (list != nullptr) {
            node* const n = static_cast<node*>(std::exchange(list, list->next_retired));
            if (pile.count() < most && n->may_rest()) {
                this->lay_to_rest(pile, n);
            } else {
                n->next_retired = std::exchange(others, n);
            }
        }
        // What a destructor that used the map has laid down meanwhile. No code of the user's runs from here on.
        for (pile_type more = s.spares.take_all(); more.top() != nullptr;) {
            node_base& n = *more.take_top();
            pile.add(n, pile_type::units_of(n));
        }
        while (pile.count() > most) this->give_back(*pile.take_top()); // or the share has become smaller
        s.spares.put(pile);
        return others;
    }

    /// Takes those out of `found` that no thread holds.
    static node_base* take_unheld(control& c, node_base*& found) noexcept {
        node_base* free_now = nullptr;
        try {
            std::vector<const void*> held;
            if (c.home->threads.barriers().heavy_barrier_to_free()) { // between unlinking and reading the hazards; pairs with hold::protect
                c.home->threads.hazards(held);
                std::sort(held.begin(), held.end());
                separate(found, held, free_now);
            }
        } catch (const std::bad_alloc&) {
            // No room to remember the hazards: all wait for the next scan.
        }
        return free_now;
    }

    static void append(node_base*& list, node_base* more) noexcept {
        while (more != nullptr) {
            node_base* const next = more->next_retired;
            more->next_retired = std::exchange(list, more);
            more = next;
        }
    }

    /// Leaves in `found` what some hazard names. Of the rest, pinned nodes are handed to their pins' holders.
    static void separate(node_base*& found, const std::vector<const void*>& held, node_base*& free_now) noexcept {
        for (node_base* n = std::exchange(found, nullptr); n != nullptr;) {
            node_base* const next = n->next_retired;
            if (std::binary_search(held.begin(), held.end(), static_cast<const void*>(n))) {
                n->next_retired = std::exchange(found, n);
            } else if (n->hand_over()) {
                n->next_retired = std::exchange(free_now, n);
            }
            n = next;
        }
    }
};

} // namespace syncmap::engine
