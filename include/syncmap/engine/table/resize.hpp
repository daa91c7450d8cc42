// Leaving a table for a larger or smaller one, a few units per write, and for good after `clear`.
//
// Units are moved in *groups*: growing, one source unit and the 2^k units it becomes; shrinking, the 2^k source
// units of one target. All sources of a group are locked; the targets are unreachable until the group is MOVED.
// Which group to move next is only a hint: a group that another helper claimed and did not move is moved by
// whoever comes round again.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include <syncmap/engine/table/preservation.hpp>

namespace syncmap::engine {

template <class Types>
class resize : public preservation<Types> {
    using base = preservation<Types>;

public:
    using base::base;

protected:
    using typename base::atomic_control;
    using typename base::control;
    using typename base::control_word;
    using typename base::header;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::node;
    using typename base::record_supply;
    using typename base::section;
    using typename base::stripe_type;
    using typename base::Sync;
    using typename base::vacancy;
    using base::node_at;

    // ---- sizes ----

    /// Entries per unit at which a table may be left for a larger or a smaller one, and that a new one aims at.
    static constexpr std::size_t grow_from = Layout::slots_per_line / 2;
    static unsigned log2_for(std::size_t entries) noexcept {
        return log2_of_units(entries / (Layout::slots_per_line * 5 / 8) + 1); // pairs 2 to 2.5, singles 5 a unit
    }

    /// Whether a table may be left for a smaller one. One with less than an eighth of its slots in use always; else one that
    /// would stay as small as the next smaller one, but only after many erases, or if it is on its way down: where keys come
    /// and go, lines stay in use by few entries, and the smaller table may have to grow again though the number of entries
    /// is the same. Each round of that is paid for by writes.
    static bool is_sparse(const header& t, std::size_t entries, std::size_t erased) noexcept {
        const std::size_t places = t.units() * Layout::slots_per_line;
        return entries < places / 8 || (entries < places / 8 * 3 && erased >= erases_before_fit(t));
    }

    /// All threads together overlook no more erases than a sixteenth of the units.
    static std::uint32_t erases_between_looks(const control& c, word root) noexcept {
        const header* const t = base::table_of(root);
        const std::size_t share = t == nullptr ? 0 : (std::min)(t->units() / 16 / c.home->threads.row_count(), std::size_t{1} << 20);
        return (std::max)(Sync::shrink_check_interval, static_cast<std::uint32_t>(share));
    }

    static std::size_t erases_before_fit(const header& t) noexcept { return 16 * t.units(); }

    /// Entries of the life of the map that a table belongs to, counting neither those being inserted nor those being erased.
    static std::size_t counted_entries(control& c, const header& t) noexcept {
        const auto incarnation = static_cast<std::uint32_t>(t.incarnation.load(std::memory_order_relaxed));
        word sum = static_cast<word>(t.brought.load(std::memory_order_relaxed));
        c.each_stripe([&](stripe_type& s) {
            if (s.incarnation.load(std::memory_order_acquire) == incarnation) {
                sum += stripe_type::net_of(s.tally.load(std::memory_order_relaxed));
            }
        });
        const std::int64_t entries = stripe_type::entries_of(sum);
        return entries > 0 ? static_cast<std::size_t>(entries) : 0; // stripes are read one after the other
    }

    // ---- start ----

    /// Replaces a null root by an empty table of a new life of the map. Throws `bad_alloc`.
    [[gnu::cold]] void make_first_table(control& c, word root, unsigned log2) {
        this->begin_life(c, root, this->acquire_table(c, log2, false));
        this->ask_for_tidying(c); // what a clear has left
    }

    /// Lets the root's table be left for one of 2^log2 units, if it is not being left already. Throws `bad_alloc`.
    [[gnu::cold]] void start_resize(control& c, stripe_type& s, word root, unsigned log2) {
        header* const t = base::table_of(root);
        this->more(c);
        header* n = this->acquire_table(c, log2, counted_entries(c, *t) >= (std::size_t{1} << log2) / 2);
        if (log2 < t->log2() && n->log2() == t->log2()) return this->abandon_table(c, n); // the smaller one is still in use
        {
            const section in(*this, s, t, root);
            if (in) {
                n->incarnation.store(t->incarnation.load(std::memory_order_relaxed), std::memory_order_relaxed);
                n->brought.store(t->brought.load(std::memory_order_relaxed), std::memory_order_relaxed);
                n->left.store(groups(*t, *n), std::memory_order_relaxed);
                if (n->log2() < t->log2()) n->erased.store(erases_before_fit(*n), std::memory_order_relaxed);
                header* expected = nullptr;
                // release: whoever follows `next` sees the table whole. Fails when another started, or clear closed it.
                if (t->next.compare_exchange_strong(expected, n, std::memory_order_acq_rel, std::memory_order_relaxed)) {
                    keep_room(*n, t->floor_log2.load(std::memory_order_relaxed));
                    n = nullptr;
                    t->ask_for_help();
                }
            }
        }
        if (n != nullptr) this->abandon_table(c, n);
    }

    /// `erased`: since the last look.
    [[gnu::cold]] void shrink_if_sparse(control& c, stripe_type& s, word root, std::size_t erased) noexcept {
        header* const t = base::table_of(root);
        if (t == nullptr || t->next.load(std::memory_order_relaxed) != nullptr) return;
        const unsigned least = (std::max)(base::min_log2(), unsigned{t->floor_log2.load(std::memory_order_relaxed)});
        if (t->log2() <= least) return;
        const std::size_t entries = counted_entries(c, *t);
        if (!is_sparse(*t, entries, t->erased.fetch_add(erased, std::memory_order_relaxed) + erased)) return;
        const unsigned target = (std::max)(least, shrunk_log2(t->log2(), entries));
        if (target >= t->log2()) return;
        try {
            start_resize(c, s, root, target);
        } catch (...) { // whatever the allocator throws
            // The map stays as large as it is.
        }
    }

    /// Looks every so often whether erasing has left the table too large. A look reads what all threads have counted, and
    /// takes that from their caches: the larger the table, the rarer.
    void after_erase(control& c, stripe_type& s, word root) {
        if (--s.erases_until_look == 0) [[unlikely]] look_for_shrinking(c, s, root);
    }

    // ---- help ----

    /// Asked by every writer after its own work.
    void help_if_asked(control& c, stripe_type& s, const header& t, word root) noexcept {
        if (t.needs_help.load(std::memory_order_relaxed)) [[unlikely]] help(c, s, root, Sync::migration_batch);
    }

    /// What every writer does after its own work in a table that asks for it: moves a few groups if the table is being
    /// left, else gives some pages of earlier tables back.
    void help(control& c, stripe_type& s, word root, std::size_t batch) noexcept {
        if (header* const t = base::table_of(root); t->next.load(std::memory_order_relaxed) == nullptr) {
            if (t->crowded.load(std::memory_order_relaxed)) {
                t->crowded.store(false, std::memory_order_relaxed);
                grow_if_full(c, s, root, *t);
            }
            if (t->filling.load(std::memory_order_relaxed)) look_for_huge_pages(c, *t);
            base::gather_piece(*t);
            // Not each time: a writer that stands still may keep a table from being given back.
            if (++s.writer->help_count % Sync::writes_between_tidying != 0) return;
            // acquire: pairs with the release of who asked. What it asked for is seen below, or it asks after this.
            t->needs_help.exchange(false, std::memory_order_acquire);
            this->tidy_tables(c, tidy_budget);
            // What came after the looks above, or what another thread was at: it may have asked before the withdrawal.
            if (t->next.load(std::memory_order_relaxed) != nullptr || t->crowded.load(std::memory_order_relaxed) ||
                t->filling.load(std::memory_order_relaxed) || t->small_pieces.load(std::memory_order_relaxed) != 0) {
                t->ask_for_help();
            }
            this->ask_for_tidying(c);
            return;
        }
        record_supply supply(*this);
        try {
            while (!provide_for(c, supply, move_some(c, s, root, batch, supply))) {}
        } catch (...) {
            // No memory for now: the group stays where it is. The write that came here is done.
        }
    }

    /// What was reserved: from now on the map shrinks to no smaller table by itself. (A shrink that has begun goes on.)
    static void keep_room(header& t, unsigned log2) noexcept {
        std::uint8_t floor = t.floor_log2.load(std::memory_order_relaxed);
        while (floor < log2 && !t.floor_log2.compare_exchange_weak(floor, static_cast<std::uint8_t>(log2), std::memory_order_relaxed,
                                                                   std::memory_order_relaxed)) {}
    }

    [[gnu::cold]] void grow_if_full(control& c, stripe_type& s, word root, const header& t) noexcept {
        if (!needs_growth(c, t)) return;
        try {
            start_resize(c, s, root, t.log2() != 0 && t.log2() < 6 ? t.log2() + 2 : t.log2() + 1);
        } catch (...) { // whatever the allocator throws
            // One more line will do for now.
        }
    }

    /// For a writer that found `unit` of `t` full: afterwards there is room, or at least one more line to take.
    /// Throws `bad_alloc` when there can be neither.
    [[gnu::cold]] void make_room(control& c, stripe_type& s, word root, header* t, std::size_t unit) {
        this->tidy_tables(c, tidy_budget);
        if (t == base::table_of(root)) {
            if (t->successor() == nullptr) grow_if_full(c, s, root, *t);
            if (header* const n = t->successor()) {
                record_supply supply(*this);
                for (;;) {
                    const moving outcome = move_group_of(c, s, root, *t, *n, unit, supply);
                    if (outcome == moving::done) return;
                    // Busy: another source of the group is locked, perhaps for long; a further line does as well.
                    if (outcome != moving::needs_record) break;
                    supply.provide();
                }
            }
        }
        this->make_spare_line(c);
    }

    /// Moves all that is left to move. Blocks on writers of single units.
    void finish_resize(control& c, stripe_type& s, word root) {
        record_supply supply(*this);
        while (this->is_root(root) && base::table_of(root)->successor() != nullptr) {
            provide_for(c, supply, move_some(c, s, root, finish_batch, supply));
            base::wait_for_gate(c); // merges let the cut of a snapshot go first
            Sync::pause();          // a unit may be locked by a writer that needs the processor
        }
    }

    /// Brings the table down to what its entries need now, by the steps in which it would shrink by and by. Blocks on
    /// writers of single units.
    void finish_shrinking(control& c, stripe_type& s) noexcept {
        try {
            for (unsigned steps = 0; steps < base::max_log2; ++steps) { // others may let it grow meanwhile
                const word root = this->root_.load(std::memory_order_acquire);
                header* const t = base::table_of(root);
                if (t == nullptr) return;
                if (t->successor() != nullptr) {
                    finish_resize(c, s, root);
                    continue;
                }
                t->floor_log2.store(0, std::memory_order_relaxed);
                const unsigned target = shrunk_log2(t->log2(), counted_entries(c, *t));
                if (target >= t->log2()) return;
                start_resize(c, s, root, target);
            }
        } catch (...) {
            // No memory to be had: the map stays as large as it is.
        }
    }

    // ---- the end of a table's life ----

    /// Takes all entries out of a table that `clear` has taken out of the map; `free_node(node*)` gets the nodes.
    /// First the whole table, then the one it was being moved to: nobody moves anything there any more then.
    template <class FreeNode>
    void dismantle(control& c, header* t, FreeNode free_node) {
        while (t != nullptr) {
            header* const n = t->next.exchange(header::closed(), std::memory_order_acq_rel);
            for (std::size_t unit = 0; unit < t->all_units(); ++unit) dismantle_unit(c, *t, unit, free_node);
            this->retire_table(c, t);
            t = n == header::closed() ? nullptr : n;
        }
        tidy_now(c);
    }

    /// For who takes a whole table apart: gives back all that no writer can touch any more.
    void tidy_now(control& c) noexcept {
        this->tidy_tables(c, (std::numeric_limits<std::size_t>::max)());
        this->ask_for_tidying(c);
    }

    /// The hash of an entry, by its mark.
    std::uint64_t hash_of([[maybe_unused]] const hash_seed& seed, word mark) const noexcept {
        if constexpr (Layout::inline_key) {
            return syncmap::detail::seeded_hash(this->hash_, Layout::key_of(mark, false), seed); // trusted: calls nothing back
        } else {
            return node_at(mark)->hash;
        }
    }

    static constexpr std::size_t tidy_budget = std::size_t{4} << 20; ///< bytes of pages per call

private:
    enum class moving : unsigned char { done, busy, needs_line, needs_record };

    [[gnu::cold, gnu::noinline]] void look_for_shrinking(control& c, stripe_type& s, word root) {
        const std::uint32_t erased = erases_between_looks(c, root); // about as many since the last look
        s.erases_until_look = erased;
        this->tidy_tables(c, tidy_budget);
        shrink_if_sparse(c, s, root, erased);
    }

    /// Uneven hashes fill lines of a table that is nearly empty: the entries decide.
    [[gnu::cold, gnu::noinline]] static void look_for_huge_pages(control& c, header& t) noexcept {
        if (t.filling.exchange(false, std::memory_order_relaxed) && counted_entries(c, t) >= t.units() / 4 &&
            t.small_pieces.load(std::memory_order_relaxed) == 0) {
            base::begin_huge_pages(t);
        }
    }

    /// Makes what a move was lacking. True: nothing that has to be tried again at once.
    bool provide_for(control& c, record_supply& supply, moving outcome) {
        if (outcome == moving::needs_record) supply.provide();
        if (outcome == moving::needs_line) {
            for (; supply.lines_lacking != 0; --supply.lines_lacking) this->make_spare_line(c);
        }
        return outcome != moving::needs_record;
    }

    /// Moves up to `batch` groups.
    moving move_some(control& c, stripe_type& s, word root, std::size_t batch, record_supply& supply) {
        header* const t = base::table_of(root);
        header* const n = t == nullptr ? nullptr : t->successor();
        if (n == nullptr) return moving::done;
        moving outcome = moving::done;
        {
            const section in(*this, s, t, root);
            if (!in) return moving::done;
            const std::size_t total = groups(*t, *n);
            // What was made for a group is for that group. Others may have been moved, and then nothing is left that needs it.
            const std::size_t again = std::exchange(supply.lacking_group, record_supply::no_group);
            const std::size_t first = again != record_supply::no_group ? again : n->cursor.fetch_add(batch, std::memory_order_relaxed);
            departure leaving(*this, c, *t, *n, root);
            for (std::size_t i = 0; i < (std::min)(batch, total) && outcome == moving::done; ++i) { // each group once
                if (n->left.load(std::memory_order_relaxed) == 0) break;
                outcome = move_group(c, *t, *n, (first + i) % total, leaving, supply);
                if (outcome == moving::busy) outcome = moving::done; // whoever comes round again
                if (outcome != moving::done) supply.lacking_group = (first + i) % total;
            }
        }
        if (base::table_of(this->root_.load(std::memory_order_relaxed)) == n) {
            this->tidy_tables(c, tidy_budget);
            // A table can shrink by more than one step. One that has just grown was asked for.
            if (n->log2() < t->log2()) shrink_if_sparse(c, s, this->root_.load(std::memory_order_acquire), 0);
        }
        return outcome;
    }

    /// Moves the group of one unit. Done also when the root has changed: the unit is not where it was.
    moving move_group_of(control& c, stripe_type& s, word root, header& t, header& n, std::size_t unit, record_supply& supply) {
        const section in(*this, s, &t, root);
        if (!in) return moving::done;
        departure leaving(*this, c, t, n, root);
        return move_group(c, t, n, group_of(t, n, unit), leaving, supply);
    }

    static constexpr unsigned max_shrink = 3; ///< log2 of the most source units locked at once
    static constexpr unsigned max_spread = 3; ///< log2 of the most targets of one unit that are filled in order
    static constexpr std::size_t finish_batch = 256;

    /// The next size on the way down to what so many entries need.
    static unsigned shrunk_log2(unsigned log2, std::size_t entries) noexcept {
        const unsigned enough = log2_of_units(entries * 4 / (Layout::slots_per_line * 3) + 1); // as full as they stay where keys come and go
        return (std::max)(enough, log2 - (std::min)(log2 - base::min_log2(), max_shrink));
    }
    /// The smallest table of that many units or more.
    static unsigned log2_of_units(std::size_t units) noexcept {
        return (std::max)(base::min_log2(), static_cast<unsigned>(std::bit_width(units - 1)));
    }

    bool needs_growth(control& c, const header& t) noexcept {
        return t.log2() + 2 <= base::max_log2 &&
               counted_entries(c, t) >= t.units() * grow_from;
    }

    // ---- groups; the outlier unit is one of its own, the last ----

    static std::size_t groups(const header& t, const header& n) noexcept {
        return (std::min)(t.units(), n.units()) + (Layout::has_outliers ? 1 : 0);
    }
    static std::size_t group_of(const header& t, const header& n, std::size_t unit) noexcept {
        if (base::is_outlier_unit(t, unit)) return groups(t, n) - 1;
        return n.log2() >= t.log2() ? unit : unit >> (t.log2() - n.log2());
    }
    struct range {
        std::size_t first;
        std::size_t count;
    };
    /// The units of `t` that belong to a group.
    static range units_of_group(const header& t, const header& n, std::size_t group) noexcept {
        if (group == (std::min)(t.units(), n.units())) return {t.units(), 1};
        const unsigned k = t.log2() > n.log2() ? t.log2() - n.log2() : 0;
        return {group << k, std::size_t{1} << k};
    }

    /// Counts the groups that one mover has moved. The sources of the last one stay locked until they are counted: `clear`
    /// cannot get past a locked unit, so `n` is still the table it was. Then who moved the last group of all makes `n`
    /// the root's table.
    class departure {
    public:
        departure(resize& map, control& c, header& t, header& n, word root) noexcept
            : map_(map), control_(c), t_(t), n_(n), root_(root) {}
        departure(const departure&) = delete;
        departure& operator=(const departure&) = delete;
        ~departure() {
            if (moved_ == 0) return;
            // acq_rel: who moves the last group has seen all others moved.
            if (n_.left.fetch_sub(moved_, std::memory_order_acq_rel) == moved_ && map_.change_root(root_, &n_)) {
                map_.retire_table(control_, &t_); // named by the caller's section for as long as it unlocks
                map_.ask_for_tidying(control_);
            }
            release();
        }

        /// The copies are in `n`, the sources wiped and still locked.
        void moved(range sources) noexcept {
            release();
            locked_ = sources;
            ++moved_;
        }

    private:
        void release() noexcept {
            for (std::size_t i = 0; i < locked_.count; ++i) {
                atomic_control& lock = t_.controls[locked_.first + i];
                map_.unlock(control_, lock, lock.load(std::memory_order_relaxed) | Layout::moved_bit);
            }
            locked_.count = 0;
        }

        resize& map_;
        control& control_;
        header& t_;
        header& n_;
        word root_;
        range locked_{0, 0};
        std::size_t moved_ = 0;
    };

    moving move_group(control& c, header& t, header& n, std::size_t group, departure& leaving, record_supply& supply) {
        const range from = units_of_group(t, n, group);
        const range to = units_of_group(n, t, group);
        for (std::size_t i = 0; i < from.count; ++i) {
            atomic_control& lock = t.controls[from.first + i];
            const control_word seen = lock.load(std::memory_order_relaxed);
            if ((seen & (Layout::moved_bit | Layout::lock_bit)) != 0 || !base::try_lock(lock, seen)) {
                // Nobody waits while it holds a lock: another bucket's writer may be stopped.
                unlock_sources(c, t, {from.first, i});
                return (seen & Layout::moved_bit) != 0 ? moving::done : moving::busy;
            }
        }
        std::uint32_t stamp = 0;
        if (const moving outcome = hand_on_stamps(c, t, n, from, supply, stamp); outcome != moving::done) {
            unlock_sources(c, t, from);
            return outcome;
        }
        for (std::size_t i = 0; i < to.count; ++i) {
            // Writers see it by way of MOVED. release: a late reader who has seen the same word before the memory became this
            // table's, and sees it again, sees that the root is another one (pairs with the walks' second look).
            n.controls[to.first + i].store(Layout::stamped(0, stamp), std::memory_order_release);
        }
        for (std::size_t i = 0; i < from.count; ++i) {
            if (const std::size_t left_out = copy_unit(c, t, from.first + i, n, to); left_out != 0) {
                // All that are missing at once: with many equal hashes each attempt copies a long chain in vain.
                supply.lines_lacking = left_out / Layout::last + 1;
                for (std::size_t j = 0; j < to.count; ++j) base::wipe(c, n, n.home(to.first + j), Layout::empty);
                unlock_sources(c, t, from);
                return moving::needs_line;
            }
        }
        // All old copies are gone before any lock is released: no writer can reach a new copy while a reader
        // can still hit the old one [I4], [I6].
        for (std::size_t i = 0; i < from.count; ++i) base::wipe(c, t, t.home(from.first + i), Layout::moved);
        leaving.moved(from);
        return moving::done;
    }

    /// The stamp of a group's targets [P3]; where no snapshot lives, stamps mean nothing. A merge while a cut is being
    /// made would be neither before it (the snapshot has seen the finer units) nor after it (nothing is preserved yet): it
    /// is left for later.
    moving hand_on_stamps(control& c, header& t, header& n, range from, record_supply& supply, std::uint32_t& stamp) noexcept {
        // acquire: pairs with the release that made a snapshot live. This section began before it, or sees it.
        const word gate_word = c.gate_word.load(std::memory_order_acquire);
        const bool merges = n.log2() < t.log2();
        if (merges && (gate_word & gate::cutting) != 0) return moving::busy;
        if (gate::newest_phase(gate_word) == 0) [[likely]] return moving::done;
        for (std::size_t i = 0; i < from.count; ++i) {
            control_word held = t.controls[from.first + i].load(std::memory_order_relaxed) & ~Layout::lock_bit;
            if (merges && !base::is_preserved(held, gate_word) &&
                !base::preserve(c, t, from.first + i, held, gate_word, supply)) {
                return moving::needs_record;
            }
            stamp = (std::max)(stamp, Layout::stamp_of(held));
        }
        return moving::done;
    }

    void unlock_sources(control& c, header& t, range sources) noexcept {
        for (std::size_t i = 0; i < sources.count; ++i) {
            atomic_control& lock = t.controls[sources.first + i];
            this->unlock(c, lock, lock.load(std::memory_order_relaxed));
        }
    }

    /// Copies the entries of one source to the targets `to`, which nobody else writes to or reads before the group is
    /// MOVED. Returns how many had no place, because a target is full.
    std::size_t copy_unit(control& c, header& t, std::size_t unit, header& n, range to) noexcept {
        const bool outlier = base::is_outlier_unit(t, unit);
        line_type* const targets = &n.home(to.first);
        // The target of an entry, from `to.first` on.
        const auto target_of = [&](word mark) { return outlier ? 0 : n.unit_of(hash_of(n.seed, mark)) - to.first; };
        // Growing, a target has nothing but what was put there here, from its first slot on: no need to search.
        std::array<unsigned char, std::size_t{1} << max_spread> used{};
        const bool spreads = n.log2() > t.log2() && to.count <= used.size();
        line_type* rest = &t.home(unit);
        if (spreads) {
            // A home line has no more entries than each target has slots.
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
                const word mark = rest->mark(i);
                if (!Layout::is_entry(mark)) continue;
                const std::size_t target = target_of(mark);
                base::store_entry(targets[target].slot(used[target]++), mark, base::value_at(rest->slot(i)));
            }
            rest = base::next_line(*rest);
        }
        return rest == nullptr ? 0 : copy_lines(c, *rest, n, to, target_of, spreads ? used.data() : nullptr);
    }

    /// copy_unit for the lines from `first` on. `used`: how many slots of each target's home line are taken, the first ones;
    /// null if those are not known.
    template <class TargetOf>
    [[gnu::noinline]] std::size_t copy_lines(control& c, line_type& first, header& n, range to, TargetOf target_of,
                                             unsigned char* used) noexcept {
        // Where the last entry went that did not fit into the home line: all lines before are full.
        std::array<line_type*, std::size_t{1} << max_spread> ends{};
        std::size_t left_out = 0;
        base::each_entry(first, [&](line_type& l, std::size_t i, word mark) {
            if (left_out != 0) {
                ++left_out;
                return false;
            }
            const std::size_t target = target_of(mark);
            line_type* end = &n.home(to.first + target);
            if (used != nullptr && used[target] < Layout::slots_per_line) {
                base::store_entry(end->slot(used[target]++), mark, base::value_at(l.slot(i)));
                return false;
            }
            if (to.count <= ends.size()) {
                line_type*& known = ends[target];
                if (known != nullptr) end = known;
                while (line_type* const next = base::next_line(*end)) end = next;
                known = end;
            }
            if (const vacancy v = base::find_vacancy(c, n, *end)) {
                base::place(v, mark, base::value_at(l.slot(i)));
            } else {
                left_out = 1;
            }
            return false;
        });
        return left_out;
    }

    template <class FreeNode>
    void dismantle_unit(control& c, header& t, std::size_t unit, FreeNode& free_node) {
        atomic_control& lock = t.controls[unit];
        control_word seen = 0;
        do {
            // acquire: what was moved is taken out of `next`, where it must be seen.
            seen = lock.load(std::memory_order_acquire);
            if ((seen & Layout::moved_bit) != 0) return;
            if ((seen & Layout::lock_bit) != 0) base::wait_unlocked(c, lock);
        } while ((seen & Layout::lock_bit) != 0 || !base::try_lock(lock, seen));
        reclaim::node_base<Sync>* taken = nullptr;
        if constexpr (!Layout::inline_key) {
            base::each_entry(t.home(unit), [&](line_type&, std::size_t, word mark) {
                node* const n = node_at(mark);
                n->next_retired = std::exchange(taken, n);
                return false;
            });
        }
        base::wipe(c, t, t.home(unit), Layout::moved);
        this->unlock(c, lock, seen | Layout::moved_bit);
        while (taken != nullptr) free_node(static_cast<node*>(std::exchange(taken, taken->next_retired)));
    }
};

} // namespace syncmap::engine
