// Memory of snapshots: their states, and the slabs of their records.
//
// A map keeps one state that no snapshot uses: its *spare*. The next snapshot takes it, and allocates nothing while the table
// has the size of before. A thread that is pre-empted inside `malloc` holds a lock of the allocator: beside many writers that
// allocate, a snapshot waited for it.
//
// | a state is    | known by               | until                                                                     |
// |---------------|------------------------|---------------------------------------------------------------------------|
// | the spare     | `spare`                | a snapshot takes it, or `flush` frees it                                  |
// | live          | `live`, a `snapshot`   | the snapshot ends                                                         |
// | dropped       | `dropped`, writers     | each writer was seen outside of its section: by a cut, or after a drop [S3] |
// | unreachable   | `unreachable`          | a thread that drops a snapshot makes it the spare, or frees it            |
//
// The thread that takes a snapshot frees nothing but a spare of another size: that would wait for the same lock.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <syncmap/detail/leak_checker.hpp>
#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/retirement.hpp>

namespace syncmap::engine {

template <class Types>
class snapshot_memory {
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using node = typename Types::node;
    using snapshots_type = typename Types::control::snapshots_type;
    using snapshot_type = typename Types::control::snapshot_type;

public:
    using map_type = retirement<Types>;
    using slab = record_slab<Sync>;

    // ---- slabs ----

    static slab* make_slab(map_type& map, std::size_t bytes) {
        const std::size_t blocks = map_type::blocks_for(bytes);
        auto* const l = ::new (map.make_blocks(blocks)) slab;
        l->size = map_type::bytes_of(blocks);
        return l;
    }
    static void free_slab(map_type& map, slab* l) noexcept {
        const std::size_t blocks = map_type::blocks_for(l->size);
        l->~slab();
        map.free_blocks(l, blocks);
    }
    /// Under no lock: lets go of nodes, which may run destructors of the user's.
    static void destroy_slabs(map_type& map, slab* next) noexcept {
        while (next != nullptr) {
            slab* const l = std::exchange(next, next->older);
            if constexpr (!Layout::inline_key) {
                l->each_record([&](const bucket_record& r) {
                    for (std::size_t i = 0; i < r.count; ++i) {
                        node* const n = map_type::node_at(r.entry(i).slot_word);
                        if (n->unpin()) map.destroy_node(n);
                    }
                });
            }
            free_slab(map, l);
        }
    }

    // ---- states ----

    static unsigned lists_log2(unsigned log2) noexcept {
        return is_mapped(log2) ? log2 : detail::lesser(log2, most_lists_log2);
    }

    /// A state with 2^log2 lists: the spare if it has as many, else a new one. Throws what the allocator throws.
    static snapshot_type* take_state(map_type& map, snapshots_type& all, unsigned log2) {
        // (1) acquire: pairs with the release of (2) in keep_spare. Without it a writer may find a record of the snapshot
        // before in a list.
        snapshot_type* const spare = all.spare.exchange(nullptr, std::memory_order_acquire);
        if (spare != nullptr) {
            if (spare->log2 == log2) return spare;
            destroy_state(map, spare);
        }
        return make_state(map, log2);
    }

    /// Takes back a state that was never live.
    static void give_back_state(map_type& map, snapshots_type& all, snapshot_type* s) noexcept {
        if (!keep_spare(all, *s)) destroy_state(map, s);
    }

    /// Takes back unreachable states: keeps one as the spare, if there is none, and frees the others. The spare comes first:
    /// what is freed may wait for a lock of the allocator, or for the user.
    static void give_back_states(map_type& map, snapshots_type& all, snapshot_type* next) noexcept {
        while (next != nullptr) {
            snapshot_type* const s = std::exchange(next, next->next_dropped);
            slab* const slabs = s->slabs.load(std::memory_order_relaxed); // [S3] was the end of all writers there
            if (all.spare.load(std::memory_order_relaxed) == nullptr) { // relaxed: a hint
                renew(*s);
                give_back_state(map, all, s);
            } else {
                destroy_state(map, s);
            }
            destroy_slabs(map, slabs);
        }
    }

    static void free_spare(map_type& map, snapshots_type& all) noexcept {
        // (3) acquire: pairs with the release of (2) in keep_spare. Without it the state is freed before it is made anew.
        snapshot_type* const spare = all.spare.exchange(nullptr, std::memory_order_acquire);
        if (spare != nullptr) destroy_state(map, spare);
    }

private:
    using list = typename Sync::template atomic<bucket_record*>;

    /// Lists of records of maps whose memory is not the system's, and so has to be set up.
    static constexpr unsigned most_lists_log2 = 12;
    /// From this size on a state is pages of its own: the first snapshot of a map does not wait for the allocator either.
    static constexpr std::size_t mapped_state_from = std::size_t{1} << 12;

    // A state and its lists are one block.
    static constexpr std::size_t head_bytes = map_type::bytes_of(map_type::blocks_for(sizeof(snapshot_type)));
    static constexpr std::size_t lists_of(unsigned log2) noexcept { return (std::size_t{1} << log2) + 1; }
    static constexpr std::size_t state_bytes(unsigned log2) noexcept { return head_bytes + lists_of(log2) * sizeof(list); }
    static constexpr bool is_mapped(unsigned log2) noexcept {
        return map_type::uses_pages && state_bytes(log2) >= mapped_state_from;
    }

    /// False: there is a spare.
    static bool keep_spare(snapshots_type& all, snapshot_type& s) noexcept {
        snapshot_type* none = nullptr;
        // (2) release: pairs with the acquire of (1) in take_state and of (3) in free_spare.
        return all.spare.compare_exchange_strong(none, &s, std::memory_order_release, std::memory_order_relaxed);
    }

    static snapshot_type* make_state(map_type& map, unsigned log2) {
        void* memory = is_mapped(log2) ? Sync::map_pages(state_bytes(log2)) : nullptr;
        const bool mapped = memory != nullptr;
        if (mapped) {
            detail::may_hold_pointers(memory, state_bytes(log2));
        } else {
            memory = map.make_blocks(map_type::blocks_for(state_bytes(log2)));
        }
        return construct_state(memory, log2, mapped, mapped); // zero pages are empty lists
    }

    static snapshot_type* construct_state(void* memory, unsigned log2, bool mapped, bool lists_are_empty) noexcept {
        auto* const s = ::new (memory) snapshot_type;
        s->log2 = log2;
        s->mapped = mapped;
        s->lists = reinterpret_cast<list*>(static_cast<std::byte*>(memory) + head_bytes);
        if (!lists_are_empty) map_type::construct_each(s->lists, lists_of(log2));
        return s;
    }
    static void destruct_state(snapshot_type& s) noexcept {
        if constexpr (!std::is_trivially_destructible_v<list>) std::destroy_n(s.lists, lists_of(s.log2));
        s.~snapshot_type();
    }

    /// Makes the state what it was before its snapshot, without slabs.
    static void renew(snapshot_type& s) noexcept {
        const unsigned log2 = s.log2;
        const bool mapped = s.mapped;
        destruct_state(s);
        const std::size_t bytes = state_bytes(log2);
        const bool emptied = mapped && bytes >= map_type::mapped_from && Sync::empty_pages(&s, bytes);
        construct_state(&s, log2, mapped, emptied);
    }

    static void destroy_state(map_type& map, snapshot_type* s) noexcept {
        const unsigned log2 = s->log2;
        const bool mapped = s->mapped;
        destruct_state(*s);
        if (mapped) {
            detail::holds_no_pointers_more(s, state_bytes(log2));
            Sync::unmap_pages(s, state_bytes(log2));
        } else {
            map.free_blocks(s, map_type::blocks_for(state_bytes(log2)));
        }
    }
};

} // namespace syncmap::engine
