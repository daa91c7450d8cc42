// When a node that left the map is freed: by a thread whose account of garbage is full, once no hazard names the node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <syncmap/engine/table/storage.hpp>

namespace syncmap::engine {

template <class Types>
class retirement : public storage<Types> {
    using base = storage<Types>;

public:
    using base::base;

    using typename base::control;
    using typename base::node;
    using typename base::node_base;
    using typename base::Sync;
    using typename base::thread_record_type;
    using account = reclaim::garbage_account<Sync>;

    /// `n` lies in no slot any more [I6] and is freed when no thread holds it. Never under a bucket's lock: it may run
    /// destructors of the user's, and those of other maps' values as well.
    void retire(control& c, thread_record_type& s, node* n) noexcept {
        if constexpr (!base::Layout::inline_key) {
            const reclaim::garbage_home<Sync> home{static_cast<core<Types>*>(this), &s};
            if (!s.writer->garbage->retire(c.home->threads, c, s.retired, home, *n, n->block_bytes(), n->owned_bytes())) return;
            scan_now_and_then(c, s);
        }
    }

    /// The same for a thread without a thread record, which has an account for this call alone.
    void retire(control& c, account& own, node* n) noexcept {
        const bool full = own.charge(n->block_bytes(), n->owned_bytes());
        any_list(c).push(*n);
        if (full) finish(c, own);
    }
    void finish(control& c, account& own) noexcept {
        if (!own.is_empty()) scan(c);
        own = {};
    }

    /// Frees all retired nodes of the map that no thread holds. False: another thread is at it, and nothing was done.
    bool scan(control& c) noexcept {
        if (c.scanning.exchange(true, std::memory_order_acquire)) return false;
        node_base* found = nullptr;
        c.each_thread_record([&](thread_record_type& s) { reclaim::append(found, s.retired.take_all()); });
        reclaim::held_nodes<Sync> held;
        node_base* const free_now = held.find_unheld(c.home->threads, found);
        if (found != nullptr) any_list(c).push_all(found);
        c.scanning.store(false, std::memory_order_release);
        this->destroy_nodes(free_now); // destructors may use the map again, and scan
        return true;
    }

private:
    /// For a node that is charged to no thread. (A map that has nodes has a thread record.)
    static reclaim::retire_list<Sync>& any_list(control& c) noexcept {
        return c.thread_records.load(std::memory_order_acquire)->retired;
    }

    /// What a stopped or ended thread has left is freed by others, which do not come by it otherwise.
    [[gnu::cold, gnu::noinline]] void scan_now_and_then(control& c, thread_record_type& s) noexcept {
        auto* const mine = s.writer->garbage->slot_of(s.retired);
        if (mine == nullptr || !mine->is_scan_due(c.home->threads.hazard_record_count())) return;
        mine->retired = 0;
        scan(c);
    }
};

} // namespace syncmap::engine
