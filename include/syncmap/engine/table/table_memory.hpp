// The memory of one table, [overflow words][header][lines][control words], in one block; that of one bucket is part of the
// first block (first_block.hpp). It comes from the map's allocator, but for large
// tables of maps with the standard allocator. Their pages come from the system, so that they can be given back one by one,
// and lie on huge pages where that pays.
#pragma once

#include <bit>
#include <memory>
#include <new>
#include <utility>

#include <syncmap/detail/leak_checker.hpp>
#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/map_nodes.hpp>

namespace syncmap::engine {

template <class Types>
class table_memory : public map_nodes<Types> {
    using base = map_nodes<Types>;

public:
    using base::base;

    using base::blocks_for;
    using base::bytes_of;
    using base::mapped_from;
    using base::uses_pages;
    using typename base::control;
    using typename base::header;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::Sync;

    struct shape {
        std::size_t line_count;
        std::size_t controls;
        std::size_t moving_at; ///< the moving words, of which the overflow words are the continuation
        std::size_t header_at;
        std::size_t lines_at;
        std::size_t controls_at;
        std::size_t bytes;
    };
    static shape shape_of(unsigned log2) noexcept {
        const std::size_t buckets = std::size_t{1} << log2;
        const std::size_t all_buckets = buckets + (Layout::has_sentinel_keys ? 1 : 0);
        shape s{};
        s.line_count = all_buckets + header::overflow_share(buckets);
        s.controls = all_buckets;
        s.header_at = log2 == 0 ? 0 : sizeof(typename header::overflow_type);
        s.lines_at = s.header_at + sizeof(header);
        s.moving_at = log2 == 0 ? s.lines_at + s.line_count * sizeof(line_type) : 0;
        s.controls_at =
            log2 == 0 ? s.moving_at + sizeof(typename header::moving_type) : s.lines_at + s.line_count * sizeof(line_type);
        const std::size_t end = s.controls_at + s.controls * sizeof(typename header::control_type);
        s.bytes = log2 == 0 ? end : bytes_of(blocks_for(end)); // the control block follows
        return s;
    }

    static std::size_t table_bytes(unsigned log2) noexcept { return shape_of(log2).bytes; }
    static std::byte* memory_of(header& t) noexcept { return reinterpret_cast<std::byte*>(&t) - shape_of(t.log2()).header_at; }

    [[gnu::cold]] header* make_table(control& c, unsigned log2, bool filled) {
        const shape s = shape_of(log2);
        void* memory = uses_pages && s.bytes >= mapped_from ? Sync::map_pages(s.bytes) : nullptr;
        const bool mapped = memory != nullptr;
        if (mapped) {
            detail::may_hold_pointers(memory, s.bytes);
        } else { // also where a process may have no more mappings: the allocator has some
            memory = this->make_blocks(blocks_for(s.bytes));
            detail::reachable_by_marked_pointer(memory);
        }
        // Before anything is touched: a piece that has a small page already gets no huge one.
        if (mapped && lies_on_huge_pages(s.bytes)) Sync::prefer_huge_pages(memory, s.bytes, filled);
        header* const t = construct_table(static_cast<std::byte*>(memory), s, c.seed(), log2, mapped);
        if (mapped && lies_on_huge_pages(s.bytes)) t->on_small_pages.store(!filled, std::memory_order_relaxed);
        return t;
    }
    [[gnu::cold]] static header* construct_table(std::byte* bytes, const shape& s, const hash_seed& seed, unsigned log2,
                                                 bool mapped) {
        auto* const t = ::new (static_cast<void*>(bytes + s.header_at)) header;
        void* const moving = bytes + s.moving_at;
        if (log2 == 0) {
            t->moving = ::new (moving) typename header::moving_type;
        } else {
            t->moving = ::new (moving) typename header::overflow_type;
        }
        t->seed = seed;
        t->line_shift = header::line_shift_of(log2);
        t->mapped = mapped;
        t->controls = reinterpret_cast<typename header::control_type*>(bytes + s.controls_at);
        if (!mapped) { // pages of the system are zero already, and zero is EMPTY and unlocked
            base::construct_each(t->first_line(), s.line_count);
            base::construct_each(t->controls, s.controls);
        }
        return t;
    }

    static constexpr bool lies_on_huge_pages(std::size_t bytes) noexcept { return bytes >= Sync::huge_page_bytes; }

    /// Says on what pages a large table is to lie. (A hint: no order hangs on `on_small_pages`.)
    [[gnu::cold]] static void lay_on_pages(header& t, bool huge) noexcept {
        if (!t.mapped || !lies_on_huge_pages(table_bytes(t.log2()))) return;
        t.on_small_pages.store(!huge, std::memory_order_relaxed);
        Sync::prefer_huge_pages(memory_of(t), table_bytes(t.log2()), huge);
    }

    void destroy_tables(header* list) noexcept {
        while (list != nullptr) {
            header* const t = std::exchange(list, list->moving->next_in_list);
            if (t->log2() == 0) continue; // it goes with the first block
            const shape s = shape_of(t->log2());
            const bool mapped = t->mapped;
            std::byte* const memory = memory_of(*t);
            std::destroy_at(&t->overflow());
            t->~header();
            if (mapped) {
                detail::holds_no_pointers_more(memory, s.bytes);
                Sync::unmap_pages(memory, s.bytes);
            } else {
                this->free_blocks(memory, blocks_for(s.bytes));
            }
        }
    }

    // ---- pages ----

    /// Lets a table that was made empty lie on huge pages from now on. What it has on small ones is moved piece by piece.
    [[gnu::cold]] static void begin_huge_pages(header& t) noexcept {
        lay_on_pages(t, true);
        t.moving->small_pieces.store(static_cast<std::uint32_t>(table_bytes(t.log2()) / Sync::huge_page_bytes),
                                     std::memory_order_relaxed);
    }
    /// Moves one piece, if any is left. Each piece once; the memory is the table's for as long as the map lives.
    static void gather_piece(header& t) noexcept {
        auto& pieces = t.moving->small_pieces;
        std::uint32_t left = pieces.load(std::memory_order_relaxed);
        while (left != 0 &&
               !pieces.compare_exchange_weak(left, left - 1, std::memory_order_relaxed, std::memory_order_relaxed)) {}
        if (left != 0) Sync::gather_huge_page(memory_of(t) + std::size_t{left - 1} * Sync::huge_page_bytes);
    }

    /// Gives back the pages of a table that only late readers can see; one from the allocator is zeroed when it is
    /// used again. False: the budget is used up, go on later.
    [[gnu::cold]] static bool empty_table(header* t, std::size_t& budget) noexcept {
        if (!t->mapped) return true;
        const std::size_t size = shape_of(t->log2()).bytes;
        const std::size_t page = Sync::page_bytes(); // the first one holds the header
        const std::size_t from = page + t->overflow().emptied;
        const std::size_t bytes = detail::lesser(budget, size - from);
        std::size_t whole = detail::lesser((bytes + page - 1) / page * page, size - from);
        // Up to the end of a huge page: one that is given back in parts is taken apart first.
        if (const std::size_t end = (from + whole) / Sync::huge_page_bytes * Sync::huge_page_bytes;
            whole < size - from && end > from) {
            whole = end - from;
        }
        if (!Sync::empty_pages(memory_of(*t) + from, whole)) {
            zero(t, size); // the system keeps them (locked memory, say)
            return true;
        }
        t->overflow().emptied += whole;
        budget -= detail::lesser(budget, whole);
        if (from + whole < size) return false;
        zero(t, page);
        return true;
    }

    /// Zeroes the lines in the first `bytes` of the table and, if those are all, the control words: by atomic stores,
    /// for late readers may be looking.
    /// release: a thread that reads an EMPTY of these sees that the table was left before [R5].
    /// (Without it a reader could find the bucket empty, and the root still what it was.)
    [[gnu::cold]] static void zero(header* t, std::size_t bytes) noexcept {
        const shape s = shape_of(t->log2());
        for (std::size_t i = 0; i < s.line_count && s.lines_at + (i + 1) * sizeof(line_type) <= bytes; ++i) {
            empty_line(t->first_line()[i]);
        }
        if (bytes == s.bytes) {
            for (std::size_t i = 0; i < s.controls; ++i) t->controls[i].store(0, std::memory_order_release);
        }
    }

    static void empty_line(line_type& l) noexcept {
        for (auto& w : l.words) w.store(Layout::empty, std::memory_order_release);
    }

    /// A free table, empty again.
    [[gnu::cold]] static header* renewed(header& t) noexcept {
        if (!t.mapped) zero(&t, shape_of(t.log2()).bytes); // not when it was retired: most are outgrown and never used again
        t.moving->next_in_list = nullptr;
        if (t.log2() != 0) t.overflow().erased.store(0, std::memory_order_relaxed);
        t.floor_log2.store(0, std::memory_order_relaxed);
        return &t;
    }
};

} // namespace syncmap::engine
