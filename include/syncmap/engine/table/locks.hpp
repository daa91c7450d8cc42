// What a writer does around a change: it names the table that it touches, locks the bucket, waits for other writers and for
// the gate, and unlocks the bucket. No state of its own: all of it lies in the map's core and control block.
#pragma once

#include <atomic>

#include <syncmap/engine/table/core.hpp>

namespace syncmap::engine {

template <class Types>
struct locks {
    using map_type = core<Types>;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using control = typename Types::control;
    using header = typename Types::header;
    using thread_record_type = typename control::thread_record_type;
    using control_word = typename Layout::control_word;
    using atomic_control = typename Layout::atomic_control;

    // ---- sections: while a writer may touch a table's memory [I9] ----

    /// Names the table for as long as the writer is busy with it. Nested operations (never inside a section, [I7])
    /// use the same thread record one after the other.
    class section {
    public:
        section(const map_type& owner, thread_record_type& s, header* t, word root) noexcept : thread_record_(s) {
            enter(owner, t, root);
            if (!valid_) [[unlikely]]
                let_fork_pass(owner, s);
        }
        /// Names a table and no more; `validate` does the rest.
        section(thread_record_type& s, word name_of_table) noexcept : thread_record_(s) { name(name_of_table); }
        section(const section&) = delete;
        section& operator=(const section&) = delete;
        ~section() { leave(); }

        /// Whether `t` was still the root's table, or that table's successor, after the thread record named it.
        explicit operator bool() const noexcept { return valid_; }

        /// Names another table, perhaps with buckets locked. The section still names it if it is invalid then.
        void enter(const map_type& owner, header* t, word root) noexcept {
            name(thread_record_type::name_of(t));
            look(owner, root);
        }
        /// Looks at the root, for a section that was begun by a name alone. Returns whether it is valid.
        bool validate(const map_type& owner, word root) noexcept {
            look(owner, root);
            if (!valid_) [[unlikely]]
                let_fork_pass(owner, thread_record_);
            return valid_;
        }
        void leave() noexcept { leave(thread_record_); }

    private:
        void look(const map_type& owner, word root) noexcept { valid_ = owner.is_root(root & ~map_type::forking); }
        void name(word name_of_table) noexcept {
            thread_record_.table.store(name_of_table, std::memory_order_release);
            // (1) Pairs with the heavy barriers after which other threads read the thread records: those that recycle a table,
            // cut a snapshot, fork, or bar direct overwrites.
            Sync::light_barrier();
        }
        static void leave(thread_record_type& s) noexcept { s.table.store(0, std::memory_order_release); }
        /// Waits while the process forks, holding nothing; the caller then begins anew [F2].
        /// Static: a section whose address is not taken stays in registers.
        [[gnu::cold, gnu::noinline]] static void let_fork_pass(const map_type& owner, thread_record_type& s) noexcept {
            for (unsigned attempt = 0; owner.is_forking(); ++attempt) {
                leave(s);
                Sync::back_off(attempt);
            }
        }

        thread_record_type& thread_record_;
        bool valid_ = false;
    };

    // ---- the lock ----

    /// Locks if the control word is `expected`, which has neither LOCK nor MOVED.
    static bool try_lock(atomic_control& lock, control_word expected) noexcept {
        // (2) acquire: pairs with the releases of (3) and (5); without it this writer may miss what the last one stored.
        return lock.compare_exchange_strong(expected, expected | Layout::lock_bit, std::memory_order_acquire,
                                            std::memory_order_relaxed);
    }

    /// Whether writers may go to table `t` for a bucket of the root's table. Readers and sweeps follow a slot that says MOVED.
    /// A writer has to wait for the control word: until then the mover still changes the copies, and readers still find the
    /// entries in the old slots [I4] [I6].
    static bool writers_follow(const header& of_root, std::size_t bucket, const header& t) noexcept {
        // acquire: pairs with the release of the mover's unlock.
        return &of_root == &t || (of_root.controls[bucket].load(std::memory_order_acquire) & Layout::moved_bit) != 0;
    }

    /// Unlocks, and stores `value` without LOCK. `visible`: all threads see what this thread has published when this returns. A
    /// caller that has published nothing passes false.
    [[gnu::always_inline]] static void unlock(control& c, atomic_control& lock, control_word value,
                                              bool visible = false) noexcept {
        const auto free = static_cast<control_word>(value & ~Layout::lock_bit);
        if (visible) [[likely]] {
            // (3) release: pairs with the acquire of (2). A read-modify-write: on x86-64 no store of this thread is left in the
            // store buffer when it is done.
            lock.exchange(free, std::memory_order_release);
            // (4) Orders all that this write has published before all that its thread reads afterwards. Pairs with itself in
            // another thread; without it two threads that each store a key might both miss the other's. It stands in for
            // the light barrier (6) as well.
            Sync::fence_after_rmw();
        } else {
            lock.store(free, std::memory_order_release); // (5) release: as (3)
            Sync::light_barrier(); // (6) pairs with the heavy barrier of parking::sleep()
        }
        if (c.sleepers.load(std::memory_order_relaxed) != 0) [[unlikely]]
            c.home->parking.wake(&lock);
    }

    /// Waits until the bucket is not locked. The caller holds nothing, and is not in a section.
    [[gnu::cold, gnu::noinline]] static void wait_unlocked(control& c, const atomic_control& lock) {
        const auto locked = [&] { return (lock.load(std::memory_order_acquire) & Layout::lock_bit) != 0; };
        for (int i = 0; i < Sync::spins_before_sleep; ++i) {
            if (!locked()) return;
            Sync::pause();
        }
        if (!locked()) return;
        if (auto* const rare = c.rare_or_null()) rare->waits.fetch_add(1, std::memory_order_relaxed);
        while (locked()) c.home->parking.sleep(&lock, c.sleepers, c.home->threads.barriers(), locked);
    }

    /// Returns whether a snapshot is finding its instant. A writer that sees that waits before it begins: each writer that the
    /// cut waits for then has at most one section to finish. relaxed: a hint; a writer looks again before it publishes.
    static bool is_cutting(const control& c) noexcept {
        return (c.gate_word.load(std::memory_order_relaxed) & gate::cutting) != 0;
    }

    /// Waits, holding nothing, until the gate is open. A waiting writer sleeps: threads that were pre-empted in their sections,
    /// and the one that closed the gate, get its processor.
    ///
    /// The writer opens the gate itself if this closing has lasted longer than its limit: the thread that closed the gate may
    /// be stopped. It also opens the gate after several closings one after the other: snapshots without pause do not starve it.
    [[gnu::cold, gnu::noinline]] static void wait_for_gate(control& c) noexcept {
        for (int i = 0; i < Sync::spins_before_sleep; ++i) {
            if (gate::is_open(c.gate_word.load(std::memory_order_acquire))) return;
            Sync::pause();
        }
        const auto are_too_many = [&](std::size_t closings) {
            return closings >= most_closings && closings >= most_closings * records_of(c);
        };
        for (std::size_t closings = 0; !wait_for_closing(c, are_too_many(closings)); ++closings) {}
    }

    /// For how many closings a writer waits, one after the other, for each thread record of the map. Where there are more
    /// writers than processors, each closing is met by nearly all of them, and few run between two. So the number grows with
    /// theirs: all of them together make one of eight attempts void.
    static constexpr std::size_t most_closings = 8;

    [[gnu::cold]] static std::size_t records_of(const control& c) noexcept {
        std::size_t records = 0;
        c.each_thread_record([&](const thread_record_type&) { ++records; });
        return records;
    }

    /// Waits for the end of the closing that it finds. Returns whether the gate is open.
    [[gnu::cold]] static bool wait_for_closing(control& c, bool opens_at_once) noexcept {
        word seen = c.gate_word.load(std::memory_order_acquire);
        const std::uint32_t closing = gate::ticket(seen);
        const auto is_over = [&] {
            seen = c.gate_word.load(std::memory_order_acquire);
            return gate::is_open(seen) || gate::ticket(seen) != closing;
        };
        const typename Sync::deadline limit((seen & gate::cutting) != 0 ? Sync::longest_cut : Sync::longest_count);
        while (!is_over()) {
            if (opens_at_once || limit.over()) {
                c.gate_word.compare_exchange_strong(seen, gate::opened(seen), std::memory_order_acq_rel,
                                                    std::memory_order_relaxed);
                return true;
            }
            c.home->gates.sleep(&c.gate_word, closing, limit, is_over);
        }
        return gate::is_open(seen);
    }
};

} // namespace syncmap::engine
