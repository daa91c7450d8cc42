// The end of a table that `clear` or `replace` has taken out of the map: docs/design.md, section 5.
//
// Nothing of it is done bucket by bucket under locks: the root has changed, so each writer that is still in the table is in its
// last section there. Once all of them are seen outside, the table is this thread's, and late readers see by the root that it
// was left.
//
// [D1] `next` is CLOSED first: then no resize begins, and the table and the one that it was being moved to are all there is.
// [D2] Heavy barrier; then each thread record is seen once naming neither of the two. A section that begins afterwards finds
//      another root. One that changes several keys may name the one table and have buckets of the other locked: both are asked
//      about at once. It locks those of the root's table first [M4]; while it has them, the root cannot become `next`.
// [D3] A reader trusts a node if its slot still holds the same word under the hazard. So the words of all slots are changed, to
//      ones that are no entries and keep the nodes' addresses, before the hazards are looked at, and nodes are freed after
//      that.
// [D4] Overflow lines that are not a table's own go back to the map. There are none before the table's own are used up.
//
// Where the system refuses the barrier, the buckets are locked and marked MOVED one by one, as by a resize: a writer that comes
// to one later goes away.
#pragma once

#include <limits>
#include <utility>

#include <syncmap/engine/table/chain.hpp>
#include <syncmap/engine/table/locks.hpp>
#include <syncmap/engine/table/retirement.hpp>

namespace syncmap::engine {

template <class Types>
class dismantling {
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using control = typename Types::control;
    using header = typename Types::header;
    using line_type = typename Types::line_type;
    using node = typename Types::node;
    using thread_record_type = typename control::thread_record_type;

public:
    using map_type = retirement<Types>;

    /// Takes all entries out of a table that is not the root's any more, waits for the writers that are still in it, and
    /// destroys the nodes that no thread holds; `free_later(node*)` gets the others.
    template <class FreeLater>
    static void dismantle(map_type& map, control& c, header* t, FreeLater free_later) {
        header* n = t->next.exchange(header::closed(), std::memory_order_acq_rel); // [D1]
        if (n == header::closed()) n = nullptr;
        const bool left = wait_for_writers(c, t, n);
        header* const tables[] = {t, n};
        for (header* const each : tables) {
            if (each == nullptr) continue;
            if (!left) lock_out_writers(c, *each);
            each->moving->unreferenced = left; // [D2] is more than the pool asks for
        }
        if constexpr (!Layout::inline_key) {
            destroy_nodes_of(map, c, tables, free_later);
        } else {
            for (header* const each : tables) {
                if (each != nullptr && may_have_spare_lines(c, *each)) give_back_spare_lines(c, *each);
            }
        }
        for (header* const each : tables) {
            if (each != nullptr) map.retire_table(c, each);
        }
        recycle_now(map, c);
    }

    /// After a whole table was taken apart: gives back all that no writer can touch any more.
    static void recycle_now(map_type& map, control& c) noexcept {
        map.recycle_tables(c, (std::numeric_limits<std::size_t>::max)());
        map.ask_for_recycling(c);
    }

private:
    /// [D2] False: it cannot be told.
    static bool wait_for_writers(control& c, const void* t, const void* n) noexcept {
        // Pairs with the light barrier of section::enter: a writer sees the change of the root, or is seen here.
        if (!c.home->threads.barriers().heavy_barrier()) return false;
        unsigned looks = 0;
        c.each_thread_record([&](thread_record_type& s) {
            for (;;) {
                // acquire: pairs with the release of section::leave. What the writer did in the table happens before.
                const void* const named = thread_record_type::table_in(s.table.load(std::memory_order_acquire));
                if (named == nullptr || (named != t && named != n)) return;
                Sync::give_way(looks++);
            }
        });
        return true;
    }

    /// Bucket by bucket, first all of the one table and then of the other: no thread moves entries there any more then.
    static void lock_out_writers(control& c, header& t) noexcept {
        for (std::size_t bucket = 0; bucket < t.all_buckets(); ++bucket) {
            auto& lock = t.controls[bucket];
            for (;;) {
                // acquire: what was moved is taken out of `next`, where it must be seen.
                const auto seen = lock.load(std::memory_order_acquire);
                if ((seen & Layout::moved_bit) != 0) break;
                if ((seen & Layout::lock_bit) != 0) {
                    locks::wait_unlocked(c, lock);
                } else if (locks::try_lock(lock, seen)) {
                    locks::unlock(c, lock, seen | Layout::moved_bit);
                    break;
                }
            }
        }
    }

    // ---- lines, by the thread that has the table for itself ----

    /// Calls `f(line)` for each line that may hold entries, and each line beside the table that is linked from it; before that
    /// `soon(line)` for most of them.
    template <class F, class Soon>
    static void each_line(header& t, F f, Soon soon) noexcept {
        const std::size_t used = t.all_buckets() + t.overflow_lines_used();
        for (std::size_t i = 0; i < used; ++i) {
            if (i + Sync::walk_lookahead < used) soon(t.first_line()[i + Sync::walk_lookahead]);
            line_type* l = t.first_line() + i;
            do {
                line_type* const next = l->next_line();
                f(*l);
                l = next;
            } while (l != nullptr && !t.owns(l));
        }
    }

    static void empty(control& c, header& t, line_type& l) noexcept {
        for (std::size_t i = 0; i < Layout::slots_per_line; ++i) l.slot(i)->store(Layout::empty, std::memory_order_release);
        if (!t.owns(&l)) c.more().spare_lines.push(l); // [D4]
    }

    static bool may_have_spare_lines(control& c, const header& t) noexcept {
        return t.overflow_lines_used() == t.overflow_lines() && c.rare_or_null() != nullptr &&
               (c.more().all_spare_lines.load(std::memory_order_relaxed) != nullptr ||
                c.first_table_is.load(std::memory_order_relaxed) == first_table::lent);
    }
    static void give_back_spare_lines(control& c, header& t) noexcept {
        each_line(
            t,
            [&](line_type& l) {
                if (!t.owns(&l)) empty(c, t, l);
            },
            [](const line_type&) {});
    }

    template <class FreeLater>
    static void destroy_nodes_of(map_type& map, control& c, header* const (&tables)[2], FreeLater& free_later) {
        for (header* const each : tables) {
            if (each == nullptr) continue;
            each_line(*each, [](line_type& l) { disown_nodes(l); }, [](const line_type&) {}); // [D3]
        }
        reclaim::held_nodes<Sync> held;
        const bool can_free = held.prepare(c.home->threads) && held.look(c.home->threads);
        for (header* const each : tables) {
            if (each == nullptr) continue;
            each_line(
                *each,
                [&](line_type& l) {
                    for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
                        const word slot_word = l.slot(i)->load(std::memory_order_relaxed);
                        if (!Layout::is_disowned(slot_word)) continue;
                        node* const n = map_type::node_at(slot_word);
                        if (!can_free || held.names(n)) {
                            free_later(n);
                        } else if (n->hand_over()) {
                            map.destroy_node(n);
                        }
                    }
                    empty(c, *each, l);
                },
                chain::fetch_nodes);
        }
    }

    static void disown_nodes(line_type& l) noexcept {
        for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
            const word slot_word = l.slot(i)->load(std::memory_order_relaxed);
            // release: a reader that finds it changed sees that the root was changed before.
            if (Layout::is_entry(slot_word)) l.slot(i)->store(Layout::disowned(slot_word), std::memory_order_release);
        }
    }
};

} // namespace syncmap::engine
