// `fork` beside threads that write: all maps are brought to a state that the child, which has one thread of them all,
// can go on from.
//
// Each map is in the list of the thread that made it (writer_record.hpp): threads that make and destroy maps of their own
// do not meet.
//
// Before the fork, by the thread that will fork (it is in no section: user code never is, [I7]):
//
// [F1] `forking` is set, then every list's lock is taken: no map appears or goes. A thread that takes the lock of a list
//      which did not exist yet finds `forking` set, lets go of the lock, and waits.
// [F2] Each map's root gets the bit `forking`; then its snapshot mutex, if it has one, is passed through once. No section
//      begins after that: who enters one looks at the root behind its own mark, as for any change of the root, and waits,
//      holding nothing. Who takes the snapshot mutex finds the bit and lets go again. Readers do not mind it: to them
//      the root has changed, and the table in it is the same.
// [F3] A heavy barrier; then each thread record is seen outside of a section once. Now no bucket is locked and nothing is
//      published or moved; what is in the tables is counted.
// [F4] `scanning` and `recycling` are taken, then the flights are closed. A thread that has one of those waits for no other
//      meanwhile; one that comes to the flights later waits until the fork is over, holding no lock.
//
// The parent lets go of all that. So does the child, after it has freed what the other threads had: it makes their
// thread records and hazard records empty, drops the computations that they own (as if their function had thrown), takes back
// the marks of those, and makes the mutexes and conditions anew that may have had somebody in them. What a lost thread had in
// its hands alone (a node that it was about to publish, a table that `clear` was taking apart) stays where it is,
// unused.
//
// The child of a fork that nobody prepared may read, and end. It is an *orphan*: a lost thread may have any lock, so its
// maps are destroyed without taking one, and without giving anything back that has to be locked for.
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

    /// Before it is published. Waits while the process is forking, as does `remove`.
    static void add(map& m, writer& by, typename Sync::template atomic<word>& root) {
        m.made_by = &by;
        m.root = &root;
        for (unsigned attempt = 0;; ++attempt) {
            lock(by);
            Sync::fence_after_rmw(); // between locking and the look at `forking`; pairs with the fence of before_fork
            if (!m.made_by->all->forking.load(std::memory_order_acquire)) break;
            unlock(by);
            Sync::back_off(attempt);
        }
        m.following = by.first_map;
        if (by.first_map != nullptr) by.first_map->previous = &m;
        by.first_map = &m;
        unlock(by);
    }
    static void remove(map& m) {
        if (is_orphan(m)) return;
        writer& by = *m.made_by;
        lock(by);
        (m.previous == nullptr ? by.first_map : m.previous->following) = m.following;
        if (m.following != nullptr) m.following->previous = m.previous;
        unlock(by);
    }

    /// The process is the child of a fork that nobody prepared: no lock can be waited for.
    static bool is_orphan(const map& m) noexcept { return m.made_by->all->orphaned.load(std::memory_order_relaxed); }

    static void before_fork() {
        all_writers& here = all_writers::instance();
        here.fork_mutex.lock();
        here.forking.store(true, std::memory_order_relaxed); // [F1]
        Sync::fence(); // before the hazard records are looked at: who adds a hazard record or a list later finds `forking` set
        here.each_record([](writer& w) {
            lock(w);
            w.held_for_fork = true;
        });
        each_map(here, [](map& m) { // [F2]
            m.root->fetch_or(map::forking, std::memory_order_acq_rel);
            Sync::fence_after_rmw(); // a mutex that is not here yet is made by a thread that finds the bit
            if (rare_words<Sync>* const rare = m.rare.load(std::memory_order_acquire)) {
                const std::lock_guard<typename Sync::mutex> guard(rare->snapshot_mutex);
            }
        });
        if (!process<Sync>::instance().threads.barriers().heavy_barrier()) { // [F3] pairs with the light barrier of
                                                                             // section::enter
            let_writers_in(here);
            throw barrier_refused();
        }
        each_map(here, [](map& m) {
            m.each_thread_record([](auto& s) {
                // The writers that come meanwhile sleep, so the one in the section gets a processor.
                for (unsigned looks = 0; s.table.load(std::memory_order_acquire) != nullptr; ++looks) Sync::give_way(looks);
            });
        });
        each_map(here, [](map& m) { // [F4]
            for (auto* flag : {&m.scanning, &m.recycling}) {
                while (flag->exchange(true, std::memory_order_acquire)) Sync::pause();
            }
        });
        process<Sync>::instance().flights.before_fork();
        here.prepared.store(true, std::memory_order_relaxed);
    }

    static void after_fork_in_parent() {
        all_writers& here = all_writers::instance();
        here.prepared.store(false, std::memory_order_relaxed);
        process<Sync>::instance().flights.after_fork_in_parent();
        open(here);
    }

    static void after_fork_in_child() {
        all_writers& here = all_writers::instance();
        process<Sync>& process = engine::process<Sync>::instance();
        process.threads.free_hazard_records_of_others();
        process.parking.renew();
        process.gates.renew();
        here.thread_records.renew();
        each_map(here, [](map& m) {
            if (rare_words<Sync>* const rare = m.rare.load(std::memory_order_relaxed)) {
                ::new (static_cast<void*>(&rare->snapshot_mutex)) typename Sync::mutex;
            }
            m.each_thread_record([](auto& s) { s.table.store(nullptr, std::memory_order_relaxed); });
            m.sleepers.store(0, std::memory_order_relaxed);
            // A thread that was counting may have closed it.
            m.gate_word.store(gate::opened(m.gate_word.load(std::memory_order_relaxed)), std::memory_order_relaxed);
        });
        here.each_record([](writer& w) { // made since by a thread that is lost: its list is empty
            if (!w.held_for_fork) unlock(w);
        });
        for (auto& counter : process.computing) counter.store(0, std::memory_order_relaxed);
        process.flights.after_fork_in_child(); // marks again what the caller computes
        open(here);
    }

private:
    static void lock(writer& w) noexcept {
        for (unsigned attempt = 0; w.maps_locked.exchange(true, std::memory_order_acquire); ++attempt) Sync::back_off(attempt);
    }
    static void unlock(writer& w) noexcept { w.maps_locked.store(false, std::memory_order_release); }

    /// By the thread that forks. (A list that came after it has taken the locks is empty.)
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
        each_map(here, [](map& m) { m.root->fetch_and(~map::forking, std::memory_order_acq_rel); });
        here.forking.store(false, std::memory_order_release);
        here.each_record([](writer& w) {
            if (std::exchange(w.held_for_fork, false)) unlock(w);
        });
        here.fork_mutex.unlock();
    }
};

} // namespace syncmap::engine
