// Overwrites of present inline entries without a lock: one 16-byte compare-exchange on the slot, docs/design.md [O1] to [O6].
// No state of its own.
//
// [O1] A section names the table, and in the same word the key's hash; light barrier; then the writer reads whether direct
//      overwrites are permitted, and the gate; then the root.
// [O2] The gate: not CUTTING, and the bucket's stamp is not below the newest live phase. The stamp is read only while a
//      snapshot lives.
// [O3] The key lies in its home line: {key, value} is read as one.
// [O4] Compare-exchange {key, value} -> {key, new value}: the linearization point. Failed, and the slot still has the key:
//      again, with the value that it returned. Anything else: the bucket's lock.
// [O5] What depends on a value, or takes an entry away, is a compare-exchange from the pair that was read, under the lock too:
//      an erase, a LINK over the last slot, MOVED or EMPTY over what was copied to the next table. Failed: it decides, or
//      copies, again. (An erase that no value matters to stores EMPTY.)
// [O6] Entries in overflow lines change under the lock alone. So they may return to the home line by plain stores.
//
// A computation of a present key excludes direct overwrites of that key (design 6, C2): it bars them in the whole map, by the
// byte of overwrite_state.hpp, a heavy barrier and a look at each thread record. It waits for a section that may overwrite a
// key of the same 16 bits of hash, and for no other. Later computations find them barred and do nothing. Writers count the
// writes that find them barred: after so many one of them permits them again, if no computation runs.
#pragma once

#include <atomic>

#include <syncmap/engine/table/locks.hpp>

namespace syncmap::engine {

template <class Types>
struct direct_overwrites {
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using control = typename Types::control;
    using atomic_control = typename Layout::atomic_control;
    using atomic_word = typename Layout::atomic_word;
    using thread_record_type = typename control::thread_record_type;
    using pair = sync::word_pair;

    // ---- one slot ----

    /// Replaces the value of an entry if it is still `seen`; `seen` becomes what it is if the slot still has the key.
    /// `visible`: all threads see it when this returns. Returns false if it did nothing.
    [[gnu::always_inline]] static bool replace(atomic_word* slot, pair& seen, word value, bool visible) noexcept {
        const word slot_word = seen.first;
        // acq_rel: pairs with the acquire of readers, and with itself.
        if (!Sync::compare_exchange_pair(slot, seen, {slot_word, value})) return false;
        if (visible) [[likely]]
            Sync::fence_after_rmw(); // as (4) of locks::unlock
        return true;
    }

    /// Erases an entry if its value is still `seen.second`, under the lock. Otherwise `seen` becomes what it is.
    [[gnu::always_inline]] static bool erase(thread_record_type& s, std::uint64_t generation, atomic_word* slot, pair& seen,
                                             bool visible) noexcept {
        s.announce(slot, change::erase, generation);
        if (!Sync::compare_exchange_pair(slot, seen, {Layout::empty, seen.second})) [[unlikely]] {
            s.withdraw();
            return false;
        }
        if (visible) [[likely]]
            Sync::fence_after_rmw();
        s.count(-1);
        return true;
    }

    /// Erases an entry whatever its value is, under the lock. Both words in one store: the value of a later insert comes after
    /// the last direct overwrite.
    [[gnu::always_inline]] static void erase(thread_record_type& s, std::uint64_t generation, atomic_word* slot) noexcept {
        s.announce(slot, change::erase, generation);
        Sync::store_pair(slot, {Layout::empty, 0});
        s.count(-1);
    }

    // ---- whether they are permitted ----

    /// [O2]. `gate_word`: as it was read in the section.
    [[gnu::always_inline]] static bool lets_pass(word gate_word, const atomic_control& of_bucket) noexcept {
        if ((gate_word & gate::cutting) != 0) [[unlikely]]
            return false;
        if (gate::newest_phase(gate_word) == 0) [[likely]]
            return true;
        // acquire: pairs with the release that stored the stamp; without it what is published here might be seen without it.
        return Layout::stamp_of(of_bucket.load(std::memory_order_acquire)) >= gate::newest_phase(gate_word);
    }

    /// Called by a write that found them barred. Returns whether the thread is to look whether that is still needed.
    static bool counts_down(thread_record_type& s) noexcept {
        std::uint32_t& left = s.writer->writes_until_direct;
        if (left != 0) --left;
        return left == 0;
    }
    /// Called with nothing held.
    static void readmit_if_due(control& c, thread_record_type& s) noexcept {
        if (s.writer->writes_until_direct != 0) [[likely]]
            return;
        s.writer->writes_until_direct = Sync::writes_until_direct;
        c.overwrites.readmit([&] {
            for (const auto& counter : c.home->computing) {
                // acquire: pairs with the release that lowered it; see (1) of overwrite_state.
                if (counter.load(std::memory_order_acquire) != 0) return true;
            }
            return false;
        });
    }

    /// Ends all direct overwrites of keys of this hash, for a computation whose counter is raised. None begins before it is
    /// lowered. Throws `barrier_refused`.
    static void exclude(control& c, std::uint64_t hash) {
        if (c.overwrites.is_barred()) return;
        c.overwrites.bar();
        // Pairs with the light barrier of a section: a writer finds them barred, or its section is seen here.
        if (!c.home->threads.barriers().heavy_barrier()) throw barrier_refused();
        bool none_left = true;
        unsigned looks = 0;
        c.each_thread_record([&](thread_record_type& s) {
            for (;;) {
                // acquire: pairs with the release that ended the section; without it a computation may miss its overwrite.
                const word name = s.table.load(std::memory_order_acquire);
                if (!thread_record_type::is_direct(name)) return;
                if (!thread_record_type::is_of_hash(name, hash)) {
                    none_left = false;
                    return;
                }
                Sync::give_way(looks++);
            }
        });
        if (none_left) c.overwrites.note_none_left();
    }
};

} // namespace syncmap::engine
