// What one thread writes for one map outside of the units: a line of its own.
//
// | word          | written by            | read by                                             |
// |---------------|-----------------------|-----------------------------------------------------|
// | `table`       | its thread            | who wants to reuse table memory (design I9)         |
// | `tally`       | its thread            | `size`: entries it inserted less those it erased    |
// | `place`       | its thread            | `size`: where it is about to insert or erase        |
// | `incarnation` | its thread            | `size`: which life of the map the tally counts      |
// | `retired`     | its thread (CAS)      | a scan (exchange): nodes to be freed                |
// | `spares`      | its thread            | `flush` (exchange): cached nodes                    |
// | `next`, `writer` | before it is in the map's list | all                                     |
// | the counter   | its thread            | nobody else                                         |
//
// A stripe outlives its thread: who takes the thread's slot next goes on with it (ordered by the row's release
// and acquire). The sum over all stripes does not care who added. Its memory comes from the pool of the process
// (writer_record.hpp), and goes back there when the map is destroyed.
#pragma once

#include <atomic>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/engine/table/layout.hpp>
#include <syncmap/engine/table/node_cache.hpp>
#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine {

/// What a writer is about to do to the slot named by `place`, and so how to see whether it has done it.
/// (`several`: it changes more than one slot, and until it has counted them nobody can tell.)
enum class change : unsigned char { none = 0, insert = 1, erase = 2, link = 3, several = 4 };

template <class Sync>
struct writer_record;

template <class Sync>
struct alignas(detail::cache_line_bytes) stripe {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    /// A tally is a net count in the lower 42 bits and a sequence, which every change makes another, in the upper 22.
    static constexpr int sequence_shift = 42;
    static constexpr word one_change = word{1} << sequence_shift;
    static constexpr word net_mask = one_change - 1;

    atomic<const void*> table{nullptr};
    atomic<word> tally{0};
    atomic<word> place{0}; ///< slot address, kind in the low bits, the low 16 bits of the tally's sequence on top
    reclaim::retire_list<Sync> retired{};
    node_cache<Sync> spares{};
    stripe* next = nullptr; ///< of the same map; of the pool, while it is no map's
    writer_record<Sync>* writer = nullptr; ///< of its thread
    atomic<std::uint32_t> incarnation{0};  ///< the low bits of the number
    std::uint32_t erases_until_look = Sync::shrink_check_interval;

    /// What a sum of nets says: each of them may have wrapped, where one thread inserts what another erases for ever. Their
    /// sum is right all the same, for no map has 2^41 entries.
    static word net_of(word tally) noexcept { return Sync::counts_entries ? tally & net_mask : 0; }
    static std::int64_t entries_of(word sum_of_nets) noexcept {
        return static_cast<std::int64_t>(sum_of_nets << (64 - sequence_shift)) >> (64 - sequence_shift);
    }

    /// The sequence in `place` says which change it announces: once that is counted, the announcement is void.
    static bool announces(word place, word tally) noexcept {
        return Sync::counts_entries && place >> place_shift == (tally >> sequence_shift & 0xFFFFU);
    }

    /// Before publication: from now on whoever counts looks into the slot.
    [[gnu::always_inline]] void announce(const void* slot_address, change kind, std::uint64_t current_incarnation) noexcept {
        if constexpr (!Sync::counts_entries) return;
        const auto life = static_cast<std::uint32_t>(current_incarnation);
        if (incarnation.load(std::memory_order_relaxed) != life) [[unlikely]] begin(life);
        // release: whoever reads the announcement sees the tally that it belongs to.
        place.store(reinterpret_cast<word>(slot_address) | static_cast<word>(kind) |
                        tally.load(std::memory_order_relaxed) >> sequence_shift << place_shift,
                    std::memory_order_release);
    }
    /// After publication, while the unit is still locked: the change is in the tally, the announcement void.
    /// What makes the net less may borrow one from the sequence, which goes on all the same.
    [[gnu::always_inline]] void count(std::int64_t delta) noexcept {
        if constexpr (!Sync::counts_entries) return;
        const word changes = delta < 0 ? 2 * one_change : one_change;
        tally.store(tally.load(std::memory_order_relaxed) + changes + static_cast<word>(delta), std::memory_order_release);
    }

    /// For a map that has no stripe of this thread yet; before the stripe is in the map's list.
    void become_that_of(writer_record<Sync>& thread) noexcept {
        table.store(nullptr, std::memory_order_relaxed);
        tally.store(0, std::memory_order_relaxed);
        place.store(0, std::memory_order_relaxed);
        incarnation.store(0, std::memory_order_relaxed);
        writer = &thread;
        erases_until_look = Sync::shrink_check_interval;
    }

private:
    static constexpr int place_shift = 48;

    /// The map has a new life: what was counted of the old one no longer matters.
    [[gnu::noinline]] void begin(std::uint32_t current_incarnation) noexcept {
        const word t = (tally.load(std::memory_order_relaxed) + one_change) & ~net_mask;
        tally.store(t, std::memory_order_release);
        incarnation.store(current_incarnation, std::memory_order_release);
        erases_until_look = Sync::shrink_check_interval; // the old life may have been a larger one
    }
};

} // namespace syncmap::engine
