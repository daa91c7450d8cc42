// When values and indexes that left the map are freed: by a thread that has retired enough, once no hazard names them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include <syncmap/engine/read_dirty/memory.hpp>
#include <syncmap/reclaim/domain.hpp>

namespace syncmap::engine::read_dirty_parts {

template <class Key, class T, class Allocator, class Sync>
class reclamation : public memory<Key, T, Allocator, Sync> {
    using base = memory<Key, T, Allocator, Sync>;

public:
    using typename base::control;
    using typename base::entry_type;
    using typename base::index_type;
    using typename base::value_type;
    using bin = typename control::bin;
    using base::base;

    /// The value is in no entry any more. Runs destructors, so never under the mutex.
    void retire(control& c, bin& mine, value_type* v) const noexcept {
        put(mine, v, 1);
        scan_if_full(c, mine);
    }
    /// The index is the snapshot no longer. One that takes much memory is looked after at once.
    void retire(control& c, bin& mine, index_type* i) const noexcept {
        put(mine, i, static_cast<std::uint32_t>(std::min<std::size_t>(i->slot_count(), Sync::retire_batch)));
        scan_if_full(c, mine);
    }

    /// Lets go of an entry. A value that is still in it had left the map with it, and may have readers.
    void release(bin& mine, entry_type* e) const noexcept {
        if (!e->unrefer()) return;
        if (value_type* const v = entry_type::value_of(e->now.load(std::memory_order_relaxed))) put(mine, v, 1);
        this->destroy_entry(e);
    }
    /// An index that no reader can hold. Runs destructors, so never under the mutex.
    void destroy(control& c, bin& mine, index_type* i) const noexcept {
        destroy_with_entries(mine, i);
        scan_if_full(c, mine);
    }
    /// The same; the values that were in its entries wait in the bin.
    void destroy_with_entries(bin& mine, index_type* i) const noexcept {
        i->each([&](entry_type& e) { release(mine, &e); });
        this->destroy_index(i);
    }

    /// No thread uses the map any more: everything that is left in the bins.
    void destroy_garbage(control& c) const noexcept {
        for (retirable<Sync>* list = take_all(c); list != nullptr; list = take_all(c)) destroy(c.bin_of(0), list);
    }

    /// Frees what was retired before the call and no thread holds.
    void flush(control& c, bin& mine) const noexcept {
        // Once more for the values of entries that went with their index: those are retired only then.
        for (int pass = 0; pass < 2; ++pass) {
            while (!scan(c, mine)) Sync::pause(); // who scans holds nothing but that, and runs no code of the user's
        }
    }

private:
    static void put(bin& mine, retirable<Sync>* n, std::uint32_t weight) noexcept {
        retirable<Sync>* head = mine.first.load(std::memory_order_relaxed);
        do {
            n->next_retired = head;
            // release: the scan that takes the list sees its links. Only the scan competes, by taking all.
        } while (!mine.first.compare_exchange_weak(head, n, std::memory_order_release, std::memory_order_relaxed));
        mine.weight.fetch_add(weight, std::memory_order_relaxed);
    }

    void scan_if_full(control& c, bin& mine) const noexcept {
        // Again for the values of entries that went with an index: those are retired only then.
        while (mine.weight.load(std::memory_order_relaxed) >= Sync::retire_batch) {
            mine.weight.store(0, std::memory_order_relaxed);
            if (!scan(c, mine)) return;
        }
    }

    /// Frees all that no thread holds. False: another thread is at it, and nothing was done.
    bool scan(control& c, bin& mine) const noexcept {
        if (c.scanning.exchange(true, std::memory_order_acquire)) return false;
        retirable<Sync>* found = take_all(c);
        retirable<Sync>* free_now = nullptr;
        try {
            std::vector<const void*> held;
            if (c.home->threads.barriers().heavy_barrier_to_free()) { // between unlinking and reading the hazards; pairs with hold::protect
                c.home->threads.hazards(held);
                std::sort(held.begin(), held.end());
                for (retirable<Sync>* n = std::exchange(found, nullptr); n != nullptr;) {
                    const bool is_held = std::binary_search(held.begin(), held.end(), static_cast<const void*>(n));
                    push(is_held ? found : free_now, std::exchange(n, next_of(n)));
                }
            }
        } catch (const std::bad_alloc&) {
            // No room to remember the hazards: all wait for the next scan.
        }
        c.waiting = found;
        c.scanning.store(false, std::memory_order_release);
        destroy(mine, free_now); // destructors may use the map again, and scan
        return true;
    }

    /// What is in the bins and what earlier scans had to leave.
    static retirable<Sync>* take_all(control& c) noexcept {
        retirable<Sync>* all = std::exchange(c.waiting, nullptr);
        for (bin& each : c.bin_of_slot) {
            for (retirable<Sync>* n = each.first.exchange(nullptr, std::memory_order_acquire); n != nullptr;) {
                push(all, std::exchange(n, next_of(n)));
            }
        }
        return all;
    }

    void destroy(bin& mine, retirable<Sync>* list) const noexcept {
        while (list != nullptr) {
            retirable<Sync>* const n = std::exchange(list, next_of(list));
            if (n->what == retirable<Sync>::kind::value) {
                this->destroy_value(static_cast<value_type*>(n));
            } else {
                destroy_with_entries(mine, static_cast<index_type*>(n));
            }
        }
    }

    static retirable<Sync>* next_of(retirable<Sync>* n) noexcept {
        return static_cast<retirable<Sync>*>(n->next_retired);
    }
    static void push(retirable<Sync>*& list, retirable<Sync>* n) noexcept { n->next_retired = std::exchange(list, n); }
};

} // namespace syncmap::engine::read_dirty_parts
