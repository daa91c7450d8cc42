// Queues in which many threads wait for one event, and are woken in a chain.
//
// The thread that causes the event makes no system call: a call that wakes a thread may cost its caller the processor. The
// first thread that waits for an event is its watcher: it looks again and again, and sleeps for some microseconds between two
// looks. All later ones sleep until they are woken. The watcher wakes two of them when the event has come, and each woken
// sleeper wakes two others.
#pragma once

#include <cstdint>
#include <mutex>

#include <syncmap/sync/wait_queues.hpp>

namespace syncmap::sync {

template <class Sync>
class [[gnu::visibility("default")]] wake_chain {
public:
    /// Waits until one of three: `is_over()` returns true (this event of the address has come), `limit` is over, or a watcher
    /// has left. The caller looks again. An event never becomes pending again: its number is not reused.
    template <class IsOver>
    [[gnu::cold]] void sleep(const void* address, std::uint32_t event, const typename Sync::deadline& limit, IsOver is_over) {
        wait_queue<Sync>& q = queues_.of(address);
        std::unique_lock<typename Sync::mutex> guard(q.lock);
        // Under the lock: a watcher that has seen the event has left already, or wakes this thread when it leaves.
        if (is_over()) return;
        waiter<Sync> me{address, event, !q.is_watched(address, event)};
        q.append(me);
        if (me.watches) {
            guard.unlock();
            for (unsigned looks = 0; !is_over() && !limit.over(); ++looks) Sync::give_way(looks);
            guard.lock();
            q.remove(me); // also if the limit is over: the threads that still sleep need another watcher
        } else {
            while (!me.woken && me.signal.wait_until(guard, limit)) {}
            if (!me.woken) {
                q.remove(me);
                return;
            }
        }
        for (int i = 0; i < passed_on; ++i) q.wake_first(address, me.event);
    }

    void renew() noexcept { queues_.renew(); }

private:
    static constexpr int passed_on = 2;
    wait_queues<Sync, 16> queues_;
};

} // namespace syncmap::sync
