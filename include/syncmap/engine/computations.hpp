// Keys that some thread is computing right now, for `load_or_compute` and `update`: one owner per key, sleeping
// waiters, and a named error instead of a deadlock.
//
// Entries lie on their owners' stacks: nothing is allocated. A registry is process-wide, since a cycle of waiting
// threads may run through several maps. Keys are compared by user code with no lock held: the entry is kept
// alive by `users`, for which its owner waits before it leaves.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>

#include <syncmap/errors.hpp>

namespace syncmap::engine {

template <class Sync>
class [[gnu::visibility("default")]] computations {
public:
    /// One owned key. Made by `enter`, ended by `leave`.
    class entry {
    public:
        entry(const void* map, std::uint64_t hash, const void* key) noexcept : map_(map), hash_(hash), key_(key) {}
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;

        /// The counter by which the owner tells writers of its computation; written by the owner alone.
        typename Sync::template atomic<std::uint32_t>* mark = nullptr;

    private:
        friend computations;
        const void* const map_;
        const std::uint64_t hash_;
        const void* const key_;
        const void* const owner_ = Sync::this_thread();
        // All below under the queue's lock.
        entry* next_ = nullptr;
        int users_ = 0;
        bool left_ = false;
        typename Sync::condition changed_{};
    };

    /// Owns the key of `mine`, waiting until no other thread does. `same_key(const void*)` compares with the key of
    /// another entry of this map and hash; it may throw, and nothing has happened then.
    /// Throws `recursive_update` when this thread owns the key already, or waiting would close a cycle.
    template <class SameKey>
    void enter(entry& mine, SameKey same_key) {
        queue& q = queue_of(mine.hash_);
        std::unique_lock<typename Sync::mutex> guard(q.lock);
        for (;;) {
            const std::uint64_t seen = q.entries_added;
            if (entry* const other = find(q, guard, mine, same_key)) {
                wait_for(*other, guard);
            } else if (q.entries_added == seen) {
                break;
            }
        }
        add(q, mine);
    }

    /// The same without waiting. False: another thread owns the key, and nothing has happened.
    template <class SameKey>
    [[nodiscard]] bool try_enter(entry& mine, SameKey same_key) {
        queue& q = queue_of(mine.hash_);
        std::unique_lock<typename Sync::mutex> guard(q.lock);
        for (;;) {
            const std::uint64_t seen = q.entries_added;
            if (const entry* const other = find(q, guard, mine, same_key)) {
                if (other->owner_ == mine.owner_) throw recursive_update();
                return false;
            }
            if (q.entries_added == seen) break;
        }
        add(q, mine);
        return true;
    }

    /// Waits until the owner that the key of `mine` has now, if any, is another one or none. Owns nothing afterwards.
    /// Throws as `enter`.
    template <class SameKey>
    void wait_for_owner(const entry& mine, SameKey same_key) {
        queue& q = queue_of(mine.hash_);
        std::unique_lock<typename Sync::mutex> guard(q.lock);
        if (entry* const other = find(q, guard, mine, same_key)) wait_for(*other, guard);
    }

    void leave(entry& mine) {
        queue& q = queue_of(mine.hash_);
        std::unique_lock<typename Sync::mutex> guard(q.lock);
        mine.left_ = true;
        mine.changed_.notify_all();
        while (mine.users_ != 0) mine.changed_.wait(guard);
        entry** link = &q.first;
        while (*link != &mine) link = &(*link)->next_;
        *link = mine.next_;
    }

    // ---- fork; see table/living_maps.hpp ----

    /// Takes every lock: nobody is in the middle of a change. (The thread sanitizer allows a thread 64 locks.)
    void before_fork() {
        for (queue& q : queues_) q.lock.lock();
        waits_lock_.lock();
    }
    void after_fork_in_parent() {
        waits_lock_.unlock();
        for (queue& q : queues_) q.lock.unlock();
    }
    /// Keeps what the calling thread owns. The others are gone, and those that waited with them.
    void after_fork_in_child() {
        const void* const me = Sync::this_thread();
        waits_ = nullptr;
        for (queue& q : queues_) {
            for (entry** link = &q.first; *link != nullptr;) {
                entry& e = **link;
                if (e.owner_ != me) {
                    *link = e.next_;
                    continue;
                }
                e.users_ = 0;
                ::new (static_cast<void*>(&e.changed_)) typename Sync::condition; // nobody wakes up in the old one
                if (e.mark != nullptr) e.mark->fetch_add(1, std::memory_order_relaxed);
                link = &e.next_;
            }
        }
        after_fork_in_parent();
    }

private:
    struct queue {
        typename Sync::mutex lock;
        entry* first = nullptr;
        std::uint64_t entries_added = 0;
    };

    /// A thread that waits for an entry; on its stack, in a list under `waits_lock_`.
    struct wait_record {
        const void* thread;
        const entry* target;
        wait_record* next;
    };

    /// Keeps an entry in its queue while the guard is released.
    class use {
    public:
        use(entry& e, std::unique_lock<typename Sync::mutex>& guard) noexcept : entry_(e), guard_(guard) { ++e.users_; }
        use(const use&) = delete;
        use& operator=(const use&) = delete;
        ~use() {
            if (!guard_.owns_lock()) guard_.lock();
            if (--entry_.users_ == 0) entry_.changed_.notify_all();
        }

    private:
        entry& entry_;
        std::unique_lock<typename Sync::mutex>& guard_;
    };

    static void add(queue& q, entry& mine) noexcept {
        mine.left_ = false; // it may have been here before
        mine.next_ = q.first;
        q.first = &mine;
        ++q.entries_added;
    }

    /// Looks through the queue once for an entry with the key of `mine`; it stays while the guard is held. Null: look
    /// again if entries were added meanwhile.
    template <class SameKey>
    static entry* find(queue& q, std::unique_lock<typename Sync::mutex>& guard, const entry& mine, SameKey& same_key) {
        for (entry* e = q.first; e != nullptr; e = e->next_) {
            if (e->left_ || e->map_ != mine.map_ || e->hash_ != mine.hash_) continue;
            const use in_use(*e, guard);
            guard.unlock();
            const bool same = same_key(e->key_);
            guard.lock();
            if (same && !e->left_) return e;
        }
        return nullptr;
    }

    void wait_for(entry& e, std::unique_lock<typename Sync::mutex>& guard) {
        const use in_use(e, guard);
        wait_record mine{Sync::this_thread(), &e, nullptr};
        {
            const std::lock_guard<typename Sync::mutex> waits(waits_lock_);
            // Each thread waits for one entry at most, so this walk follows one chain; every entry in it is kept
            // alive by the thread that waits for it.
            for (const void* thread = e.owner_; thread != nullptr;) {
                if (thread == mine.thread) throw recursive_update();
                const wait_record* w = waits_;
                while (w != nullptr && w->thread != thread) w = w->next;
                thread = w == nullptr ? nullptr : w->target->owner_;
            }
            mine.next = waits_;
            waits_ = &mine;
        }
        while (!e.left_) e.changed_.wait(guard);
        const std::lock_guard<typename Sync::mutex> waits(waits_lock_);
        wait_record** link = &waits_;
        while (*link != &mine) link = &(*link)->next;
        *link = mine.next;
    }

    static constexpr std::size_t queues = 16;
    queue& queue_of(std::uint64_t hash) noexcept { return queues_[(hash >> 8) % queues]; }

    queue queues_[queues];
    typename Sync::mutex waits_lock_;
    wait_record* waits_ = nullptr;
};

} // namespace syncmap::engine
