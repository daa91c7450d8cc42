// What one thread writes for one map outside of the buckets: one cache line.
//
// | word             | written by                     | read by                                                  |
// |------------------|--------------------------------|----------------------------------------------------------|
// | `table`          | its thread                     | threads that reuse table memory (design I9), or bar      |
// |                  |                                | direct overwrites (direct_overwrites.hpp)                |
// | `net_count`      | its thread                     | `size`: entries it inserted less those it erased         |
// | `pending_slot`   | its thread                     | `size`: where it is about to insert or erase             |
// | `generation`     | its thread                     | `size`: which generation of the map the net count counts |
// | `retired`        | its thread (CAS)               | a scan (exchange): nodes to be freed                     |
// | `cached`         | its thread                     | `flush` (exchange): cached nodes                         |
// | `next`, `writer` | before it is in the map's list | all                                                      |
// | the counter      | its thread                     | its thread                                               |
//
// A thread record outlives its thread: the next thread that takes the thread's slot goes on with it (ordered by the hazard
// record's release and acquire). The sum over all thread records does not depend on which thread added. The memory comes from
// the pool of the process (writer_record.hpp), and returns there when the map is destroyed.
#pragma once

#include <atomic>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/engine/table/layout.hpp>
#include <syncmap/engine/table/node_cache.hpp>
#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine {

/// What a writer is about to do to the slot that `pending_slot` names: by that `size` sees whether it has done so.
/// (`multiple`: it changes several slots, and until it has counted them `size` cannot see that.)
enum class change : unsigned char { none = 0, insert = 1, erase = 2, link = 3, multiple = 4 };

template <class Sync>
struct writer_record;

template <class Sync>
struct alignas(detail::cache_line_bytes) thread_record {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    /// A net count has the number of entries in its lower 42 bits. The upper 22 are a sequence, which every change moves on.
    static constexpr int sequence_shift = 42;
    static constexpr word one_change = word{1} << sequence_shift;
    static constexpr word net_mask = one_change - 1;

    /// The table that the thread's section names, or 0. In a section that may overwrite directly, DIRECT is set, and 16 bits of
    /// the key's hash lie above the address.
    atomic<word> table{0};
    atomic<word> net_count{0};
    atomic<word> pending_slot{0}; ///< slot address, kind in the low bits, the low 16 bits of the net count's sequence on top
    reclaim::retire_list<Sync> retired{};
    node_cache<Sync> cached{};
    thread_record* next = nullptr; ///< of the same map or, while no map has it, of the pool
    writer_record<Sync>* writer = nullptr; ///< of its thread
    atomic<std::uint32_t> generation{0}; ///< the low bits of the number
    std::uint32_t erases_until_look = Sync::shrink_check_interval;

    // ---- freed blocks ----

    /// Counts nodes whose blocks, or whose keys' or values' memory, the thread gave back to the allocator: not those that it
    /// only put into its node cache.
    void count_freed(std::uint32_t nodes) noexcept { writer->freed_nodes += nodes; }
    /// Lets the allocator join freed blocks if the thread has freed enough of them. Called with no lock held.
    void join_now_and_then() noexcept {
        if (writer->freed_nodes < Sync::nodes_between_joins) return;
        writer->freed_nodes = 0;
        Sync::join_freed_blocks();
    }

    // ---- `table` ----

    static word name_of(const void* t) noexcept { return address_word(t); }
    /// For a section that may overwrite a key of this hash directly.
    static word direct_name_of(const void* t, std::uint64_t hash) noexcept {
        return address_word(t) | hash << hash_shift | direct_bit;
    }
    static const void* table_in(word name) noexcept {
        return reinterpret_cast<const void*>(name & ((word{1} << hash_shift) - 1) & ~direct_bit);
    }
    static bool is_direct(word name) noexcept { return (name & direct_bit) != 0; }
    /// Whether a direct name may be of this hash.
    static bool is_of_hash(word name, std::uint64_t hash) noexcept { return ((name ^ hash << hash_shift) >> hash_shift) == 0; }

    /// Returns the number of entries in a sum of nets. Each net may have wrapped, if one thread always inserts what another
    /// one erases. Their sum is right all the same: no map has 2^41 entries.
    static word net_of(word net_count) noexcept { return Sync::counts_entries ? net_count & net_mask : 0; }
    static std::int64_t entries_of(word sum_of_nets) noexcept {
        return static_cast<std::int64_t>(sum_of_nets << (64 - sequence_shift)) >> (64 - sequence_shift);
    }

    /// Returns whether an announcement is valid. The sequence in `pending_slot` tells which change it announces: once that
    /// change is counted, the announcement is void.
    static bool announces(word pending_slot, word net_count) noexcept {
        return Sync::counts_entries && pending_slot >> pending_slot_shift == (net_count >> sequence_shift & 0xFFFFU);
    }

    /// Announces a change. Called before the publication: from then on `size` looks into the slot.
    [[gnu::always_inline]] void announce(const void* slot_address, change kind, std::uint64_t current_generation) noexcept {
        if constexpr (!Sync::counts_entries) return;
        const auto current = static_cast<std::uint32_t>(current_generation);
        if (generation.load(std::memory_order_relaxed) != current) [[unlikely]]
            begin(current);
        // release: pairs with the acquire of `size`; without it `size` may read an older net count after it.
        pending_slot.store(address_word(slot_address) | static_cast<word>(kind) |
                               net_count.load(std::memory_order_relaxed) >> sequence_shift << pending_slot_shift,
                           std::memory_order_release);
    }
    /// Withdraws the announcement of a change that was not published, or removes one that is void. Called while the bucket is
    /// still locked.
    void withdraw() noexcept {
        if constexpr (!Sync::counts_entries) return;
        pending_slot.store(0, std::memory_order_release);
    }
    /// Returns whether the thread has announced something since it last overwrote an entry under a lock. Its next store is
    /// probably an insert then.
    bool probably_inserts() const noexcept { return pending_slot.load(std::memory_order_relaxed) != 0; }
    /// Counts the change, which ends the announcement. Called after the publication, while the bucket is still locked. A
    /// negative change may borrow one from the sequence, which moves on all the same.
    [[gnu::always_inline]] void count(std::int64_t delta) noexcept {
        if constexpr (!Sync::counts_entries) return;
        const word changes = delta < 0 ? 2 * one_change : one_change;
        net_count.store(net_count.load(std::memory_order_relaxed) + changes + static_cast<word>(delta),
                        std::memory_order_release);
    }

    /// Makes this the record of a thread for a map that has none of it yet. Called before the record is in the map's list.
    void become_that_of(writer_record<Sync>& thread) noexcept {
        table.store(0, std::memory_order_relaxed);
        net_count.store(0, std::memory_order_relaxed);
        pending_slot.store(0, std::memory_order_relaxed);
        generation.store(0, std::memory_order_relaxed);
        writer = &thread;
        erases_until_look = Sync::shrink_check_interval;
    }

private:
    static constexpr int pending_slot_shift = 48;
    static constexpr int hash_shift = 48;
    static constexpr word direct_bit = 1;

    /// Begins a new generation of the map: the counts of the old one no longer matter.
    [[gnu::noinline]] void begin(std::uint32_t current_generation) noexcept {
        const word t = (net_count.load(std::memory_order_relaxed) + one_change) & ~net_mask;
        net_count.store(t, std::memory_order_release);
        generation.store(current_generation, std::memory_order_release);
        erases_until_look = Sync::shrink_check_interval; // the old generation may have been a larger one
    }
};

} // namespace syncmap::engine
