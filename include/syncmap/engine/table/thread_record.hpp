// What one thread writes for one map outside of the buckets: a line of its own.
//
// | word             | written by                     | read by                                                  |
// |------------------|--------------------------------|----------------------------------------------------------|
// | `table`          | its thread                     | who wants to reuse table memory (design I9)              |
// | `net_count`      | its thread                     | `size`: entries it inserted less those it erased         |
// | `pending_slot`   | its thread                     | `size`: where it is about to insert or erase             |
// | `generation`     | its thread                     | `size`: which generation of the map the net count counts |
// | `retired`        | its thread (CAS)               | a scan (exchange): nodes to be freed                     |
// | `cached`         | its thread                     | `flush` (exchange): cached nodes                         |
// | `next`, `writer` | before it is in the map's list | all                                                      |
// | the counter      | its thread                     | nobody else                                              |
//
// A thread record outlives its thread: who takes the thread's slot next goes on with it (ordered by the hazard record's release
// and acquire). The sum over all thread records does not care who added. Its memory comes from the pool of the process
// (writer_record.hpp), and goes back there when the map is destroyed.
#pragma once

#include <atomic>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/engine/table/layout.hpp>
#include <syncmap/engine/table/node_cache.hpp>
#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine {

/// What a writer is about to do to the slot named by `pending_slot`, and so how to see whether it has done it.
/// (`multiple`: it changes more than one slot, and until it has counted them nobody can tell.)
enum class change : unsigned char { none = 0, insert = 1, erase = 2, link = 3, multiple = 4 };

template <class Sync>
struct writer_record;

template <class Sync>
struct alignas(detail::cache_line_bytes) thread_record {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    /// A net count has the number of entries in the lower 42 bits and a sequence, which every change makes another, in the
    /// upper 22.
    static constexpr int sequence_shift = 42;
    static constexpr word one_change = word{1} << sequence_shift;
    static constexpr word net_mask = one_change - 1;

    atomic<const void*> table{nullptr};
    atomic<word> net_count{0};
    atomic<word> pending_slot{0}; ///< slot address, kind in the low bits, the low 16 bits of the net count's sequence on top
    reclaim::retire_list<Sync> retired{};
    node_cache<Sync> cached{};
    thread_record* next = nullptr; ///< of the same map; of the pool, while it is no map's
    writer_record<Sync>* writer = nullptr; ///< of its thread
    atomic<std::uint32_t> generation{0}; ///< the low bits of the number
    std::uint32_t erases_until_look = Sync::shrink_check_interval;

    /// What a sum of nets says: each of them may have wrapped, where one thread inserts what another erases for ever. Their
    /// sum is right all the same, for no map has 2^41 entries.
    static word net_of(word net_count) noexcept { return Sync::counts_entries ? net_count & net_mask : 0; }
    static std::int64_t entries_of(word sum_of_nets) noexcept {
        return static_cast<std::int64_t>(sum_of_nets << (64 - sequence_shift)) >> (64 - sequence_shift);
    }

    /// The sequence in `pending_slot` says which change it announces: once that is counted, the announcement is void.
    static bool announces(word pending_slot, word net_count) noexcept {
        return Sync::counts_entries && pending_slot >> pending_slot_shift == (net_count >> sequence_shift & 0xFFFFU);
    }

    /// Before publication: from now on whoever counts looks into the slot.
    [[gnu::always_inline]] void announce(const void* slot_address, change kind, std::uint64_t current_generation) noexcept {
        if constexpr (!Sync::counts_entries) return;
        const auto current = static_cast<std::uint32_t>(current_generation);
        if (generation.load(std::memory_order_relaxed) != current) [[unlikely]]
            begin(current);
        // release: whoever reads the announcement sees the net count that it belongs to.
        pending_slot.store(reinterpret_cast<word>(slot_address) | static_cast<word>(kind) |
                               net_count.load(std::memory_order_relaxed) >> sequence_shift << pending_slot_shift,
                           std::memory_order_release);
    }
    /// After publication, while the bucket is still locked: the change is in the net count, the announcement void.
    /// What makes the net less may borrow one from the sequence, which goes on all the same.
    [[gnu::always_inline]] void count(std::int64_t delta) noexcept {
        if constexpr (!Sync::counts_entries) return;
        const word changes = delta < 0 ? 2 * one_change : one_change;
        net_count.store(net_count.load(std::memory_order_relaxed) + changes + static_cast<word>(delta),
                        std::memory_order_release);
    }

    /// For a map that has no thread record of this thread yet; before the thread record is in the map's list.
    void become_that_of(writer_record<Sync>& thread) noexcept {
        table.store(nullptr, std::memory_order_relaxed);
        net_count.store(0, std::memory_order_relaxed);
        pending_slot.store(0, std::memory_order_relaxed);
        generation.store(0, std::memory_order_relaxed);
        writer = &thread;
        erases_until_look = Sync::shrink_check_interval;
    }

private:
    static constexpr int pending_slot_shift = 48;

    /// The map has a new generation: what was counted of the old one no longer matters.
    [[gnu::noinline]] void begin(std::uint32_t current_generation) noexcept {
        const word t = (net_count.load(std::memory_order_relaxed) + one_change) & ~net_mask;
        net_count.store(t, std::memory_order_release);
        generation.store(current_generation, std::memory_order_release);
        erases_until_look = Sync::shrink_check_interval; // the old generation may have been a larger one
    }
};

} // namespace syncmap::engine
