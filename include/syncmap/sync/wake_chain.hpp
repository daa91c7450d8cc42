// Where many threads sleep until one event, and how they go on without a rush: a process-wide table of queues by address.
// The thread that causes the event wakes one sleeper. Each woken sleeper wakes the next two. So the first thread returns at
// once, and no processor gets a crowd of woken threads before it.
//
// The events of an address are numbered. A thread that falls asleep again waits for a later event, and the chain of the
// earlier one does not reach it: two woken threads would wake each other for ever otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>

namespace syncmap::sync {

template <class Sync>
class [[gnu::visibility("default")]] wake_chain {
public:
    /// Sleeps until another thread calls `wake` for this address and event or a later one, or passes that call on, or until
    /// `limit` is over. `awaited_event()` returns the number of the event; 0: it has come, and there is no sleep. That function
    /// runs under the queue's lock, and leaves a note for the thread that causes the event: a thread that finds the
    /// note calls `wake`, which takes the same lock. So no call is missed.
    template <class AwaitedEvent>
    void sleep(const void* address, const typename Sync::lease& limit, AwaitedEvent awaited_event) {
        queue& q = queue_of(address);
        std::unique_lock<typename Sync::mutex> guard(q.lock);
        const std::uint32_t event = awaited_event();
        if (event == 0) return;
        sleeper me(address, event);
        q.append(me);
        while (!me.woken && me.signal.wait_until(guard, limit)) {}
        if (me.woken) {
            for (int i = 0; i < passed_on; ++i) q.wake_first(address, me.event);
        } else {
            q.remove(me);
        }
    }

    /// Wakes the thread that has slept on `address` for the longest time, for this event or an earlier one; that one wakes
    /// others.
    [[gnu::cold, gnu::noinline]] void wake(const void* address, std::uint32_t event) {
        queue& q = queue_of(address);
        const std::lock_guard<typename Sync::mutex> guard(q.lock);
        q.wake_first(address, event);
    }

    /// In the child of a fork: the threads that slept are gone.
    void renew() noexcept {
        for (queue& q : queues_) ::new (static_cast<void*>(&q)) queue;
    }

private:
    static constexpr int passed_on = 2;
    static constexpr std::size_t queues = 16;

    struct sleeper {
        sleeper(const void* a, std::uint32_t e) noexcept : address(a), event(e) {}
        const void* const address;
        std::uint32_t event; ///< the one it waits for, then the one that woke it
        sleeper* next = nullptr;
        bool woken = false; ///< and taken out of the queue
        typename Sync::condition signal{};

        /// Numbers begin anew after the last one.
        bool waits_for(const void* a, std::uint32_t e) const noexcept {
            return address == a && static_cast<std::int32_t>(event - e) <= 0;
        }
    };

    struct queue {
        typename Sync::mutex lock{};
        sleeper* first = nullptr;
        sleeper** end = &first; ///< the link behind the last one

        void append(sleeper& s) noexcept {
            *end = &s;
            end = &s.next;
        }
        void remove(sleeper& s) noexcept {
            sleeper** link = &first;
            while (*link != &s) link = &(*link)->next;
            take(link);
        }
        /// Under the lock to the end: the sleeper's condition goes with it.
        void wake_first(const void* address, std::uint32_t event) noexcept {
            sleeper** link = &first;
            while (*link != nullptr && !(*link)->waits_for(address, event)) link = &(*link)->next;
            if (sleeper* const s = *link) {
                take(link);
                s->event = event;
                s->woken = true;
                s->signal.notify_all();
            }
        }

    private:
        void take(sleeper** link) noexcept {
            if (end == &(*link)->next) end = link;
            *link = (*link)->next;
        }
    };

    queue& queue_of(const void* address) noexcept {
        const auto a = reinterpret_cast<std::uintptr_t>(address);
        return queues_[(a * 0x9E3779B97F4A7C15U) >> 60];
    }

    queue queues_[queues];
};

} // namespace syncmap::sync
