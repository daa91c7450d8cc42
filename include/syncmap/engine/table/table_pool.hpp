// The tables of a map: where a new one comes from, and where one goes that was left.
//
// Table memory is never freed while the map lives: a reader that was stopped may still look at it. Tables that
// were left are kept by size for the next resize; their pages, if they are the system's, are emptied.
//
//     retired   out of the root's reach; perhaps still named by a writer in its section
//     leaving   the same, taken over by the thread that has `recycling`
//     unreferenced   no writer names it: its pages are given back
//     free      for the next table of its size
//
// The table of one bucket is lent in place of free when the map has outgrown it: its lines are spare lines then.
#pragma once

#include <limits>
#include <new>
#include <utility>

#include <syncmap/engine/table/first_block.hpp>
#include <syncmap/engine/table/table_memory.hpp>

namespace syncmap::engine {

template <class Types>
class table_pool : public table_memory<Types> {
    using base = table_memory<Types>;

public:
    static unsigned min_log2() noexcept { return Types::sync::smallest_log2(); }
    static constexpr unsigned max_log2 = 40;

    using base::base;

public:
    using typename base::control;
    using typename base::header;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::rare_type;
    using typename base::Sync;
    using typename base::thread_record_type;
    using first_block_type = first_block<Layout, header, control>;
    using base::change_root;
    using base::empty_table;
    using base::lay_on_pages;
    using base::renewed;
    using base::root_;
    using base::table_bytes;
    using base::table_of;

    /// Returns log2 of the buckets of the smallest table that the map can have now.
    static unsigned least_log2(const control& c) noexcept {
        // relaxed: where the lines are lent meanwhile, acquire_table gives the larger table.
        const bool lent = c.first_table_is.load(std::memory_order_relaxed) == first_table::lent;
        return lent ? detail::greater(min_log2(), Sync::second_log2()) : min_log2();
    }

    /// An empty table of 2^log2 buckets: one that was used before, or a new one. Of one bucket there is only that in the first
    /// block: while it is in use, a table of two buckets; when its lines are lent, one of the second size. `filled`: so many
    /// entries will be put into it at once that it should lie on huge pages; else only what is touched takes memory. Throws
    /// `bad_alloc`; `barrier_refused` where more memory waits already, in tables that cannot be used again.
    [[gnu::cold]] header* acquire_table(control& c, unsigned log2, bool filled) {
        if (log2 == 0) {
            first_table was = c.first_table_is.load(std::memory_order_relaxed);
            // acquire: pairs with the release of put_free.
            while ((was == first_table::fresh || was == first_table::used) &&
                   !c.first_table_is.compare_exchange_weak(was, first_table::taken, std::memory_order_acquire,
                                                           std::memory_order_relaxed)) {}
            if (was == first_table::fresh) return first_block_type::table_of(c);
            if (was == first_table::used) return renewed(*first_block_type::table_of(c));
            log2 = detail::greater(least_log2(c), 1U);
        }
        header* t = nullptr;
        rare_type& rare = this->more(c);
        // The first snapshot of a larger map does not wait for the allocator.
        if (log2 > Sync::second_log2()) static_cast<void>(this->snapshots(c));
        if (const only_one recycling(c.recycling); recycling) {
            header** link = &rare.free_tables;
            while (*link != nullptr && (*link)->log2() != log2) link = &(*link)->moving->next_in_list;
            t = *link;
            if (t != nullptr) {
                *link = t->moving->next_in_list;
            } else if (!c.home->threads.barriers().is_freeing() && waiting_bytes(rare) >= table_bytes(log2)) {
                c.home->threads.barriers().require_freeing();
            }
        }
        if (t == nullptr) return this->make_table(c, log2, filled);
        if (t->on_small_pages.load(std::memory_order_relaxed) == filled) lay_on_pages(*t, filled);
        return renewed(*t);
    }
    /// Makes an empty table the root's in place of none, with which a new generation of the map begins. False: another thread
    /// was first.
    [[gnu::cold]] bool begin_generation(control& c, word root, header* t) noexcept {
        t->generation.store(c.generations.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        t->brought.store(0, std::memory_order_relaxed);
        if (table_of(root) == nullptr && change_root(root, t)) return true;
        abandon_table(c, t);
        return false;
    }
    /// Gives back a table that was not published. Its memory may have been another table's before, and be looked at by
    /// late readers of that one: it is kept like any other.
    [[gnu::cold]] void abandon_table(control& c, header* t) noexcept {
        if (t->log2() == 0) {
            put_free(c, t); // it is emptied before it is used again
        } else {
            retire_table(c, t);
            ask_for_recycling(c);
        }
    }

    /// A table that is no longer reachable from the root: used again once no writer names it.
    void retire_table(control& c, header* t) noexcept {
        auto& retired = c.more().retired_tables;
        header* head = retired.load(std::memory_order_relaxed);
        do {
            t->moving->next_in_list = head;
        } while (!retired.compare_exchange_weak(head, t, std::memory_order_release, std::memory_order_relaxed));
    }

    /// Brings retired tables closer to being free, `budget` bytes of pages at most. Any writer calls it.
    /// No thread waits: if another one is at it, nothing is done.
    [[gnu::cold]] void recycle_tables(control& c, std::size_t budget) noexcept {
        if (nothing_to_recycle(c)) return;
        const only_one recycling(c.recycling);
        if (!recycling) return;
        rare_type& rare = c.more();
        for (header* t = rare.retired_tables.exchange(nullptr, std::memory_order_acquire); t != nullptr;) {
            header* const next = t->moving->next_in_list;
            t->moving->next_in_list = std::exchange(rare.quiescing_tables, t);
            t = next;
        }
        note_unreferenced(c);
        for (header** link = &rare.quiescing_tables; *link != nullptr && budget > 0;) {
            header* const t = *link;
            if (t->moving->unreferenced && empty_table(t, budget)) {
                *link = t->moving->next_in_list;
                put_free(c, t);
            } else {
                link = &t->moving->next_in_list;
            }
        }
        rare.anything_quiescing.store(rare.quiescing_tables != nullptr, std::memory_order_relaxed);
        ask_for_recycling(c);
    }

    static bool nothing_to_recycle(const control& c) noexcept {
        const rare_type* const rare = c.rare_or_null();
        return rare == nullptr || (rare->retired_tables.load(std::memory_order_relaxed) == nullptr &&
                                   !rare->anything_quiescing.load(std::memory_order_relaxed));
    }

    /// Makes the writers of the root's table bring retired tables closer to being free, if there are any. (Their memory
    /// stays a table's, so a root that changes meanwhile does no harm; the thread that changed it calls this as well.)
    void ask_for_recycling(const control& c) noexcept {
        // What is to be recycled was stored before, the root is loaded behind. Pairs with itself in the thread that changes
        // the root: without it, each of the two could miss the other's store, and no writer would be asked.
        Sync::fence();
        header* const t = table_of(root_.load(std::memory_order_acquire));
        if (t != nullptr && !nothing_to_recycle(c)) t->ask_for_help();
    }

    /// Returns how many bytes the tables take that were the root's, and keep their memory: those from the allocator, and those
    /// whose pages are not emptied yet. Nothing, while another thread is at them.
    static std::size_t former_bytes(control& c) noexcept {
        auto* const rare = c.rare_or_null();
        if (rare == nullptr) return 0;
        const only_one recycling(c.recycling);
        if (!recycling) return 0;
        std::size_t bytes = 0;
        const auto count = [&](const header* t, bool even_if_emptied) {
            for (; t != nullptr; t = t->moving->next_in_list)
                if (even_if_emptied || !t->mapped) bytes += table_bytes(t->log2());
        };
        // acquire: pairs with the release of retire_table. Only the thread that recycles takes tables out.
        count(rare->retired_tables.load(std::memory_order_acquire), true);
        count(rare->quiescing_tables, true);
        count(rare->free_tables, false);
        return bytes;
    }

    /// Calls `f(line)` for the lines of the first table, if they are spare lines.
    template <class F>
    static void each_lent_line(const control& c, F f) noexcept {
        // relaxed: a thread that has found such a line in a bucket has acquired it from a thread that took it from the stack.
        if (c.first_table_is.load(std::memory_order_relaxed) != first_table::lent) return;
        line_type* const first = first_block_type::table_of(c)->first_line();
        for (std::size_t i = 0; i < first_block_type::buckets; ++i) f(first[i]);
    }

    /// An overflow line beside any table. Throws `bad_alloc`; never called under a bucket's lock.
    void make_spare_line(control& c) {
        line_type& l = new_spare_line(c);
        c.more().spare_lines.push(l);
    }
    line_type& new_spare_line(control& c) {
        using spare = typename control::spare_line;
        auto& all = this->more(c).all_spare_lines;
        spare* const l = this->template make_object<spare>();
        spare* head = all.load(std::memory_order_relaxed);
        do {
            l->next = head;
        } while (!all.compare_exchange_weak(head, l, std::memory_order_release, std::memory_order_relaxed));
        return *l;
    }

private:
    /// A lock that is only ever tried: a thread that fails leaves the work to the one that has it.
    class only_one {
    public:
        explicit only_one(typename Sync::template atomic<bool>& flag) noexcept
            : flag_(flag), got_(!flag.load(std::memory_order_relaxed) && !flag.exchange(true, std::memory_order_acquire)) {}
        only_one(const only_one&) = delete;
        only_one& operator=(const only_one&) = delete;
        ~only_one() {
            if (got_) flag_.store(false, std::memory_order_release);
        }
        explicit operator bool() const noexcept { return got_; }

    private:
        typename Sync::template atomic<bool>& flag_;
        const bool got_;
    };

    /// Marks the quiescing tables that no thread record names. They are out of the root's reach, so none will again.
    [[gnu::cold]] static void note_unreferenced(control& c) noexcept {
        rare_type& rare = c.more();
        bool any = false;
        for (const header* t = rare.quiescing_tables; t != nullptr; t = t->moving->next_in_list)
            any |= !t->moving->unreferenced;
        if (!any) return;
        if (rare.looks_to_skip > 0) {
            --rare.looks_to_skip;
            return;
        }
        // Pairs with the light barrier of section::enter [I9].
        if (!c.home->threads.barriers().heavy_barrier_to_free()) return;
        for (header* t = rare.quiescing_tables; t != nullptr; t = t->moving->next_in_list) {
            t->moving->unreferenced = t->moving->unreferenced || !is_named(c, t);
            if (!t->moving->unreferenced) rare.looks_to_skip = Sync::looks_between_barriers;
        }
    }

    /// Of tables that were left and are no other's yet. By the thread that has `recycling`: only it takes one out of the lists.
    [[gnu::cold]] static std::size_t waiting_bytes(const rare_type& rare) noexcept {
        std::size_t bytes = 0;
        for (const header* list : {rare.retired_tables.load(std::memory_order_acquire), rare.quiescing_tables}) {
            for (const header* t = list; t != nullptr; t = t->moving->next_in_list) bytes += table_bytes(t->log2());
        }
        return bytes;
    }

    [[gnu::cold]] static bool is_named(control& c, const header* t) noexcept {
        bool named = false;
        c.each_thread_record([&](thread_record_type& s) {
            named |= thread_record_type::table_in(s.table.load(std::memory_order_acquire)) == t;
        });
        return named;
    }

    [[gnu::cold]] static void put_free(control& c, header* t) noexcept {
        const bool is_outgrown = t->successor() != nullptr;
        t->next.store(nullptr, std::memory_order_relaxed);
        t->needs_help.store(false, std::memory_order_relaxed);
        auto& moving = *t->moving;
        moving.cursor.store(0, std::memory_order_relaxed);
        moving.spilled.store(false, std::memory_order_relaxed);
        moving.unreferenced = false;
        moving.filling.store(false, std::memory_order_relaxed);
        moving.small_pieces.store(0, std::memory_order_relaxed);
        if (t->log2() == 0 && is_outgrown) {
            // Before the lines can be taken: a thread that finds one in a table finds this, too.
            c.first_table_is.store(first_table::lent, std::memory_order_relaxed);
            each_lent_line(c, [&](line_type& l) {
                base::empty_line(l);
                c.more().spare_lines.push(l);
            });
        } else if (t->log2() == 0) {
            // release: pairs with the acquire of the thread that takes it next.
            c.first_table_is.store(first_table::used, std::memory_order_release);
        } else {
            t->overflow().overflow_used.store(0, std::memory_order_relaxed);
            t->overflow().free_lines.forget();
            t->overflow().emptied = 0;
            moving.next_in_list = std::exchange(c.more().free_tables, t);
        }
    }
};

} // namespace syncmap::engine
