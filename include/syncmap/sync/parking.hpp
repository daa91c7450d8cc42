// Queues of sleeping writers that found a bucket locked. So the lock in the bucket is one bit.
//
// An unlocking thread calls `wake` in the section of its write, and a snapshot waits for the end of that section. So it takes
// the lock of a queue only if a thread sleeps in that queue, and it wakes one thread. The woken thread wakes the next one,
// since it may no longer need the bucket's lock itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include <syncmap/sync/wait_queues.hpp>

namespace syncmap::sync {

template <class Sync>
class [[gnu::visibility("default")]] parking {
    using counter = typename Sync::template atomic<std::uint32_t>;

public:
    /// Sleeps while `still_locked()`, until woken; about a millisecond where the system refuses barriers. The caller looks
    /// again. `sleepers` is the word that the unlocking thread reads before it calls `wake`; `barriers` is that of the group
    /// of threads that unlock.
    ///
    /// The sleeper raises both counts and passes the barrier before it looks at the lock again. So either the sleeper sees the
    /// lock released, or the unlocking thread sees both counts.
    template <class StillLocked>
    [[gnu::cold]] void sleep(const void* address, counter& sleepers, const typename Sync::barrier_group& barriers,
                             StillLocked still_locked) {
        counted_queue& q = queues_.of(address);
        sleepers.fetch_add(1, std::memory_order_seq_cst);
        q.sleepers.fetch_add(1, std::memory_order_seq_cst);
        const bool certain = barriers.heavy_barrier();
        {
            std::unique_lock<typename Sync::mutex> guard(q.lock);
            if (still_locked()) {
                waiter<Sync> me{address, q.events + 1};
                q.append(me);
                // Without a time limit: many threads that look again every millisecond keep the owner of the lock from the
                // processor. Where the system refused the barrier, only the limit ends the sleep for certain.
                if (certain) {
                    while (!me.woken) me.signal.wait(guard);
                } else {
                    me.signal.wait_briefly(guard);
                }
                if (me.woken) {
                    q.wake_first(address, me.event);
                } else {
                    q.remove(me);
                }
            }
        }
        q.sleepers.fetch_sub(1, std::memory_order_relaxed);
        sleepers.fetch_sub(1, std::memory_order_relaxed);
    }

    /// Wakes a thread that sleeps on `address`, and by it all that sleep there now.
    [[gnu::cold, gnu::noinline]] void wake(const void* address) {
        counted_queue& q = queues_.of(address);
        // relaxed: the caller's light barrier pairs with the heavy barrier of `sleep`, for this count as well.
        if (q.sleepers.load(std::memory_order_relaxed) == 0) return;
        // Under the queue's lock: without it this may miss a sleeper between its look at the bucket's lock and its wait.
        const std::lock_guard<typename Sync::mutex> guard(q.lock);
        q.wake_first(address, ++q.events);
    }

    void renew() noexcept { queues_.renew(); }

private:
    struct counted_queue : wait_queue<Sync> {
        counter sleepers{0}; ///< threads in `sleep`
    };
    wait_queues<Sync, 64, counted_queue> queues_;
};

} // namespace syncmap::sync
