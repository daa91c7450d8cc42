// What a map shares between its writers beside the tables: stripes, the gate of `size`, the counters of running
// computations, retired nodes and tables. Made with the first table; lives as long as the map.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <syncmap/engine/table/gate.hpp>
#include <syncmap/engine/table/header.hpp>
#include <syncmap/engine/table/snapshot_state.hpp>
#include <syncmap/engine/table/stripe.hpp>

namespace syncmap::engine {

template <class Layout, class Sync>
struct control_block {
    using header = table_header<Layout, Sync>;
    using stripe_type = stripe<header, Sync>;
    using node = reclaim::node_base<Sync>;
    using snapshot_type = snapshot_state<header, Sync>;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    // Read by every write, written rarely.
    alignas(detail::cache_line_bytes) atomic<gate::word> gate_word{0};
    atomic<std::uint32_t> sleepers{0};                      ///< writers asleep on some unit of this map
    hash_seed seed;

    /// Running computations by hash (design 6).
    static constexpr std::size_t computing_counters = 64;
    alignas(detail::cache_line_bytes) atomic<std::uint32_t> computing[computing_counters]{};
    atomic<std::uint32_t>& computing_of(std::uint64_t hash) noexcept { return computing[hash % computing_counters]; }

    atomic<std::uint64_t> incarnations{0};

    // ---- retired nodes: only who has `scanning` touches `waiting` ----
    alignas(detail::cache_line_bytes) atomic<bool> scanning{false};
    node* waiting = nullptr;

    // ---- tables and lines not in use: only who has `tidying` touches the lists below ----
    atomic<bool> tidying{false};
    atomic<header*> retired_tables{nullptr};
    atomic<bool> anything_leaving{false};
    header* leaving_tables = nullptr; ///< retired, perhaps still touched by a writer, or not yet emptied
    std::uint32_t looks_to_skip = 0;  ///< a writer that names a leaving table may stay for long: not each call asks
    header* free_tables[64] = {};      ///< by log2 of their units

    // ---- snapshots: `live` is changed by who has the mutex, and followed by writers in their sections ----
    typename Sync::mutex snapshot_mutex{};
    atomic<snapshot_type*> live{nullptr};   ///< newest first, linked by `older`
    std::uint32_t last_phase = 0;           ///< of all snapshots so far
    snapshot_type* dropped = nullptr;       ///< not live any more, but perhaps still in the hands of a writer

    // ---- overflow lines from the allocator, for tables whose own share is used up ----
    struct spare_line : line<Layout> {
        spare_line* next = nullptr; ///< in `all_spare_lines`; constant once there
    };
    line_stack<Layout> spare_lines{};
    atomic<spare_line*> all_spare_lines{nullptr};

    // ---- stripes, by thread slot: 4, then 4, 8, 16, … more ----
    static constexpr std::size_t first_stripes = 4;
    static constexpr std::size_t chunks = 28;
    stripe_type first[first_stripes];
    atomic<stripe_type*> chunk[chunks]{};

    static std::size_t chunk_of(std::size_t slot) noexcept {
        return static_cast<std::size_t>(std::bit_width(slot / first_stripes)) - 1;
    }
    static std::size_t chunk_size(std::size_t c) noexcept { return first_stripes << c; }

    /// Calls `f(stripe)` for every stripe that a thread has used so far.
    template <class F>
    void each_stripe(F&& f) {
        for (stripe_type& s : first) f(s);
        for (std::size_t c = 0; c < chunks; ++c) {
            stripe_type* const more = chunk[c].load(std::memory_order_acquire);
            for (std::size_t i = 0; more != nullptr && i < chunk_size(c); ++i) f(more[i]);
        }
    }
};

} // namespace syncmap::engine
