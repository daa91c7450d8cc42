// A reader/writer mutex under which readers that keep coming cannot keep a writer out.
#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>

namespace syncmap {

/// `std::shared_mutex` with a turnstile before it. The standard does not say whether readers or writers come first. The usual
/// implementations admit readers while others read, so a few busy readers can keep a writer waiting for minutes.
/// Here a reader that finds a writer waiting queues behind it: a writer waits for the readers that are inside and
/// for earlier writers, never for later readers.
///
/// Not recursive, shared or not. A reader's fast path costs one relaxed load more than `std::shared_mutex`.
/// The turnstile is the classic solution to the "no starve" readers-writers problem (Downey, The Little Book of
/// Semaphores, 4.2.3). While no writer waits, the counter saves the readers the turnstile.
class fair_shared_mutex {
public:
    fair_shared_mutex() = default; // constexpr where std::shared_mutex and std::mutex are
    fair_shared_mutex(const fair_shared_mutex&) = delete;
    fair_shared_mutex& operator=(const fair_shared_mutex&) = delete;

    void lock() {
        if (mutex_.try_lock()) return;
        // relaxed, as every access to `writers_waiting_`: it only chooses whether a reader queues; `mutex_` alone excludes.
        writers_waiting_.fetch_add(1, std::memory_order_relaxed);
        {
            const std::lock_guard turn(turnstile_);
            mutex_.lock();
        }
        writers_waiting_.fetch_sub(1, std::memory_order_relaxed);
    }
    bool try_lock() { return mutex_.try_lock(); }
    void unlock() { mutex_.unlock(); }

    void lock_shared() {
        if (writers_waiting_.load(std::memory_order_relaxed) == 0) return mutex_.lock_shared();
        const std::lock_guard turn(turnstile_);
        mutex_.lock_shared();
    }
    bool try_lock_shared() { return writers_waiting_.load(std::memory_order_relaxed) == 0 && mutex_.try_lock_shared(); }
    void unlock_shared() { mutex_.unlock_shared(); }

private:
    std::shared_mutex mutex_;
    std::mutex turnstile_;
    std::atomic<unsigned> writers_waiting_{0};
};

} // namespace syncmap
