// What one thread writes for one map outside of the units: a line of its own.
//
// | word          | written by            | read by                                             |
// |---------------|-----------------------|-----------------------------------------------------|
// | `table`       | its thread            | who wants to reuse table memory (design I9)         |
// | `tally`       | its thread            | `size`: entries it inserted less those it erased    |
// | `place`       | its thread            | `size`: where it is about to insert or erase        |
// | `incarnation` | its thread            | `size`: which life of the map the tally counts      |
// | `retired`     | its thread (CAS)      | the scan (exchange): nodes to be freed              |
// | `spares`      | its thread            | `flush` (exchange): nodes at rest                   |
// | the counters  | its thread            | nobody else                                         |
//
// A stripe outlives its thread: who takes the thread's slot next goes on with it (ordered by the row's release
// and acquire). The sum over all stripes does not care who added.
#pragma once

#include <atomic>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/engine/table/layout.hpp>
#include <syncmap/engine/table/spare_nodes.hpp>
#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine {

/// What a writer is about to do to the slot named by `place`, and so how to see whether it has done it.
/// (`several`: it changes more than one slot, and until it has counted them nobody can tell.)
enum class change : unsigned char { none = 0, insert = 1, erase = 2, link = 3, several = 4 };

template <class Sync>
struct alignas(detail::cache_line_bytes) stripe {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    atomic<const void*> table{nullptr};
    atomic<word> tally{0}; ///< net count in the upper 42 bits, number of changes so far in the lower 22
    atomic<word> place{0}; ///< slot address, kind in the low bits, the tally's low 16 sequence bits on top
    atomic<std::uint64_t> incarnation{0};
    atomic<reclaim::node_base<Sync>*> retired{nullptr};
    spare_nodes<Sync> spares{};
    std::uint32_t retired_count = 0;
    std::uint32_t erase_count = 0;
    std::uint32_t help_count = 0;

    static constexpr int net_shift = 22;
    static constexpr word sequence_mask = (word{1} << net_shift) - 1;

    static std::int64_t net_of(word tally) noexcept { return static_cast<std::int64_t>(tally) >> net_shift; }

    /// The sequence in `place` says which change it announces: once that is counted, the announcement is void.
    static bool announces(word place, word tally) noexcept { return place >> 48 == (tally & 0xFFFFU); }

    /// Before publication: from now on whoever counts looks into the slot.
    void announce(const void* slot, change kind, std::uint64_t current_incarnation) noexcept {
        word t = tally.load(std::memory_order_relaxed);
        if (incarnation.load(std::memory_order_relaxed) != current_incarnation) {
            t = (t + 1) & sequence_mask;
            tally.store(t, std::memory_order_release);
            incarnation.store(current_incarnation, std::memory_order_release);
        }
        // release: whoever reads the announcement sees the tally that it belongs to.
        place.store(reinterpret_cast<word>(slot) | static_cast<word>(kind) | (t & 0xFFFFU) << 48,
                    std::memory_order_release);
    }
    /// After publication, while the unit is still locked: the change is in the tally, the announcement void.
    void count(std::int64_t delta) noexcept {
        const word t = tally.load(std::memory_order_relaxed);
        const word net = static_cast<word>(net_of(t) + delta) << net_shift;
        tally.store(net | ((t + 1) & sequence_mask), std::memory_order_release);
    }
};

} // namespace syncmap::engine
