// `fork` beside threads that write: brings all maps to a state from which the child, which has only one of the threads, can go
// on.
//
// Each map is in the list of the thread that made it (writer_record.hpp): threads that make and destroy maps of their own
// do not contend.
//
// The thread that will fork does this before. (It is in no section: user code never is, [I7].)
//
// [F1] It sets `forking`, then takes every list's lock: no map appears or goes. A thread that takes the lock of a list which
//      did not exist yet finds `forking` set, unlocks the list, and waits.
// [F2] It sets the bit `forking` in each map's root, then locks and unlocks the map's snapshot mutex, if there is one. No
//      section begins after that. A writer that enters one looks at the root after it has named the table, as for any change of
//      the root; it finds the bit, leaves, and waits, holding nothing. A thread that takes the snapshot mutex finds the bit
//      and unlocks it again. To readers the root has changed, and the table in it is the same: they go on.
// [F3] It makes a heavy barrier, then sees each thread record outside of a section once. Now no bucket is locked, and no thread
//      publishes or moves anything; all entries in the tables are counted.
// [F4] It sets `scanning` and `recycling`, then closes the flights. A thread that has set one of these waits for no other
//      thread meanwhile. A thread that needs the flights later waits until the fork is over, holding no lock.
//
// The parent undoes all that. So does the child, after it has freed what the other threads had. It clears their thread records
// and hazard records, drops the computations that they own (as if their function had thrown), and lowers the counters of those.
// It makes anew the mutexes and conditions in which another thread may have been. What a lost thread alone could reach (a node
// that it was about to publish, a table that `clear` was taking apart) stays where it is, unused.
//
// In the child of a fork that no hook prepared, the maps that were there before are *orphans*: a lost thread may have any lock
// of theirs, and may be in the middle of any change. The child may read, move and destroy them, without taking a lock of
// theirs. The lists in which they are have been given up (`writers::note_fork`). What all maps share is made anew
// (`process::note_fork`), so the child may do everything with maps that it makes, and fork again.
#pragma once

#include <atomic>
#include <mutex>
#include <new>
#include <utility>

#include <syncmap/engine/table/shared_words.hpp>

namespace syncmap::engine {

template <class Sync>
class map_registry {
public:
    using map = shared_words<Sync>;
    using writer = writer_record<Sync>;
    using all_writers = writers<Sync>;

    /// Adds a map that is not published yet. Waits while the process is forking, as does `remove`.
    [[gnu::cold]] static void add(map& m, writer& by, map_root<Sync>& of) {
        m.made_by = &by;
        m.map = &of;
        for (unsigned attempt = 0;; ++attempt) {
            lock(by);
            Sync::fence_after_rmw(); // (1) between the lock and the look at `forking`; pairs with (2)
            if (!m.made_by->all->forking.load(std::memory_order_acquire)) break;
            unlock(by);
            Sync::back_off(attempt);
        }
        m.following = by.first_map;
        if (by.first_map != nullptr) by.first_map->previous = &m;
        by.first_map = &m;
        unlock(by);
    }
    [[gnu::cold]] static void remove(map& m) {
        if (is_orphan(m)) return;
        writer& by = *m.made_by;
        lock(by);
        (m.previous == nullptr ? by.first_map : m.previous->following) = m.following;
        if (m.following != nullptr) m.following->previous = m.previous;
        unlock(by);
    }

    /// Calls `f()`, which makes the contents those of another map. Waits while the process is forking.
    template <class F>
    static void move(map& m, F f) noexcept {
        if (is_orphan(m)) return f();
        writer& by = *m.made_by;
        lock(by);
        f();
        unlock(by);
    }

    /// Returns what snapshots of the map need, or null: no operation has needed it yet. (3) acquire: pairs with the release of
    /// map_memory::make_part; without it this thread may see the mutex before it is made.
    static snapshot_words<Sync>* snapshots_of(const map& m) noexcept {
        const rare_words<Sync>* const rare = m.rare.load(std::memory_order_acquire);
        return rare == nullptr ? nullptr : rare->snapshots.load(std::memory_order_acquire);
    }

    /// Returns whether the map was there before a fork that no hook prepared: no thread may wait for a lock of the map.
    static bool is_orphan(const map& m) noexcept { return m.made_by->orphaned.load(std::memory_order_relaxed); }

    /// Returns false for an orphan of which a lost thread was changing tables or lists. Called by the map's destructor.
    static bool is_whole(const map& m) noexcept {
        if (!is_orphan(m)) [[likely]]
            return true;
        if (m.scanning.load(std::memory_order_relaxed) || m.recycling.load(std::memory_order_relaxed)) return false;
        bool whole = true;
        m.each_thread_record([&](const auto& s) { whole = whole && s.table.load(std::memory_order_relaxed) == 0; });
        if (snapshot_words<Sync>* const made = snapshots_of(m)) {
            const std::unique_lock<typename Sync::mutex> lock(made->snapshot_mutex, std::try_to_lock);
            whole = whole && lock.owns_lock();
        }
        return whole;
    }

    static void before_fork() {
        all_writers& here = all_writers::instance();
        here.fork_mutex.lock();
        here.forking.store(true, std::memory_order_relaxed); // [F1]
        Sync::fence(); // (2) before the look at the hazard records: a thread that adds one or a list later finds `forking` set
        here.each_record([](writer& w) {
            lock(w);
            w.held_for_fork = true;
        });
        each_map(here, [](map& m) { // [F2]
            m.map->root_.fetch_or(map::forking, std::memory_order_acq_rel);
            Sync::fence_after_rmw(); // a thread that makes the mutex later finds the bit
            if (snapshot_words<Sync>* const made = snapshots_of(m)) {
                const std::lock_guard<typename Sync::mutex> guard(made->snapshot_mutex);
            }
        });
        if (!process<Sync>::instance().threads.barriers().heavy_barrier()) { // [F3] pairs with the light barrier of
                                                                             // section::enter
            let_writers_in(here);
            throw barrier_refused();
        }
        each_map(here, [](map& m) {
            m.each_thread_record([](auto& s) {
                // Writers that arrive meanwhile sleep, so the one in the section gets a processor.
                for (unsigned looks = 0; s.table.load(std::memory_order_acquire) != 0; ++looks) Sync::give_way(looks);
            });
        });
        each_map(here, [](map& m) { // [F4]
            for (auto* flag : {&m.scanning, &m.recycling}) {
                while (flag->exchange(true, std::memory_order_acquire)) Sync::pause();
            }
        });
        process<Sync>::instance().flights.before_fork();
        process<Sync>::instance().prepared_by.store(Sync::this_thread(), std::memory_order_relaxed);
    }

    static void after_fork_in_parent() {
        all_writers& here = all_writers::instance();
        process<Sync>::instance().prepared_by.store(nullptr, std::memory_order_relaxed);
        process<Sync>::instance().flights.after_fork_in_parent();
        open(here);
    }

    static void after_fork_in_child() {
        all_writers& here = all_writers::instance();
        process<Sync>& process = engine::process<Sync>::instance();
        process.renew_in_child();
        here.thread_records.renew();
        each_map(here, [](map& m) {
            if (snapshot_words<Sync>* const made = snapshots_of(m)) {
                ::new (static_cast<void*>(&made->snapshot_mutex)) typename Sync::mutex;
            }
            m.each_thread_record([](auto& s) { s.table.store(0, std::memory_order_relaxed); });
            m.overwrites.after_fork_in_child();
            m.sleepers.store(0, std::memory_order_relaxed);
            // A thread that was counting may have closed the gate.
            m.gate_word.store(gate::opened(m.gate_word.load(std::memory_order_relaxed)), std::memory_order_relaxed);
        });
        here.each_record([](writer& w) { // a lost thread made it after [F1]: its list is empty
            if (!w.held_for_fork) unlock(w);
        });
        process.flights.after_fork_in_child(); // raises the counters of what the caller computes
        open(here);
    }

private:
    static void lock(writer& w) noexcept {
        for (unsigned attempt = 0; w.maps_locked.exchange(true, std::memory_order_acquire); ++attempt) Sync::back_off(attempt);
    }
    static void unlock(writer& w) noexcept { w.maps_locked.store(false, std::memory_order_release); }

    /// Calls `f(map)` for every map. Called by the thread that forks. (A list that was made after it took the locks is empty.)
    template <class F>
    static void each_map(const all_writers& here, F f) {
        here.each_record([&](writer& w) {
            for (map* m = w.held_for_fork ? w.first_map : nullptr; m != nullptr; m = m->following) f(*m);
        });
    }

    static void open(all_writers& here) {
        each_map(here, [](map& m) {
            for (auto* flag : {&m.recycling, &m.scanning}) flag->store(false, std::memory_order_release);
        });
        let_writers_in(here);
    }
    static void let_writers_in(all_writers& here) {
        each_map(here, [](map& m) { m.map->root_.fetch_and(~map::forking, std::memory_order_acq_rel); });
        here.forking.store(false, std::memory_order_release);
        here.each_record([](writer& w) {
            if (std::exchange(w.held_for_fork, false)) unlock(w);
        });
        here.fork_mutex.unlock();
    }
};

} // namespace syncmap::engine
