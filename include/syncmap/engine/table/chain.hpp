// One bucket as a chain of lines: walking over its entries, placing them and taking them out. Only the holder of the bucket's
// lock calls functions that change it. No state: it knows lines and tables, not the map.
#pragma once

#include <bit>
#include <utility>

#include <syncmap/engine/table/control_block.hpp>
#include <syncmap/sync/word_pair.hpp>

namespace syncmap::engine {

template <class Types>
struct chain {
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using control = typename Types::control;
    using header = typename Types::header;
    using line_type = typename Types::line_type;
    using atomic_word = typename Layout::atomic_word;
    using thread_record_type = typename control::thread_record_type;
    using pair = sync::word_pair;

    // ---- walking the chain (line::next_line) ----

    /// Calls `f(line, slot number, slot_word)` for every entry of the bucket until it returns true.
    template <class F>
    static bool each_entry(line_type& home, F&& f) {
        for (line_type* l = &home; l != nullptr; l = l->next_line()) {
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
                if (const word m = l->slot_word(i); Layout::is_entry(m) && f(*l, i, m)) return true;
            }
        }
        return false;
    }

    /// Returns the slot of an entry of the bucket that `home` begins, or null. Under the bucket's lock.
    static atomic_word* slot_of(line_type& home, word slot_word) noexcept {
        for (line_type* l = &home; l != nullptr; l = l->next_line()) {
            if (const unsigned hits = l->match(slot_word); hits != 0) {
                return l->slot(static_cast<std::size_t>(std::countr_zero(hits)));
            }
        }
        return nullptr;
    }

    // ---- placing and taking, under the bucket's lock ----

    /// The place for a new entry: an EMPTY slot, or, if the bucket is full, a line to link behind `full`.
    struct vacancy {
        atomic_word* slot = nullptr;
        line_type* full = nullptr;  ///< the last line of a bucket without an EMPTY slot
        line_type* extra = nullptr; ///< a line to link behind it

        explicit operator bool() const noexcept { return slot != nullptr || extra != nullptr; }
    };

    /// Returns a vacancy, or none if the bucket is full and neither the table nor the spare lines have a line to add.
    /// `from`: the home line, or a later one if all lines before it are known to be full.
    static vacancy find_vacancy(control& c, header& t, line_type& from) noexcept {
        vacancy v;
        for (line_type* l = &from; l != nullptr; l = l->next_line()) {
            if (const std::size_t vacant = l->first_match(Layout::empty); vacant < Layout::slots_per_line) {
                v.slot = l->slot(vacant);
                return v;
            }
            v.full = l;
        }
        v.extra = another_line(c, t);
        return v;
    }

    /// Returns a line for a bucket that is full: one of the table's share or, when that is used up, a spare line outside of all
    /// tables. There may be many spare lines, left from times with more entries. So a writer that takes one marks the table as
    /// spilled, and asks other writers to look whether it should grow. (relaxed: `spilled` is a hint.)
    static line_type* another_line(control& c, header& t) noexcept {
        if (line_type* const l = t.take_line()) return l;
        const auto* const rare = c.rare_or_null();
        line_type* const l = rare == nullptr ? nullptr : c.more().spare_lines.pop();
        if (l != nullptr) {
            t.moving->spilled.store(true, std::memory_order_relaxed);
            t.ask_for_help();
        }
        return l;
    }

    /// Returns the slot in which other threads see whether the entry is published; see thread_record.hpp.
    static const atomic_word* announced_slot(const vacancy& v) noexcept {
        return v.slot != nullptr ? v.slot : v.full->slot(Layout::last);
    }
    static change announced_change(const vacancy& v) noexcept { return v.slot != nullptr ? change::insert : change::link; }

    /// Returns the word beside the slot word or, in single slots, the slot word.
    static word value_at(const atomic_word* slot) noexcept {
        return slot[Layout::words_per_slot - 1].load(std::memory_order_relaxed);
    }

    static void store_entry(atomic_word* slot, word slot_word, [[maybe_unused]] word value) noexcept {
        // Value first: a thread that sees the slot word sees the value [I3]. relaxed: a thread reads the value only together
        // with this entry's slot word, whose store, a release, comes after.
        if constexpr (Layout::pairs) slot[1].store(value, std::memory_order_relaxed);
        slot->store(slot_word, std::memory_order_release);
    }

    /// Publishes an entry. Its last store is the linearization point of the insert.
    static void place(const vacancy& v, word slot_word, word value) noexcept {
        if (v.slot != nullptr) {
            store_entry(v.slot, slot_word, value);
            return;
        }
        // The entry of the last slot moves to the new line, and LINK takes its place in one store [I2].
        store_entry(v.extra->slot(1), slot_word, value);
        move_last_entry(v.full->slot(Layout::last), *v.extra);
    }

    // ---- by a writer, which counts what it does ----

    /// Inserts: announces, publishes and counts an entry. So `size` finds it, counted or not [I8].
    static void insert(thread_record_type& s, const header& t, const vacancy& v, word slot_word, word value) noexcept {
        s.announce(announced_slot(v), announced_change(v), generation_of(t));
        place(v, slot_word, value);
        s.count(+1);
    }
    /// Erases the entry of a slot. Returns true if another entry moved, see `trim`.
    [[gnu::always_inline]] static bool erase(control& c, thread_record_type& s, header& t, line_type& home,
                                             atomic_word* slot) noexcept {
        s.announce(slot, change::erase, generation_of(t));
        slot->store(Layout::empty, std::memory_order_release);
        s.count(-1);
        return trim(c, t, home);
    }
    static std::uint64_t generation_of(const header& t) noexcept { return t.generation.load(std::memory_order_relaxed); }

    // ---- lines ----

    /// Links an empty line behind the last one of a chain. The bucket holds the same entries before and after [I2].
    static void add_line(line_type& end, line_type& extra) noexcept {
        atomic_word* const last = end.slot(Layout::last);
        if (last[0].load(std::memory_order_relaxed) != Layout::empty) {
            move_last_entry(last, extra);
        } else {
            store_link(last, extra);
        }
    }

    /// Moves entries of the last line to EMPTY slots of the home line after an erase, and gives back lines that have no entry
    /// left. Without that, few entries would keep long chains where keys come and go. Returns true if an entry moved: a search
    /// that found its key absent must then look again [I2].
    static bool trim(control& c, header& t, line_type& home) noexcept {
        return Layout::is_link(home.slot_word(Layout::last)) && trim_chain(c, t, home);
    }

    /// Stores `last_slot_word` in the home line's last slot, then EMPTY in every other slot of the bucket [I4]. Gives the
    /// overflow lines back, but for lines of the table's own share where MOVED says that the table is being left.
    static void wipe(control& c, header& t, line_type& home, word last_slot_word) noexcept {
        wipe(c, t, home, last_slot_word,
             [](atomic_word* slot, word sentinel) { slot->store(sentinel, std::memory_order_release); });
    }
    /// The same. `take_away(slot, sentinel)` stores the sentinel in a slot of the home line.
    template <class TakeAway>
    static void wipe(control& c, header& t, line_type& home, word last_slot_word, TakeAway take_away) noexcept {
        line_type* l = home.next_line();
        take_away(home.slot(Layout::last), last_slot_word);
        for (std::size_t i = 0; i < Layout::last; ++i) take_away(home.slot(i), Layout::empty);
        while (l != nullptr) {
            line_type* const next = l->next_line();
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i)
                l->slot(i)->store(Layout::empty, std::memory_order_release);
            if (last_slot_word == Layout::empty || !t.owns(l)) give_back(c, t, *l);
            l = next;
        }
    }

    /// Asks for the nodes of a line that will be looked at soon. Trusts nothing that it sees, and reads no node.
    static void fetch_nodes(const line_type& l) noexcept {
        for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
            // relaxed: a hint. A number, not a pointer: there may be no node any more.
            const word slot_word = l.slot(i)->load(std::memory_order_relaxed);
            const auto node = reinterpret_cast<std::uintptr_t>(Layout::address(slot_word));
            // Of a slot without a node, what is in the cache already.
            const auto at =
                (slot_word & (Layout::moved | Layout::link)) == 0 && node != 0 ? node : reinterpret_cast<std::uintptr_t>(&l);
            __builtin_prefetch(reinterpret_cast<const void*>(at), 1);
            __builtin_prefetch(reinterpret_cast<const void*>(at + detail::cache_line_bytes), 1);
        }
    }

private:
    [[gnu::noinline]] static bool trim_chain(control& c, header& t, line_type& home) noexcept {
        bool moved = false;
        do {
            line_type* before = nullptr;
            line_type* end = &home;
            while (line_type* const l = end->next_line()) before = std::exchange(end, l);
            unsigned entries = ~end->match(Layout::empty) & ((1U << Layout::slots_per_line) - 1);
            for (unsigned vacant = home.match(Layout::empty); vacant != 0 && entries != 0; moved = true) {
                move_entry(end->slot(take_bit(entries)), home.slot(take_bit(vacant)));
            }
            if (entries != 0) return moved;
            before->slot(Layout::last)->store(Layout::empty, std::memory_order_release);
            give_back(c, t, *end);
        } while (Layout::is_link(home.slot_word(Layout::last)));
        return moved;
    }

    /// Moves an entry to an EMPTY slot. It stores the new slot first: a reader that finds the old one EMPTY then finds the
    /// entry in the new one [I2].
    static void move_entry(atomic_word* from, atomic_word* to) noexcept {
        store_entry(to, from->load(std::memory_order_relaxed), value_at(from));
        from->store(Layout::empty, std::memory_order_release);
    }

    /// Clears the lowest bit, and returns its number.
    static std::size_t take_bit(unsigned& bits) noexcept {
        const auto lowest = static_cast<std::size_t>(std::countr_zero(bits));
        bits &= bits - 1;
        return lowest;
    }

    /// Moves the entry of a line's last slot to another line, which no thread reads yet, and links that line.
    static void move_last_entry(atomic_word* last, line_type& next) noexcept {
        if constexpr (Layout::inline_key) {
            pair seen{last[0].load(std::memory_order_relaxed), value_at(last)};
            do {
                store_entry(next.slot(0), seen.first, seen.second);
            } while (!Sync::compare_exchange_pair(last, seen, {Layout::link, address_word(&next)})); // [O5]
        } else {
            store_entry(next.slot(0), last[0].load(std::memory_order_relaxed), Layout::pairs ? value_at(last) : 0);
            store_link(last, next);
        }
    }

    static void store_link(atomic_word* last, line_type& next) noexcept {
        const word to = address_word(&next);
        if constexpr (Layout::pairs) {
            Sync::store_pair(last, {Layout::link, to});
        } else {
            last->store(to | Layout::link, std::memory_order_release);
        }
    }
    static void give_back(control& c, header& t, line_type& l) noexcept {
        if (t.owns(&l)) {
            t.overflow().free_lines.push(l);
        } else {
            c.more().spare_lines.push(l);
        }
    }
};

} // namespace syncmap::engine
