// When a table is left for a larger or smaller one. Its buckets are moved by writers that find it spilled, sparse or on its
// way, a few groups each (migration.hpp), and by operations that want the end of it, such as `reserve`.
#pragma once

#include <bit>

#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/migration.hpp>

namespace syncmap::engine {

template <class Types>
class resizer {
    using migration = engine::migration<Types>;
    using locks = engine::locks<Types>;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using control = typename Types::control;
    using header = typename Types::header;
    using moving = typename migration::moving;
    using record_supply = typename preservation<Types>::record_supply;
    using section = typename locks::section;
    using thread_record_type = typename control::thread_record_type;

public:
    using map_type = retirement<Types>;
    static constexpr std::size_t recycle_budget = std::size_t{4} << 20; ///< bytes of pages per call

    // ---- sizes ----

    /// Entries per bucket at which a table may be left for a larger or a smaller one, and that a new one aims at.
    static constexpr std::size_t grow_from = Layout::slots_per_line / 2;
    static std::size_t entries_before_growth(const header& t) noexcept {
        if (t.buckets() == Sync::dense_buckets) return t.buckets() * Layout::slots_per_line * 5 / 4 + 1;
        // A sweep in the order of hashes leaves some buckets fuller than others: such a table takes spare lines for a while.
        if constexpr (Types::has_marks && Layout::inline_key) return t.buckets() * Layout::slots_per_line * 7 / 8;
        return t.buckets() * grow_from;
    }
    static unsigned log2_for(std::size_t entries) noexcept {
        return log2_of_buckets(entries / (Layout::slots_per_line * 5 / 8) + 1); // pairs 2 to 2.5, singles 5 a bucket
    }

    /// Whether a table may be left for a smaller one. One with less than an eighth of its slots in use always; else one that
    /// would stay as small as the next smaller one, but only after many erases, or if it is on its way down: where keys come
    /// and go, lines stay in use by few entries, and the smaller table may have to grow again though the number of entries
    /// is the same. Each round of that is paid for by writes.
    static bool is_sparse(const header& t, std::size_t entries, std::size_t erased) noexcept {
        const std::size_t places = t.buckets() * Layout::slots_per_line;
        return entries < places / 8 || (entries < places / 8 * 3 && erased >= erases_before_fit(t));
    }

    /// All threads together overlook no more erases than a sixteenth of the buckets.
    static std::uint32_t erases_between_looks(const control& c, word root) noexcept {
        const header* const t = map_type::table_of(root);
        const std::size_t share =
            t == nullptr ? 0 : detail::lesser(t->buckets() / 16 / c.home->threads.hazard_record_count(), std::size_t{1} << 20);
        return detail::greater(Sync::shrink_check_interval, static_cast<std::uint32_t>(share));
    }

    static std::size_t erases_before_fit(const header& t) noexcept { return 16 * t.buckets(); }

    /// Entries of the generation of the map that a table belongs to, counting neither those being inserted nor those being
    /// erased.
    [[gnu::cold]] static std::size_t counted_entries(control& c, const header& t) noexcept {
        const auto generation = static_cast<std::uint32_t>(t.generation.load(std::memory_order_relaxed));
        word sum = static_cast<word>(t.brought.load(std::memory_order_relaxed));
        c.each_thread_record([&](thread_record_type& s) {
            if (s.generation.load(std::memory_order_acquire) == generation) {
                sum += thread_record_type::net_of(s.net_count.load(std::memory_order_relaxed));
            }
        });
        const std::int64_t entries = thread_record_type::entries_of(sum);
        return entries > 0 ? static_cast<std::size_t>(entries) : 0; // thread records are read one after the other
    }

    /// The size that a table of 2^log2 buckets grows to. The smallest ones grow to eight buckets at once, and small tables by
    /// four: an entry is moved a third as often, and fewer tables that were left stay allocated. 16 buckets grow to 32, so that
    /// 60 entries do not take a table of 64.
    static unsigned grown_log2(unsigned log2) noexcept {
        if (log2 < Sync::second_log2()) return Sync::second_log2();
        return log2 != 4 && log2 + 2 <= Sync::most_log2_by_four() ? log2 + 2 : log2 + 1;
    }

    // ---- start ----

    /// Replaces a null root by an empty table of a new generation of the map. Throws `bad_alloc`.
    [[gnu::cold]] static void make_first_table(map_type& map, control& c, word root, unsigned log2) {
        map.begin_generation(c, root, map.acquire_table(c, log2, false));
        map.ask_for_recycling(c); // what a clear has left
    }

    /// Lets the root's table be left for one of 2^log2 buckets, if it is not being left already. Throws `bad_alloc`.
    [[gnu::cold]] static void start_resize(map_type& map, control& c, thread_record_type& s, word root, unsigned log2) {
        header* const t = map_type::table_of(root);
        map.more(c);
        header* n = map.acquire_table(c, log2, counted_entries(c, *t) >= (std::size_t{1} << log2) / 2);
        if (log2 < t->log2() && n->log2() >= t->log2()) return map.abandon_table(c, n); // the smaller one is still in use
        {
            const section in(map, s, t, root);
            if (in) {
                n->generation.store(t->generation.load(std::memory_order_relaxed), std::memory_order_relaxed);
                n->brought.store(t->brought.load(std::memory_order_relaxed), std::memory_order_relaxed);
                n->moving->left.store(migration::groups(*t, *n), std::memory_order_relaxed);
                if (n->log2() < t->log2() && n->log2() != 0)
                    n->overflow().erased.store(erases_before_fit(*n), std::memory_order_relaxed);
                header* expected = nullptr;
                // release: a thread that follows `next` sees the table whole. Fails when another started, or clear closed it.
                if (t->next.compare_exchange_strong(expected, n, std::memory_order_acq_rel, std::memory_order_relaxed)) {
                    keep_room(*n, t->floor_log2.load(std::memory_order_relaxed));
                    n = nullptr;
                    c.more().resizes.fetch_add(1, std::memory_order_relaxed);
                    t->ask_for_help();
                }
            }
        }
        if (n != nullptr) map.abandon_table(c, n);
    }

    /// `erased`: since the last look.
    [[gnu::cold]] static void shrink_if_sparse(map_type& map, control& c, thread_record_type& s, word root,
                                               std::size_t erased) noexcept {
        header* const t = map_type::table_of(root);
        if (t == nullptr || t->next.load(std::memory_order_relaxed) != nullptr) return;
        const unsigned least =
            detail::greater(map_type::least_log2(c), unsigned{t->floor_log2.load(std::memory_order_relaxed)});
        if (t->log2() <= least) return;
        const std::size_t entries = counted_entries(c, *t);
        if (!is_sparse(*t, entries, t->overflow().erased.fetch_add(erased, std::memory_order_relaxed) + erased)) return;
        const unsigned target = detail::greater(least, shrunk_log2(t->log2(), entries));
        if (target >= t->log2()) return;
        try {
            start_resize(map, c, s, root, target);
        } catch (...) { // whatever the allocator throws
            // The map stays as large as it is.
        }
    }

    /// Looks every so often whether erasing has left the table too large. A look reads what all threads have counted, and
    /// takes that from their caches: the larger the table, the rarer.
    /// A table whose entries have marks is to keep its size: new entries take the places of erased ones.
    static void after_erase(map_type& map, control& c, thread_record_type& s, word root) {
        if constexpr (Types::has_marks) return;
        if (--s.erases_until_look == 0) [[unlikely]]
            look_for_shrinking(map, c, s, root);
    }

    // ---- help ----

    /// Asked by every writer after its own work.
    static void help_if_asked(map_type& map, control& c, thread_record_type& s, const header& t, word root) noexcept {
        if (t.needs_help.load(std::memory_order_relaxed)) [[unlikely]]
            help(map, c, s, root, Sync::migration_batch);
    }

    /// What every writer does after its own work in a table that asks for it: moves a few groups if the table is being
    /// left, else gives some pages of earlier tables back.
    static void help(map_type& map, control& c, thread_record_type& s, word root, std::size_t batch) noexcept {
        if (header* const t = map_type::table_of(root); t->next.load(std::memory_order_relaxed) == nullptr) {
            if (t->moving->spilled.load(std::memory_order_relaxed)) {
                t->moving->spilled.store(false, std::memory_order_relaxed);
                grow_if_full(map, c, s, root, *t);
            }
            if (t->moving->filling.load(std::memory_order_relaxed)) look_for_huge_pages(c, *t);
            map_type::gather_piece(*t);
            // Not each time: a writer that stands still may keep a table from being given back.
            if (++s.writer->help_count % Sync::writes_between_recycling != 0) return;
            // acquire: pairs with the release of the thread that asked. What it asked for is seen below, or it asks later.
            t->needs_help.exchange(false, std::memory_order_acquire);
            map.recycle_tables(c, recycle_budget);
            // What came after the looks above, or what another thread was at: it may have asked before the withdrawal.
            const auto& moving = *t->moving;
            if (t->next.load(std::memory_order_relaxed) != nullptr || moving.spilled.load(std::memory_order_relaxed) ||
                moving.filling.load(std::memory_order_relaxed) || moving.small_pieces.load(std::memory_order_relaxed) != 0) {
                t->ask_for_help();
            }
            map.ask_for_recycling(c);
            return;
        }
        record_supply supply(map);
        try {
            while (!provide_for(map, c, supply, move_some(map, c, s, root, batch, supply))) {}
        } catch (...) {
            // No memory for now: the group stays where it is. The write that came here is done.
        }
    }

    /// What was reserved: from now on the map shrinks to no smaller table by itself. (A shrink that has begun goes on.)
    static void keep_room(header& t, unsigned log2) noexcept {
        std::uint8_t floor = t.floor_log2.load(std::memory_order_relaxed);
        while (floor < log2 && !t.floor_log2.compare_exchange_weak(floor, static_cast<std::uint8_t>(log2),
                                                                   std::memory_order_relaxed, std::memory_order_relaxed)) {}
    }

    [[gnu::cold]] static void grow_if_full(map_type& map, control& c, thread_record_type& s, word root,
                                           const header& t) noexcept {
        if (!needs_growth(c, t)) return;
        try {
            start_resize(map, c, s, root, grown_log2(t.log2()));
        } catch (...) { // whatever the allocator throws
            // One more line will do for now.
        }
    }

    /// For a writer that found `bucket` of `t` full: afterwards there is room, or at least one more line to take.
    /// Throws `bad_alloc` when there can be neither.
    [[gnu::cold]] static void make_room(map_type& map, control& c, thread_record_type& s, word root, header* t,
                                        std::size_t bucket) {
        map.recycle_tables(c, recycle_budget);
        if (t == map_type::table_of(root)) {
            if (t->successor() == nullptr) grow_if_full(map, c, s, root, *t);
            if (header* const n = t->successor()) {
                record_supply supply(map);
                for (;;) {
                    const moving outcome = migration::move_group_of(map, c, s, root, *t, *n, bucket, supply);
                    if (outcome == moving::done) return;
                    // Busy: another source of the group is locked, perhaps for long; a further line does as well.
                    if (outcome != moving::needs_record) break;
                    supply.provide();
                }
            }
        }
        map.make_spare_line(c);
    }

    /// Moves all that is left to move. Blocks on writers of single buckets.
    static void finish_resize(map_type& map, control& c, thread_record_type& s, word root) {
        record_supply supply(map);
        while (map.is_root(root) && map_type::table_of(root)->successor() != nullptr) {
            provide_for(map, c, supply, move_some(map, c, s, root, finish_batch, supply));
            locks::wait_for_gate(c); // merges let the cut of a snapshot go first
            Sync::pause(); // a bucket may be locked by a writer that needs the processor
        }
    }

    /// Brings the table down to what its entries need now, by the steps in which it would shrink by and by. Blocks on
    /// writers of single buckets.
    static void finish_shrinking(map_type& map, control& c, thread_record_type& s) noexcept {
        try {
            for (unsigned steps = 0; steps < map_type::max_log2; ++steps) { // others may let it grow meanwhile
                const word root = map.root_.load(std::memory_order_acquire);
                header* const t = map_type::table_of(root);
                if (t == nullptr) return;
                if (t->successor() != nullptr) {
                    finish_resize(map, c, s, root);
                    continue;
                }
                t->floor_log2.store(0, std::memory_order_relaxed);
                const unsigned target =
                    detail::greater(map_type::least_log2(c), shrunk_log2(t->log2(), counted_entries(c, *t)));
                if (target >= t->log2()) return;
                start_resize(map, c, s, root, target);
            }
        } catch (...) {
            // No memory to be had: the map stays as large as it is.
        }
    }

private:
    [[gnu::cold, gnu::noinline]] static void look_for_shrinking(map_type& map, control& c, thread_record_type& s, word root) {
        const std::uint32_t erased = erases_between_looks(c, root); // about as many since the last look
        s.erases_until_look = erased;
        map.recycle_tables(c, recycle_budget);
        shrink_if_sparse(map, c, s, root, erased);
    }

    /// Uneven hashes fill lines of a table that is nearly empty: the entries decide.
    [[gnu::cold, gnu::noinline]] static void look_for_huge_pages(control& c, header& t) noexcept {
        if (t.moving->filling.exchange(false, std::memory_order_relaxed) && counted_entries(c, t) >= t.buckets() / 4 &&
            t.moving->small_pieces.load(std::memory_order_relaxed) == 0) {
            map_type::begin_huge_pages(t);
        }
    }

    /// Makes what a move was lacking. True: nothing that has to be tried again at once.
    static bool provide_for(map_type& map, control& c, record_supply& supply, moving outcome) {
        if (outcome == moving::needs_record) supply.provide();
        if (outcome == moving::needs_line) {
            for (; supply.lines_lacking != 0; --supply.lines_lacking) map.make_spare_line(c);
        }
        return outcome != moving::needs_record;
    }

    /// Moves up to `batch` buckets, or one group.
    static moving move_some(map_type& map, control& c, thread_record_type& s, word root, std::size_t batch,
                            record_supply& supply) {
        header* const t = map_type::table_of(root);
        header* const n = t == nullptr ? nullptr : t->successor();
        if (n == nullptr) return moving::done;
        moving outcome = moving::done;
        {
            const section in(map, s, t, root);
            if (!in) return moving::done;
            const std::size_t total = migration::groups(*t, *n);
            const bool grows = n->log2() > t->log2();
            if (!grows) batch = detail::greater(batch >> (t->log2() - n->log2()), std::size_t{1});
            // What was made for a group is for that group. Others may have been moved, and then nothing is left that needs it.
            const std::size_t again = std::exchange(supply.lacking_group, record_supply::no_group);
            const std::size_t first =
                again != record_supply::no_group ? again : n->moving->cursor.fetch_add(batch, std::memory_order_relaxed);
            typename migration::departure leaving(map, c, *t, *n, root);
            std::size_t group = first % total;
            for (std::size_t i = 0; i < detail::lesser(batch, total); ++i) { // each group once
                if (n->moving->left.load(std::memory_order_relaxed) == 0) break;
                if constexpr (Sync::groups_ahead != 0) {
                    if (grows) migration::prefetch_group(*t, detail::lesser(group + Sync::groups_ahead, total - 1));
                }
                outcome = migration::move_group(map, c, *t, *n, group, leaving, supply);
                if (outcome == moving::busy) outcome = moving::done; // the next helper that comes round moves it
                if (outcome != moving::done) {
                    supply.lacking_group = group;
                    break;
                }
                if (++group == total) group = 0;
            }
        }
        if (map_type::table_of(map.root_.load(std::memory_order_relaxed)) == n) {
            map.recycle_tables(c, recycle_budget);
            // A table can shrink by more than one step. One that has just grown was asked for.
            if (n->log2() < t->log2()) shrink_if_sparse(map, c, s, map.root_.load(std::memory_order_acquire), 0);
        }
        return outcome;
    }

    static constexpr unsigned max_shrink = 3; ///< log2 of the most source buckets locked at once
    static constexpr std::size_t finish_batch = 256;

    /// The next size on the way down to what so many entries need.
    static unsigned shrunk_log2(unsigned log2, std::size_t entries) noexcept {
        const unsigned enough =
            log2_of_buckets(entries * 4 / (Layout::slots_per_line * 3) + 1); // as full as they stay where keys come and go
        return detail::greater(enough, log2 - detail::lesser(log2 - map_type::min_log2(), max_shrink));
    }
    /// The smallest table of that many buckets or more.
    static unsigned log2_of_buckets(std::size_t buckets) noexcept {
        return detail::greater(map_type::min_log2(), static_cast<unsigned>(std::bit_width(buckets - 1)));
    }

    static bool needs_growth(control& c, const header& t) noexcept {
        return t.log2() + 2 <= map_type::max_log2 && counted_entries(c, t) >= entries_before_growth(t);
    }
};

} // namespace syncmap::engine
