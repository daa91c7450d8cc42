// A process-wide table of queues of sleeping threads, keyed by address: what threads wait for needs no room for its waiters.
// (Idea: the parking lot of WebKit.) parking.hpp and wake_chain.hpp say which threads sleep, and when they are woken.
//
// Events wake threads in a chain: the first woken thread wakes the next ones, and so on. So the thread that causes an event
// wakes one thread, and the others do not all run at once. Events are numbered. A thread that falls asleep again waits for a
// later event, and the chain of the earlier one does not reach it. Otherwise two woken threads would wake each other for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>

namespace syncmap::sync {

template <class Sync>
struct waiter {
    const void* const address;
    std::uint32_t event;        ///< the one it waits for, then the one that woke it
    const bool watches = false; ///< its thread does not sleep, but looks again and again
    bool woken = false;         ///< and taken out of the queue
    waiter* next = nullptr;
    typename Sync::condition signal{};

    /// Numbers begin anew after the last one.
    bool sleeps_until(const void* a, std::uint32_t e) const noexcept {
        return !watches && address == a && static_cast<std::int32_t>(event - e) <= 0;
    }
};

/// Everything under `lock`.
template <class Sync>
struct wait_queue {
    typename Sync::mutex lock{};
    std::uint32_t events = 0; ///< how many events there were, where their causes do not number them
    waiter<Sync>* first = nullptr;
    waiter<Sync>** end = &first; ///< the link behind the last one

    bool is_watched(const void* address, std::uint32_t event) const noexcept {
        const waiter<Sync>* w = first;
        while (w != nullptr && !(w->watches && w->address == address && w->event == event)) w = w->next;
        return w != nullptr;
    }
    void append(waiter<Sync>& w) noexcept {
        *end = &w;
        end = &w.next;
    }
    void remove(waiter<Sync>& w) noexcept {
        waiter<Sync>** link = &first;
        while (*link != &w) link = &(*link)->next;
        take(link);
    }
    /// Wakes the thread that has slept there for the longest time, for this event or an earlier one. The caller keeps the lock
    /// until this returns: the sleeper destroys its condition as soon as it gets the lock.
    void wake_first(const void* address, std::uint32_t event) noexcept {
        waiter<Sync>** link = &first;
        while (*link != nullptr && !(*link)->sleeps_until(address, event)) link = &(*link)->next;
        if (waiter<Sync>* const w = *link) {
            take(link);
            w->event = event;
            w->woken = true;
            w->signal.notify_all();
        }
    }

private:
    void take(waiter<Sync>** link) noexcept {
        if (end == &(*link)->next) end = link;
        *link = (*link)->next;
    }
};

/// `Count`: a power of two.
template <class Sync, std::size_t Count, class Queue = wait_queue<Sync>>
class wait_queues {
public:
    Queue& of(const void* address) noexcept {
        const auto a = reinterpret_cast<std::uintptr_t>(address);
        return queues_[((a * 0x9E3779B97F4A7C15U) >> 32) % Count];
    }
    /// Called in the child of a fork, in which the threads that waited, or were about to, do not exist.
    void renew() noexcept {
        for (Queue& q : queues_) ::new (static_cast<void*>(&q)) Queue;
    }

private:
    Queue queues_[Count];
};

} // namespace syncmap::sync
