// Moving the units of a table to a larger or smaller one, and taking a table apart whose entries nobody wants.
//
// Units are moved in *groups*: growing, one source unit and the 2^k units it becomes; shrinking, the 2^k source
// units of one target. All sources of a group are locked; the targets are unreachable until the group is MOVED.
// Which group to move next is only a hint: a group that another helper claimed and did not move is moved by
// the next helper that comes round.
//
// When to do so, and who does it, stands in resize.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <syncmap/engine/table/locks.hpp>
#include <syncmap/engine/table/preservation.hpp>

namespace syncmap::engine {

template <class Types>
class migration : public preservation<Types> {
    using base = preservation<Types>;

public:
    using base::base;

protected:
    using atomic_control = typename Types::layout::atomic_control;
    using chain = engine::chain<Types>;
    using locks = engine::locks<Types>;
    using typename base::control;
    using control_word = typename Types::layout::control_word;
    using typename base::header;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::node;
    using typename base::record_supply;
    using section = typename engine::locks<Types>::section;
    using typename base::stripe_type;
    using typename base::Sync;
    using vacancy = typename engine::chain<Types>::vacancy;
    using base::node_at;

    /// What came of an attempt to move a group.
    enum class moving : unsigned char {
        done,
        busy, ///< a unit of the group is locked
        needs_line,
        needs_record
    };

    /// The hash of an entry, by its mark.
    std::uint64_t hash_of([[maybe_unused]] const hash_seed& seed, word mark) const noexcept {
        if constexpr (Layout::inline_key) {
            return syncmap::detail::seeded_hash(this->hash_, Layout::key_of(mark, false), seed); // trusted: calls nothing back
        } else {
            return node_at(mark)->hash();
        }
    }

    // ---- groups; the outlier unit is one of its own, the last ----

    static std::size_t groups(const header& t, const header& n) noexcept {
        return (std::min)(t.units(), n.units()) + (Layout::has_outliers ? 1 : 0);
    }
    static std::size_t group_of(const header& t, const header& n, std::size_t unit) noexcept {
        if (chain::is_outlier_unit(t, unit)) return groups(t, n) - 1;
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
        departure(migration& map, control& c, header& t, header& n, word root) noexcept
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
                locks::unlock(control_, lock, lock.load(std::memory_order_relaxed) | Layout::moved_bit);
            }
            locked_.count = 0;
        }

        migration& map_;
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
            if ((seen & (Layout::moved_bit | Layout::lock_bit)) != 0 || !locks::try_lock(lock, seen)) {
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
                for (std::size_t j = 0; j < to.count; ++j) chain::wipe(c, n, n.home(to.first + j), Layout::empty);
                unlock_sources(c, t, from);
                return moving::needs_line;
            }
        }
        // All old copies are gone before any lock is released: no writer can reach a new copy while a reader
        // can still hit the old one [I4], [I6].
        for (std::size_t i = 0; i < from.count; ++i) chain::wipe(c, t, t.home(from.first + i), Layout::moved);
        leaving.moved(from);
        return moving::done;
    }

    /// Moves the group of one unit. Done also when the root has changed: the unit is not where it was.
    moving move_group_of(control& c, stripe_type& s, word root, header& t, header& n, std::size_t unit, record_supply& supply) {
        const section in(*this, s, &t, root);
        if (!in) return moving::done;
        departure leaving(*this, c, t, n, root);
        return move_group(c, t, n, group_of(t, n, unit), leaving, supply);
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

    static constexpr std::size_t tidy_budget = std::size_t{4} << 20; ///< bytes of pages per call

private:
    template <class FreeNode>
    void dismantle_unit(control& c, header& t, std::size_t unit, FreeNode& free_node) {
        atomic_control& lock = t.controls[unit];
        control_word seen = 0;
        do {
            // acquire: what was moved is taken out of `next`, where it must be seen.
            seen = lock.load(std::memory_order_acquire);
            if ((seen & Layout::moved_bit) != 0) return;
            if ((seen & Layout::lock_bit) != 0) locks::wait_unlocked(c, lock);
        } while ((seen & Layout::lock_bit) != 0 || !locks::try_lock(lock, seen));
        reclaim::node_base<Sync>* taken = nullptr;
        if constexpr (!Layout::inline_key) {
            chain::each_entry(t.home(unit), [&](line_type&, std::size_t, word mark) {
                node* const n = node_at(mark);
                n->next_retired = std::exchange(taken, n);
                return false;
            });
        }
        chain::wipe(c, t, t.home(unit), Layout::moved);
        locks::unlock(c, lock, seen | Layout::moved_bit);
        while (taken != nullptr) free_node(static_cast<node*>(std::exchange(taken, taken->next_retired)));
    }

    static constexpr unsigned max_spread = 3; ///< log2 of the most targets of one unit that are filled in order

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
            locks::unlock(c, lock, lock.load(std::memory_order_relaxed));
        }
    }

    /// Copies the entries of one source to the targets `to`, which nobody else writes to or reads before the group is
    /// MOVED. Returns how many had no place, because a target is full.
    std::size_t copy_unit(control& c, header& t, std::size_t unit, header& n, range to) noexcept {
        const bool outlier = chain::is_outlier_unit(t, unit);
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
                chain::store_entry(targets[target].slot(used[target]++), mark, chain::value_at(rest->slot(i)));
            }
            rest = chain::next_line(*rest);
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
        chain::each_entry(first, [&](line_type& l, std::size_t i, word mark) {
            if (left_out != 0) {
                ++left_out;
                return false;
            }
            const std::size_t target = target_of(mark);
            line_type* end = &n.home(to.first + target);
            if (used != nullptr && used[target] < Layout::slots_per_line) {
                chain::store_entry(end->slot(used[target]++), mark, chain::value_at(l.slot(i)));
                return false;
            }
            if (to.count <= ends.size()) {
                line_type*& known = ends[target];
                if (known != nullptr) end = known;
                while (line_type* const next = chain::next_line(*end)) end = next;
                known = end;
            }
            if (const vacancy v = chain::find_vacancy(c, n, *end)) {
                chain::place(v, mark, chain::value_at(l.slot(i)));
            } else {
                left_out = 1;
            }
            return false;
        });
        return left_out;
    }
};

} // namespace syncmap::engine
