// One table: its header, its lines and its control words, in one block of memory, with the words that writers change.
//
// | field            | written by                         | read by  | lies in        |
// |------------------|------------------------------------|----------|----------------|
// | geometry, seed   | before the table is published      | all      | header         |
// | `next`           | CAS once: start of a resize, clear | all      | header         |
// | `needs_help`     | writers that begin or end the work | writers  | header         |
// | `floor_log2`     | `reserve`, `shrink_to_fit`; resize | resize   | header         |
// | `overflow_used`  | lock holders (RMW)                 | the same | overflow words |
// | free lines       | lock holders (CAS)                 | the same | overflow words |
// | `erased`         | writers that erase, rarely (RMW)   | the same | overflow words |
// | `cursor`, `left` | writers that move buckets (RMW)    | the same | moving words   |
// | `spilled`        | lock holders; writers that look    | writers  | moving words   |
// | page hints       | lock holders; writers that help    | the same | moving words   |
//
// A table of one bucket has no overflow words: it has no lines of its own to give, and never shrinks. So the first block of a
// map, which most maps never leave, takes 32 bytes less (first_block.hpp).
//
// Geometry and seed of a block never change, not even when it is used again for another table: a reader
// with an outdated root may be looking at it (and finds out by the root when it is done).
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/prefetch.hpp>
#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/layout.hpp>
#include <syncmap/engine/table/line_stack.hpp>
#include <syncmap/hash.hpp>

namespace syncmap::engine {

/// What threads change while a table is being left, moved to, or out of use.
template <class Header, class Sync>
struct moving_words {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    atomic<std::size_t> cursor{0};
    atomic<std::size_t> left{0};
    Header* next_in_list = nullptr; ///< in the pool's lists
    atomic<bool> spilled{false}; ///< a bucket has a line that is not the table's since a writer looked whether it should grow
    bool unreferenced = false;   ///< retired, and no writer can name it any more
    atomic<bool> filling{false}; ///< so many overflow lines are in use that huge pages may be worth it
    atomic<std::uint32_t> small_pieces{0}; ///< so many pieces of it, the first ones, are still to be moved to huge pages
};

/// The same, and what only tables of more than one bucket have. A cache line of its own, in front of the header.
template <class Layout, class Header, class Sync>
struct alignas(detail::cache_line_bytes) overflow_words : moving_words<Header, Sync> {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    atomic<std::size_t> overflow_used{0};
    line_stack<Layout, Sync> free_lines{};
    atomic<std::size_t> erased{0}; ///< entries erased here, about; see resizer::is_sparse
    std::size_t emptied = 0;       ///< bytes of pages given back so far, while it is being emptied
};

template <class Layout, class Sync>
struct alignas(detail::cache_line_bytes) table_header {
    using line_type = line<Layout>;
    using control_type = typename Layout::atomic_control;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    using moving_type = moving_words<table_header, Sync>;
    using overflow_type = overflow_words<Layout, table_header, Sync>;

    // Read by all threads, written rarely.
    hash_seed seed;
    control_type* controls = nullptr;
    moving_type* moving = nullptr;
    unsigned line_shift = 0; ///< brings a hash to the place of its bucket's home line, in bytes
    bool mapped = false; ///< pages of the system, which can be given back
    atomic<bool> needs_help{false}; ///< see ask_for_help
    atomic<std::uint8_t> floor_log2{0}; ///< what was reserved: the map shrinks to no smaller table by itself
    atomic<bool> on_small_pages{false}; ///< it was made empty: only what is touched may take memory
    atomic<std::uint64_t> generation{0}; ///< which generation of the map: one more after every clear
    atomic<std::int64_t> brought{0}; ///< entries with which that generation began: they are in no net count
    atomic<table_header*> next{nullptr};

    unsigned log2() const noexcept { return line_shift_of(0) - line_shift; }
    /// For a table of more than one bucket.
    overflow_type& overflow() const noexcept { return static_cast<overflow_type&>(*moving); }
    std::size_t buckets() const noexcept { return std::size_t{1} << log2(); }
    /// Buckets and, behind them, the sentinel-key bucket.
    std::size_t all_buckets() const noexcept { return buckets() + (Layout::has_sentinel_keys ? 1 : 0); }
    std::size_t overflow_lines() const noexcept { return overflow_share(buckets()); }
    std::size_t all_lines() const noexcept { return all_buckets() + overflow_lines(); }

    /// A table is left when these are used up, so this is the load factor: with ten lines to 32 buckets, pairs fill a table
    /// from 1.8 to 3.5 entries a bucket, and in the end a fifth of them lie in overflow lines.
    static constexpr std::size_t overflow_share(std::size_t buckets) noexcept {
        if (buckets == 1) return 0; // the smallest table grows instead
        if (buckets == Sync::dense_buckets) return 4; // and two of the first table
        return buckets < 16 ? 2 : buckets * 10 / 32;
    }

    /// In two steps: a table of one bucket shifts everything out, which one step must not do. A compiler makes one step and a
    /// mask of it where the bucket's home line is wanted.
    std::size_t bucket_of(std::uint64_t hash) const noexcept {
        return static_cast<std::size_t>(hash >> line_shift >> log2_of_line);
    }
    /// The same for an inline key, whose bits may be a sentinel's.
    std::size_t bucket_of(std::uint64_t hash, word key_bits) const noexcept {
        if constexpr (Layout::has_sentinel_keys) {
            if (Layout::is_sentinel_key(key_bits)) [[unlikely]]
                return buckets();
        }
        return bucket_of(hash);
    }
    bool is_sentinel_key_bucket(std::size_t bucket) const noexcept { return Layout::has_sentinel_keys && bucket == buckets(); }
    /// The first and the last hash of a bucket.
    std::uint64_t first_hash_of(std::size_t bucket) const noexcept {
        return static_cast<std::uint64_t>(bucket) << log2_of_line << line_shift;
    }
    std::uint64_t last_hash_of(std::size_t bucket) const noexcept {
        return first_hash_of(bucket) | ~std::uint64_t{0} >> log2();
    }
    static constexpr unsigned line_shift_of(unsigned log2) noexcept { return 64 - log2_of_line - log2; }
    line_type& home(std::size_t bucket) const noexcept { return first_line()[bucket]; }
    /// Asks for what a writer of the bucket touches first.
    [[gnu::always_inline]] void fetch_to_write(std::size_t bucket) const noexcept {
        syncmap::detail::prefetch_to_write(home(bucket).words);
        syncmap::detail::prefetch_to_write(controls + bucket);
    }
    /// All lines, one home line for each bucket first. They follow the header: a lookup need not load where they are.
    line_type* first_line() const noexcept { return reinterpret_cast<line_type*>(const_cast<table_header*>(this) + 1); }

    /// Marks that no resize may start any more: `clear` has taken the table out.
    static table_header* closed() noexcept { return reinterpret_cast<table_header*>(alignof(table_header)); }
    /// The table that this one is being moved to, or null.
    table_header* successor() const noexcept {
        // acquire: pairs with the release of the CAS that published it.
        table_header* const n = next.load(std::memory_order_acquire);
        return n == closed() ? nullptr : n;
    }

    /// Lets writers do more than their write: move buckets, look whether the table should grow, or give pages back.
    void ask_for_help() noexcept {
        // release: pairs with the acquire of the writer that withdraws it (resizer::help), and then looks at what it was
        // about. By a read-modify-write, so that it hands on what earlier writers released that have asked.
        needs_help.exchange(true, std::memory_order_release);
    }

    // ---- overflow lines ----

    /// A line for a bucket that is full, or null when the table's share is used up. By a lock holder.
    line_type* take_line() noexcept {
        if (log2() == 0) return nullptr; // the smallest table grows instead
        if (line_type* const l = overflow().free_lines.pop()) return l;
        if (overflow().overflow_used.load(std::memory_order_relaxed) >= overflow_lines()) return nullptr;
        const std::size_t i = overflow().overflow_used.fetch_add(1, std::memory_order_relaxed);
        if (on_small_pages.load(std::memory_order_relaxed) && tells_of_filling(i)) [[unlikely]] {
            moving->filling.store(true, std::memory_order_relaxed); // a hint, as `spilled`
            ask_for_help();
        }
        return i < overflow_lines() ? first_line() + all_buckets() + i : nullptr;
    }
    /// Returns how many of the table's own overflow lines have ever been taken.
    std::size_t overflow_lines_used() const noexcept {
        if (log2() == 0) return 0;
        return detail::lesser(overflow().overflow_used.load(std::memory_order_relaxed), overflow_lines());
    }
    bool owns(const line_type* l) const noexcept { return l >= first_line() && l < first_line() + all_lines(); }

private:
    static constexpr unsigned log2_of_line = std::countr_zero(sizeof(line_type));

    /// Where hashes are even, one bucket in 4096 needs an overflow line when pairs fill a quarter of their room, and single
    /// entries a half. By then each small page has been touched. Asked again at each doubling: hashes may be uneven.
    bool tells_of_filling(std::size_t lines_used) const noexcept {
        return lines_used >= buckets() / 4096 && std::has_single_bit(lines_used);
    }
};

} // namespace syncmap::engine
