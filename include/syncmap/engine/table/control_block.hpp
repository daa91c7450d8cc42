// What a map shares between its writers beside the tables: the words of shared_words.hpp, and what few maps need. Made
// with the first table, in one block with it (first_block.hpp); lives as long as the map.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include <syncmap/engine/table/first_block.hpp>
#include <syncmap/engine/table/header.hpp>
#include <syncmap/engine/table/shared_words.hpp>
#include <syncmap/engine/table/snapshot_state.hpp>

namespace syncmap::engine {

/// Made by the first operation that needs it: most maps are never cleared and have no snapshots. The thread that has the mutex
/// changes `live`; writers follow it in their sections.
template <class Layout, class Sync>
struct snapshot_part : snapshot_words<Sync> {
    using snapshot_type = snapshot_state<table_header<Layout, Sync>, Sync>;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    atomic<snapshot_type*> live{nullptr}; ///< newest first, linked by `older`
    snapshot_type* dropped = nullptr;     ///< not live any more, but perhaps still in the hands of a writer
    snapshot_type* unreachable = nullptr; ///< dropped, and in the hands of no writer: to be given back
    atomic<snapshot_type*> spare{nullptr}; ///< for the next snapshot
    std::uint32_t last_phase = 0;         ///< of all snapshots so far
};

/// Made by the first operation that needs it: most small maps never grow.
template <class Layout, class Sync>
struct rare_part : rare_words<Sync> {
    using header = table_header<Layout, Sync>;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    // ---- tables not in use: only the thread that has `recycling` touches the lists below ----
    atomic<header*> retired_tables{nullptr};
    atomic<bool> anything_quiescing{false};
    std::uint32_t looks_to_skip = 0;  ///< a writer that names a quiescing table may stay for long: not each call asks
    header* quiescing_tables = nullptr; ///< retired, perhaps still touched by a writer, or not yet emptied
    header* free_tables = nullptr;    ///< of all sizes: a map has been of few

    // ---- overflow lines from the allocator, for tables whose own share is used up ----
    struct spare_line : line<Layout> {
        spare_line* next = nullptr; ///< in `all_spare_lines`; constant once there
    };
    line_stack<Layout, Sync> spare_lines{};
    atomic<spare_line*> all_spare_lines{nullptr};
};

struct no_garbage {};

/// Maps with inline keys have no nodes, and so no garbage.
template <class Layout, class Sync>
struct control_block : shared_words<Sync>, std::conditional_t<Layout::inline_key, no_garbage, reclaim::garbage_source<Sync>> {
    using header = table_header<Layout, Sync>;
    using node = reclaim::node_base<Sync>;
    using rare_type = rare_part<Layout, Sync>;
    using snapshots_type = snapshot_part<Layout, Sync>;
    using snapshot_type = typename snapshots_type::snapshot_type;
    using spare_line = typename rare_type::spare_line;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    atomic<std::uint64_t> generations{0};

    /// Of all tables of the map; constant once published.
    const hash_seed& seed() const noexcept { return first_block<Layout, header, control_block>::table_of(*this)->seed; }

    /// Null: nothing has needed it yet. acquire: pairs with the release of map_memory::more.
    rare_type* rare_or_null() const noexcept { return static_cast<rare_type*>(this->rare.load(std::memory_order_acquire)); }
    /// For a thread that knows that it was made: it has seen a second table, a snapshot or a spare line.
    rare_type& more() const noexcept { return *rare_or_null(); }

    /// Null: no operation has needed it yet. acquire: pairs with the release of map_memory::snapshots.
    snapshots_type* snapshots_or_null() const noexcept {
        const rare_type* const made = rare_or_null();
        return made == nullptr ? nullptr : static_cast<snapshots_type*>(made->snapshots.load(std::memory_order_acquire));
    }
    /// For a caller that knows that it was made: it has seen a snapshot, or made sure of it.
    snapshots_type& snapshots() const noexcept {
        return static_cast<snapshots_type&>(*more().snapshots.load(std::memory_order_acquire));
    }
};

} // namespace syncmap::engine
