// `fork` beside threads that write: all maps are brought to a state that the child, which has one thread of them all,
// can go on from.
//
// Before the fork, by the thread that will fork (it is in no section: user code never is, [I7]):
//
// [F1] The list's mutex is taken: no map appears or goes.
// [F2] Each map's root gets the bit `forking`, under its snapshot mutex, which is let go of again. No section begins
//      after that: who enters one looks at the root behind its own mark, as for any change of the root, and waits,
//      holding nothing. Who takes the snapshot mutex finds the bit and lets go again. Readers do not mind it: to them
//      the root has changed, and the table in it is the same.
// [F3] A heavy barrier; then each stripe is seen outside of a section once. Now no unit is locked and nothing is
//      published or moved; what is in the tables is counted.
// [F4] `scanning` and `tidying` are taken, then the registry's locks. Who has one of those waits for nobody meanwhile.
//
// The parent lets go of all that. So does the child, after it has freed what the other threads had: it makes their
// stripes and rows empty, drops the computations that they own (as if their function had thrown), takes back the marks
// of those, and makes the mutexes and conditions anew that may have had somebody in them. What a lost thread had in
// its hands alone (a node that it was about to publish, a table that `clear` was taking apart) stays where it is,
// unused.
#pragma once

#include <atomic>
#include <mutex>
#include <new>

#include <syncmap/engine/table/shared_words.hpp>

namespace syncmap::engine {

template <class Sync>
class [[gnu::visibility("default")]] living_maps {
public:
    using map = shared_words<Sync>;

    static living_maps& instance() { return Sync::template process_wide<living_maps>(); }

    /// Before it is published. Waits while the process is forking, as does `remove`.
    void add(map & m, typename Sync::template atomic<word> & root) {
        const std::lock_guard<typename Sync::mutex> guard(mutex_);
        m.list = this;
        m.root = &root;
        m.following = first_;
        if (first_ != nullptr) first_->previous = &m;
        first_ = &m;
    }
    void remove(map & m) {
        const std::lock_guard<typename Sync::mutex> guard(mutex_);
        (m.previous == nullptr ? first_ : m.previous->following) = m.following;
        if (m.following != nullptr) m.following->previous = m.previous;
    }

    void before_fork() {
        mutex_.lock();                                          // [F1]
        for (map* m = first_; m != nullptr; m = m->following) { // [F2]
            const std::lock_guard<typename Sync::mutex> guard(m->snapshot_mutex);
            m->root->fetch_or(map::forking, std::memory_order_acq_rel);
        }
        while (!Sync::heavy_barrier()) Sync::pause(); // [F3] pairs with the light barrier of section::enter
        for (map* m = first_; m != nullptr; m = m->following) {
            m->each_stripe([](auto& s) {
                while (s.table.load(std::memory_order_acquire) != nullptr) Sync::pause();
            });
        }
        for (map* m = first_; m != nullptr; m = m->following) { // [F4]
            for (auto* flag : {&m->scanning, &m->tidying}) {
                while (flag->exchange(true, std::memory_order_acquire)) Sync::pause();
            }
        }
        process<Sync>::instance().registry.before_fork();
    }

    void after_fork_in_parent() {
        process<Sync>::instance().registry.after_fork_in_parent();
        open();
    }

    void after_fork_in_child() {
        process<Sync>& here = process<Sync>::instance();
        here.threads.free_rows_of_others();
        here.parking.renew();
        for (map* m = first_; m != nullptr; m = m->following) {
            ::new (static_cast<void*>(&m->snapshot_mutex)) typename Sync::mutex;
            m->each_stripe([](auto& s) { s.table.store(nullptr, std::memory_order_relaxed); });
            m->sleepers.store(0, std::memory_order_relaxed);
            for (auto& counter : m->computing) counter.store(0, std::memory_order_relaxed);
        }
        here.registry.after_fork_in_child(); // marks again what the caller computes
        open();
    }

private:
    void open() {
        for (map* m = first_; m != nullptr; m = m->following) {
            for (auto* flag : {&m->tidying, &m->scanning}) flag->store(false, std::memory_order_release);
            m->root->fetch_and(~map::forking, std::memory_order_acq_rel);
        }
        mutex_.unlock();
    }

    typename Sync::mutex mutex_;
    map* first_ = nullptr;
};

} // namespace syncmap::engine
