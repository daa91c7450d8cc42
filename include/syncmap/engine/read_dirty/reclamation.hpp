// Frees values and indexes that left the map. A thread does so when its account of garbage is full, once no hazard names them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <syncmap/engine/read_dirty/memory.hpp>
#include <syncmap/owned_bytes.hpp>
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
    using garbage = reclaim::thread_garbage<Sync>;
    using base::base;

    /// A thread's account and the bin that it retires into. `account` is null where nothing is charged to a thread.
    struct thread_place {
        garbage* account;
        bin& retired_into;

        void put(value_type* v) const noexcept {
            put(*v, sizeof(value_type), syncmap::detail::owned_bytes_of(std::as_const(v->object)), 1);
        }
        void put(index_type* i) const noexcept {
            put(*i, sizeof(index_type) + i->slot_count() * sizeof(typename index_type::slot), 0,
                static_cast<std::uint32_t>(std::min<std::size_t>(i->slot_count(), Sync::retire_batch)));
        }

    private:
        void put(retirable<Sync>& n, std::size_t block, std::size_t beside, std::uint32_t nodes) const noexcept {
            if (account == nullptr) {
                retired_into.retired.push(n);
            } else {
                account->retire_later(retired_into.retired, n, block, beside, nodes);
            }
        }
    };

    /// Retires a value that is in no entry any more. It may run destructors, so it is never called under the mutex.
    void retire(control& c, const thread_place& mine, value_type* v) const noexcept {
        mine.put(v);
        settle(c, mine);
    }
    /// Retires an index that is the snapshot no longer. A large one fills the account, so that the thread collects at once.
    void retire(control& c, const thread_place& mine, index_type* i) const noexcept {
        mine.put(i);
        settle(c, mine);
    }

    /// Ends a reference to an entry. A value that is still in the last one's entry left the map with it, and may have readers.
    void release(const thread_place& mine, entry_type* e) const noexcept {
        if (!e->unrefer()) return;
        if (value_type* const v = entry_type::value_of(e->now.load(std::memory_order_relaxed))) mine.put(v);
        this->destroy_entry(e);
    }
    /// Destroys an index that no reader can hold. It runs destructors, so it is never called under the mutex.
    void destroy(control& c, const thread_place& mine, index_type* i) const noexcept {
        destroy_with_entries(mine, i);
        settle(c, mine);
    }
    /// Does the same without a collection. Values that were in its entries wait in the bin.
    void destroy_with_entries(const thread_place& mine, index_type* i) const noexcept {
        i->each([&](entry_type& e) { release(mine, &e); });
        this->destroy_index(i);
    }

    /// Destroys all garbage of the map, which no thread uses any more. Afterwards no thread destroys garbage of it, and the
    /// bins are empty.
    void destroy_garbage(control& c) const noexcept {
        const thread_place nowhere{nullptr, c.bin_of(0)};
        garbage::forget(c.home->threads, c, [&](reclaim::node_base<Sync>* list) { destroy(nowhere, list); });
        for (auto* list = take_all(c); list != nullptr; list = take_all(c)) destroy(nowhere, list);
    }

    /// Frees what was retired before the call, except what threads hold.
    void flush(control& c) const noexcept {
        // Twice: the values of entries that are destroyed with their index are retired only by the first pass.
        for (int pass = 0; pass < 2; ++pass) {
            while (!scan(c, {nullptr, c.bin_of(0)}))
                Sync::pause(); // a scanning thread holds only `scanning`, and runs no user code
        }
    }

    /// See reclaim/thread_garbage.hpp. A destructor may destroy the map, so this uses only a copy of the map's allocator.
    static void destroy_ready(garbage& account, reclaim::garbage_slot<Sync>& of) noexcept {
        auto& c = static_cast<control&>(*of.source.load(std::memory_order_relaxed));
        const reclamation parts(static_cast<const reclamation*>(of.home.map)->allocator());
        of.has_read_home();
        while (auto* const n = of.take_ready(c)) {
            parts.destroy_one({&account, *static_cast<bin*>(of.home.place)}, static_cast<retirable<Sync>*>(n));
        }
    }

private:
    void settle(control& c, const thread_place& mine) const noexcept {
        auto& retired = mine.retired_into.retired;
        auto* const map = const_cast<reclamation*>(this);
        if (!mine.account->settle(c.home->threads, c, retired, {map, &mine.retired_into})) return;
        auto* const own = mine.account->slot_of(retired);
        if (own == nullptr || !own->is_scan_due(c.home->threads.hazard_record_count())) return;
        own->retired = 0;
        scan(c, mine);
    }

    /// Frees all garbage that no thread holds. Returns false, and does nothing, if another thread is scanning.
    bool scan(control& c, const thread_place& mine) const noexcept {
        if (c.scanning.exchange(true, std::memory_order_acquire)) return false;
        auto* found = take_all(c);
        reclaim::held_nodes<Sync> held;
        auto* const free_now = held.find_unheld(c.home->threads, found);
        c.waiting = found;
        c.scanning.store(false, std::memory_order_release);
        destroy(mine, free_now); // destructors may use the map again, and scan
        return true;
    }

    /// Returns what is in the bins and what earlier scans had to leave.
    static reclaim::node_base<Sync>* take_all(control& c) noexcept {
        auto* all = std::exchange(c.waiting, nullptr);
        for (bin& each : c.bin_of_slot) reclaim::append(all, each.retired.take_all());
        return all;
    }

    void destroy(const thread_place& mine, reclaim::node_base<Sync>* list) const noexcept {
        while (list != nullptr) destroy_one(mine, static_cast<retirable<Sync>*>(std::exchange(list, list->next_retired)));
    }
    void destroy_one(const thread_place& mine, retirable<Sync>* n) const noexcept {
        if (n->what == retirable<Sync>::kind::value) {
            this->destroy_value(static_cast<value_type*>(n));
        } else {
            destroy_with_entries(mine, static_cast<index_type*>(n));
        }
    }
};

} // namespace syncmap::engine::read_dirty_parts
