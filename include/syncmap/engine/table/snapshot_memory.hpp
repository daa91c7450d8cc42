// Memory of snapshots: their states, and the slabs of their records.
//
// A map keeps one state that no snapshot uses: its *spare*. The next snapshot takes it, and allocates nothing. A thread that is
// pre-empted inside `malloc` holds a lock of the allocator: beside many writers that allocate, a snapshot waited for it.
//
// | a state is    | known by               | until                                                                     |
// |---------------|------------------------|---------------------------------------------------------------------------|
// | the spare     | `spare`                | a snapshot takes it, or `flush` frees it                                  |
// | live          | `live`, a `snapshot`   | the snapshot ends                                                         |
// | dropped       | `dropped`, writers     | each writer was seen outside of its section: by a cut, or after a drop [S3] |
// | unreachable   | `unreachable`          | a thread that drops a snapshot makes it the spare, or frees it            |
//
// The thread that takes a snapshot frees nothing: that would wait for the same lock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <syncmap/engine/table/dismantling.hpp>

namespace syncmap::engine {

template <class Types>
class snapshot_memory : public dismantling<Types> {
    using base = dismantling<Types>;

public:
    using base::base;

protected:
    using typename base::control;
    using base::node_at;
    using typename base::Layout;
    using typename base::node;
    using typename base::rare_type;
    using typename base::Sync;
    using snapshot_type = typename control::snapshot_type;
    using slab = record_slab<Sync>;

    // ---- slabs ----

    slab* make_slab(std::size_t bytes) {
        const std::size_t blocks = base::blocks_for(bytes);
        auto* const l = ::new (this->make_blocks(blocks)) slab;
        l->size = base::bytes_of(blocks);
        return l;
    }
    void free_slab(slab* l) noexcept {
        const std::size_t blocks = base::blocks_for(l->size);
        l->~slab();
        this->free_blocks(l, blocks);
    }
    /// Under no lock: lets go of nodes, which may run destructors of the user's.
    void destroy_slabs(slab* list) noexcept {
        while (list != nullptr) {
            slab* const l = std::exchange(list, list->older);
            if constexpr (!Layout::inline_key) {
                l->each_record([&](const bucket_record& r) {
                    for (std::size_t i = 0; i < r.count; ++i) {
                        node* const n = node_at(r.entry(i).slot_word);
                        if (n->unpin()) this->destroy_node(n);
                    }
                });
            }
            free_slab(l);
        }
    }

    // ---- states ----

    static unsigned lists_log2(unsigned log2) noexcept {
        return lists_are_pages(log2) ? log2 : (std::min)(log2, most_lists_log2);
    }

    /// A state with 2^log2 lists: the spare if it has as many, else a new one. Throws what the allocator throws.
    snapshot_type* take_state(rare_type& rare, unsigned log2) {
        // (1) acquire: pairs with the release of (2) in keep_spare. Without it a writer may find a record of the snapshot before
        // in a list.
        snapshot_type* const spare = rare.spare.exchange(nullptr, std::memory_order_acquire);
        if (spare != nullptr) {
            if (spare->log2 == log2) return spare;
            destroy_state(spare);
        }
        return make_state(log2);
    }

    /// Takes back a state that was never live.
    void give_back_state(rare_type& rare, snapshot_type* s) noexcept {
        if (!keep_spare(rare, *s)) destroy_state(s);
    }

    /// Takes back unreachable states: keeps one as the spare, if there is none, and frees the others. The spare comes first:
    /// what is freed may wait for a lock of the allocator, or for the user.
    void give_back_states(rare_type& rare, snapshot_type* list) noexcept {
        while (list != nullptr) {
            snapshot_type* const s = std::exchange(list, list->next_dropped);
            slab* const slabs = s->slabs.load(std::memory_order_relaxed); // [S3] was the end of all writers there
            // relaxed: a hint.
            if (rare.spare.load(std::memory_order_relaxed) != nullptr || !renew(*s) || !keep_spare(rare, *s)) destroy_state(s);
            destroy_slabs(slabs);
        }
    }

    void free_spare(rare_type& rare) noexcept {
        // (3) acquire: pairs with the release of (2) in keep_spare. Without it the state is freed before it is made anew.
        snapshot_type* const spare = rare.spare.exchange(nullptr, std::memory_order_acquire);
        if (spare != nullptr) destroy_state(spare);
    }

private:
    using list = typename Sync::template atomic<bucket_record*>;

    /// Lists of records of maps whose memory is not the system's, and so has to be set up.
    static constexpr unsigned most_lists_log2 = 12;

    static std::size_t list_bytes(unsigned log2) noexcept { return ((std::size_t{1} << log2) + 1) * sizeof(list); }
    static bool lists_are_pages(unsigned log2) noexcept { return base::uses_pages && list_bytes(log2) >= base::mapped_from; }

    /// False: there is a spare.
    static bool keep_spare(rare_type& rare, snapshot_type& s) noexcept {
        snapshot_type* none = nullptr;
        // (2) release: pairs with the acquire of (1) in take_state and of (3) in free_spare.
        return rare.spare.compare_exchange_strong(none, &s, std::memory_order_release, std::memory_order_relaxed);
    }

    snapshot_type* make_state(unsigned log2) {
        auto* const s = this->template make_object<snapshot_type>();
        s->log2 = log2;
        try {
            if (lists_are_pages(log2)) { // zero pages: empty lists, and nothing to set up
                s->lists = static_cast<list*>(Sync::map_pages(list_bytes(log2)));
                s->mapped = s->lists != nullptr;
            }
            if (!s->mapped) s->lists = this->template make_objects<list>(s->list_count());
        } catch (...) {
            this->destroy_object(s);
            throw;
        }
        return s;
    }

    /// Makes the state what it was before its snapshot, without slabs. False: the system keeps pages of its lists.
    static bool renew(snapshot_type& s) noexcept {
        list* const lists = s.lists;
        const unsigned log2 = s.log2;
        const bool mapped = s.mapped;
        if (mapped) {
            if (!Sync::empty_pages(lists, list_bytes(log2))) return false;
        } else {
            std::destroy_n(lists, s.list_count());
            std::uninitialized_value_construct_n(lists, s.list_count());
        }
        s.~snapshot_type();
        ::new (&s) snapshot_type{};
        s.lists = lists;
        s.log2 = log2;
        s.mapped = mapped;
        return true;
    }

    void destroy_state(snapshot_type* s) noexcept {
        if (s->mapped) {
            Sync::unmap_pages(s->lists, list_bytes(s->log2));
        } else {
            this->destroy_objects(s->lists, s->list_count());
        }
        this->destroy_object(s);
    }
};

} // namespace syncmap::engine
