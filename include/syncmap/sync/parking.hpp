// Where writers sleep that found a unit locked: a process-wide table of queues, keyed by address, so that a
// lock is one bit and needs no room for its waiters. (Idea: the parking lot of WebKit.)
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>

namespace syncmap::sync {

template <class Sync>
class [[gnu::visibility("default")]] parking {
public:
    /// Sleeps while `still_locked()`, until woken, or about a millisecond. `sleepers` is the word that the
    /// unlocking thread reads: it is raised, and the barrier passed, before the lock is looked at again, so
    /// either the sleeper sees the lock released or the other sees a sleeper.
    template <class StillLocked>
    void sleep(const void* address, typename Sync::template atomic<std::uint32_t>& sleepers, StillLocked still_locked) {
        queue& q = queue_of(address);
        std::unique_lock<typename Sync::mutex> guard(q.lock);
        sleepers.fetch_add(1, std::memory_order_seq_cst);
        // A refused barrier leaves the time limit as the only help.
        (void)Sync::heavy_barrier();
        if (still_locked()) q.woken.wait_briefly(guard);
        sleepers.fetch_sub(1, std::memory_order_relaxed);
    }

    [[gnu::noinline]] void wake(const void* address) {
        queue& q = queue_of(address);
        // Taken so that a sleeper between its look at the lock and its wait is not passed over.
        const std::lock_guard<typename Sync::mutex> guard(q.lock);
        q.woken.notify_all();
    }

    /// In the child of a fork: who slept, or was about to, is gone.
    void renew() noexcept {
        for (queue& q : queues_) ::new (static_cast<void*>(&q)) queue;
    }

private:
    struct queue {
        typename Sync::mutex lock;
        typename Sync::condition woken;
    };
    static constexpr std::size_t queues = 64;

    queue& queue_of(const void* address) noexcept {
        const auto a = reinterpret_cast<std::uintptr_t>(address);
        return queues_[(a * 0x9E3779B97F4A7C15U) >> 58];
    }

    queue queues_[queues];
};

} // namespace syncmap::sync
