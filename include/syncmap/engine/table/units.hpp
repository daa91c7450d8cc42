// One unit: its lock, its chain of lines, and how entries are found, placed and taken out.
#pragma once

#include <syncmap/engine/table/retirement.hpp>
#include <syncmap/engine/table/search.hpp>
#include <syncmap/sync/word_pair.hpp>

namespace syncmap::engine {

template <class Types>
class units : public retirement<Types> {
    using base = retirement<Types>;

public:
    using base::base;

protected:
    using typename base::atomic_word;
    using typename base::control;
    using typename base::header;
    using typename base::Key;
    using typename base::Layout;
    using typename base::line_type;
    using typename base::node;
    using typename base::stripe_type;
    using typename base::Sync;
    using base::node_at;
    using control_word = typename Layout::control_word;
    using atomic_control = typename Layout::atomic_control;
    using pair = sync::word_pair;
    using search = engine::search<Layout, Sync>;

    // ---- sections: while a writer may touch a table's memory [I9] ----

    /// Names the table for as long as the writer is busy with it. Nested operations (never inside a section, [I7])
    /// use the same stripe one after the other.
    class section {
    public:
        section(const units& owner, stripe_type& s, header* t, word root) noexcept : stripe_(s) {
            enter(owner, t, root);
            if (!valid_) [[unlikely]] let_fork_pass(owner, s);
        }
        section(const section&) = delete;
        section& operator=(const section&) = delete;
        ~section() { leave(); }

        /// Whether `t` was still the root's table, or on its way to become so, after the stripe named it.
        explicit operator bool() const noexcept { return valid_; }

        /// Goes over to another table, perhaps with units locked: invalid, it still names that one.
        void enter(const units& owner, header* t, word root) noexcept {
            stripe_.table.store(t, std::memory_order_release);
            Sync::light_barrier(); // pairs with the heavy barrier before tidying reads the stripes
            valid_ = owner.is_root(root & ~base::forking);
        }
        void leave() noexcept { leave(stripe_); }

    private:
        static void leave(stripe_type& s) noexcept { s.table.store(nullptr, std::memory_order_release); }
        /// Whoever may not begin because of a fork waits here, holding nothing, and then begins anew [F2].
        /// Static: a section whose address nobody takes stays in registers.
        [[gnu::cold, gnu::noinline]] static void let_fork_pass(const units& owner, stripe_type& s) noexcept {
            for (unsigned attempt = 0; owner.is_forking(); ++attempt) {
                leave(s);
                Sync::back_off(attempt);
            }
        }

        stripe_type& stripe_;
        bool valid_ = false;
    };

    bool is_forking() const noexcept { return (this->root_.load(std::memory_order_acquire) & base::forking) != 0; }

    // ---- the lock ----

    /// Locks if the control word is `expected`, which has neither LOCK nor MOVED.
    static bool try_lock(atomic_control& lock, control_word expected) noexcept {
        // acquire: pairs with the release of the last unlock.
        return lock.compare_exchange_strong(expected, expected | Layout::lock_bit, std::memory_order_acquire,
                                               std::memory_order_relaxed);
    }

    /// `visible`: all threads see what this thread has published when this returns. A caller that has published nothing
    /// does not ask for it.
    [[gnu::always_inline]] static void unlock(control& c, atomic_control& lock, control_word value, bool visible = false) noexcept {
        const auto free = static_cast<control_word>(value & ~Layout::lock_bit);
        if (visible) {
            // release: pairs with the acquire of try_lock. A read-modify-write: on x86-64 no store of this thread is in its
            // store buffer any more when it is done.
            lock.exchange(free, std::memory_order_release);
            // Between all that this write has published and all that its thread reads afterwards; pairs with itself in
            // another thread. Without it two threads that each store a key might both miss the other's. It stands in for
            // the light barrier below as well.
            Sync::fence_after_rmw();
        } else {
            lock.store(free, std::memory_order_release);
            Sync::light_barrier(); // pairs with the heavy barrier of parking::sleep
        }
        if (c.sleepers.load(std::memory_order_relaxed) != 0) [[unlikely]] c.home->parking.wake(&lock);
    }

    /// Waits until the unit is not locked. Holding nothing, and not in a section.
    [[gnu::noinline]] static void wait_unlocked(control& c, const atomic_control& lock) {
        const auto locked = [&] { return (lock.load(std::memory_order_acquire) & Layout::lock_bit) != 0; };
        for (int i = 0; i < Sync::spins_before_sleep; ++i) {
            if (!locked()) return;
            Sync::pause();
        }
        while (locked()) c.home->parking.sleep(&lock, c.sleepers, locked);
    }

    /// Whether a snapshot is finding its instant. A writer that sees it waits before it begins: each writer that the cut waits
    /// for then has at most one section to finish. relaxed: a hint; a writer looks again before it publishes.
    static bool is_cutting(const control& c) noexcept {
        return (c.gate_word.load(std::memory_order_relaxed) & gate::cutting) != 0;
    }

    /// Waits, holding nothing, until the gate is open. A writer that waits sleeps: threads that were pre-empted in their
    /// sections, and the one that closed the gate, get its processor. It opens the gate when its own limit is over, as the
    /// thread that closed the gate may have been stopped.
    [[gnu::noinline]] static void wait_for_gate(control& c) noexcept {
        for (int i = 0; i < Sync::spins_before_sleep; ++i) {
            if (gate::is_open(c.gate_word.load(std::memory_order_acquire))) return;
            Sync::pause();
        }
        word seen = c.gate_word.load(std::memory_order_acquire);
        const typename Sync::lease limit((seen & gate::cutting) != 0 ? Sync::longest_cut : Sync::longest_count);
        while (!gate::is_open(seen)) {
            if (limit.over()) {
                const word opened = gate::opened(seen);
                if (c.gate_word.compare_exchange_strong(seen, opened, std::memory_order_acq_rel, std::memory_order_relaxed)) {
                    gate_opened(c, seen);
                }
                return;
            }
            c.home->gates.sleep(&c.gate_word, limit, [&] { return await_gate(c); });
            seen = c.gate_word.load(std::memory_order_acquire);
        }
    }

    /// For the thread that has opened the gate, which was `shut`.
    static void gate_opened(control& c, word shut) noexcept {
        if ((shut & gate::awaited) != 0) [[unlikely]] c.home->gates.wake(&c.gate_word, gate::ticket(shut));
    }

    /// Tells the thread that will open the gate that a writer sleeps. Returns the number of this closing; 0: the gate is open.
    static std::uint32_t await_gate(control& c) noexcept {
        word seen = c.gate_word.load(std::memory_order_relaxed);
        while (!gate::is_open(seen)) {
            // relaxed: the thread that opens the gate finds the bit by a read-modify-write of the same word.
            if ((seen & gate::awaited) != 0 || c.gate_word.compare_exchange_weak(seen, seen | gate::awaited, std::memory_order_relaxed,
                                                                                 std::memory_order_relaxed)) {
                return gate::ticket(seen);
            }
        }
        return 0;
    }

    // ---- walking the chain ----

    /// The line that the last slot of `l` leads to, or null.
    static line_type* next_line(const line_type& l) noexcept {
        if constexpr (Layout::pairs) {
            if (!Layout::is_link(l.mark(Layout::last))) return nullptr;
            const pair p = Sync::load_pair(l.slot(Layout::last));
            return Layout::is_link(p.first) ? reinterpret_cast<line_type*>(p.second) : nullptr;
        } else {
            const word m = l.mark(Layout::last);
            return Layout::is_link(m) ? reinterpret_cast<line_type*>(Layout::address(m)) : nullptr;
        }
    }

    /// Calls `f(line, slot number, mark)` for every entry of the unit until it returns true.
    template <class F>
    static bool each_entry(line_type& home, F&& f) {
        for (line_type* l = &home; l != nullptr; l = next_line(*l)) {
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
                if (const word m = l->mark(i); Layout::is_entry(m) && f(*l, i, m)) return true;
            }
        }
        return false;
    }

    static std::size_t unit_of(const header& t, std::uint64_t hash, word key_bits) noexcept {
        if constexpr (Layout::has_outliers) {
            if (Layout::is_outlier(key_bits)) [[unlikely]] return t.units();
        }
        return t.unit_of(hash);
    }
    static bool is_outlier_unit(const header& t, std::size_t unit) noexcept {
        return Layout::has_outliers && unit == t.units();
    }

    // ---- placing and taking, under the unit's lock ----

    /// Where a new entry goes: an EMPTY slot, or, when the unit is full, a line to be linked behind `line`.
    struct vacancy {
        atomic_word* slot = nullptr;
        line_type* full = nullptr;  ///< the last line of a unit without an EMPTY slot
        line_type* extra = nullptr; ///< to be linked behind it

        explicit operator bool() const noexcept { return slot != nullptr || extra != nullptr; }
    };

    /// No vacancy: the unit is full, and neither the table nor the spare lines have a line to add.
    /// `from`: the home line, or a later one where all lines before it are known to be full.
    static vacancy find_vacancy(control& c, header& t, line_type& from) noexcept {
        vacancy v;
        for (line_type* l = &from; l != nullptr; l = next_line(*l)) {
            if (const unsigned vacant = search::match(*l, Layout::empty); vacant != 0) {
                v.slot = l->slot(static_cast<std::size_t>(std::countr_zero(vacant)));
                return v;
            }
            v.full = l;
        }
        v.extra = another_line(c, t);
        return v;
    }

    /// A line for a unit that is full: of the table's share or, when that is used up, one beside any table. Of those there
    /// may be many, left from fuller times; so who takes one asks for a look whether the table should grow. (A hint: no
    /// order hangs on `crowded`.)
    static line_type* another_line(control& c, header& t) noexcept {
        if (line_type* const l = t.take_line()) return l;
        const auto* const rare = c.rare_or_null();
        line_type* const l = rare == nullptr ? nullptr : c.more().spare_lines.pop();
        if (l != nullptr) {
            t.crowded.store(true, std::memory_order_relaxed);
            t.ask_for_help();
        }
        return l;
    }

    /// The slot by which others see that the entry is there, and what to look for; see stripe.
    static const atomic_word* announced_slot(const vacancy& v) noexcept {
        return v.slot != nullptr ? v.slot : v.full->slot(Layout::last);
    }
    static change announced_change(const vacancy& v) noexcept { return v.slot != nullptr ? change::insert : change::link; }

    /// What stands beside the mark; where nothing does, the mark.
    static word value_at(const atomic_word* slot) noexcept {
        return slot[Layout::words_per_slot - 1].load(std::memory_order_relaxed);
    }

    static void store_entry(atomic_word* slot, word mark, [[maybe_unused]] word value) noexcept {
        // Value first: who sees the mark sees the value [I3]. relaxed: the value is only looked at together with a mark
        // of this entry, that is, not before the store of the mark, which releases both.
        if constexpr (Layout::pairs) slot[1].store(value, std::memory_order_relaxed);
        slot->store(mark, std::memory_order_release);
    }

    /// Publishes an entry: the last of its stores is the linearization point of the insert.
    static void place(const vacancy& v, word mark, word value) noexcept {
        if (v.slot != nullptr) {
            store_entry(v.slot, mark, value);
            return;
        }
        // The entry of the last slot moves to the new line, and LINK takes its place in one store [I2].
        atomic_word* const last = v.full->slot(Layout::last);
        store_entry(v.extra->slot(0), last[0].load(std::memory_order_relaxed),
                    Layout::pairs ? value_at(last) : 0);
        store_entry(v.extra->slot(1), mark, value);
        store_link(last, *v.extra);
    }

    /// Links an empty line behind the last one of a chain; what the unit holds is the same before and after [I2].
    static void add_line(line_type& end, line_type& extra) noexcept {
        atomic_word* const last = end.slot(Layout::last);
        if (const word mark = last[0].load(std::memory_order_relaxed); mark != Layout::empty) {
            store_entry(extra.slot(0), mark, value_at(last));
        }
        store_link(last, extra);
    }

    /// After an erase: lets entries of the last line go to EMPTY slots of the home line, and gives lines back that have no
    /// entry left. Where keys come and go, chains would be kept by few entries each otherwise. True: an entry was moved, so
    /// that who has found none must look again [I2].
    static bool trim(control& c, header& t, line_type& home) noexcept {
        return Layout::is_link(home.mark(Layout::last)) && trim_chain(c, t, home);
    }

    /// Makes every slot of the unit EMPTY, but for the home line's last, which gets `last_mark` before the others
    /// [I4], and gives the overflow lines back.
    static void wipe(control& c, header& t, line_type& home, word last_mark) noexcept {
        line_type* l = next_line(home);
        home.slot(Layout::last)->store(last_mark, std::memory_order_release);
        for (std::size_t i = 0; i < Layout::last; ++i) home.slot(i)->store(Layout::empty, std::memory_order_release);
        while (l != nullptr) {
            line_type* const next = next_line(*l);
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i) l->slot(i)->store(Layout::empty, std::memory_order_release);
            give_back(c, t, *l);
            l = next;
        }
    }

private:
    [[gnu::noinline]] static bool trim_chain(control& c, header& t, line_type& home) noexcept {
        bool moved = false;
        do {
            line_type* before = nullptr;
            line_type* end = &home;
            while (line_type* const l = next_line(*end)) before = std::exchange(end, l);
            unsigned entries = ~search::match(*end, Layout::empty) & ((1U << Layout::slots_per_line) - 1);
            for (unsigned vacant = search::match(home, Layout::empty); vacant != 0 && entries != 0; moved = true) {
                move_entry(end->slot(take_bit(entries)), home.slot(take_bit(vacant)));
            }
            if (entries != 0) return moved;
            before->slot(Layout::last)->store(Layout::empty, std::memory_order_release);
            give_back(c, t, *end);
        } while (Layout::is_link(home.mark(Layout::last)));
        return moved;
    }

    /// To an EMPTY slot: in it first, so that a reader who finds the old place EMPTY finds the entry in the new one [I2].
    static void move_entry(atomic_word* from, atomic_word* to) noexcept {
        store_entry(to, from->load(std::memory_order_relaxed), value_at(from));
        from->store(Layout::empty, std::memory_order_release);
    }

    /// The number of the lowest bit, which is taken out.
    static std::size_t take_bit(unsigned& bits) noexcept {
        const auto lowest = static_cast<std::size_t>(std::countr_zero(bits));
        bits &= bits - 1;
        return lowest;
    }

    static void store_link(atomic_word* last, line_type& next) noexcept {
        const word to = reinterpret_cast<word>(&next);
        if constexpr (Layout::pairs) {
            Sync::store_pair(last, {Layout::link, to});
        } else {
            last->store(to | Layout::link, std::memory_order_release);
        }
    }
    static void give_back(control& c, header& t, line_type& l) noexcept {
        if (t.owns(&l)) {
            t.free_lines.push(l);
        } else {
            c.more().spare_lines.push(l);
        }
    }
};

} // namespace syncmap::engine
