// The order of removals, for the listener `on_removal_in_order`: removals of one key are told in the order in which they
// happened.
//
// Keys share 64 queues, by their hashes. A thread that takes an entry out of its slot draws a *ticket* of the queue before,
// with the bucket's lock: so the tickets of one key are in the order of its removals. When it has left the lock it hands the
// entry in, with nothing locked. An entry whose ticket is the next one goes to the end of the queue. One that was handed in
// before an earlier one waits beside the queue until that comes.
//
// At the end of its operation the thread tells the queue's removals, its own and others', unless another thread does so: that
// one then goes on until the queue is empty. So no thread waits for a listener, and a listener may use the cache.
//
// The word that links removed nodes has the link, the reason and 16 bits of the ticket. A thread that is so many tickets ahead
// of one that has not handed in yet waits for it: that takes a few instructions.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <syncmap/detail/cache_line.hpp>

namespace syncmap {

enum class removal : unsigned char;

namespace cache_detail {

template <class Entry, class Sync>
class removal_order {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

public:
    using queues = std::uint64_t; ///< one bit each

    removal_order() = default;
    removal_order(const removal_order&) = delete;
    removal_order& operator=(const removal_order&) = delete;
    ~removal_order() = default;

    /// With the lock of the bucket of an entry with the hash, before the entry leaves its slot. Each ticket is handed in.
    std::uint64_t draw(std::uint64_t hash) noexcept {
        // relaxed: the bucket's lock orders what is drawn for one key.
        return of(hash).tickets.fetch_add(1, std::memory_order_relaxed);
    }

    /// Takes the entry over. Returns the bit of its queue. With nothing locked.
    queues hand_in(Entry& gone, removal why, std::uint64_t ticket) noexcept {
        queue& q = of(gone.hash());
        for (unsigned looks = 0;; Sync::give_way(looks++)) {
            const std::unique_lock<typename Sync::mutex> turn(q.mutex);
            if (ticket - q.next >= most_ahead) continue;
            gone.next_label = label(ticket, why);
            if (ticket == q.next) {
                q.append(gone);
                while (q.early != nullptr && is_ticket(*q.early, q.next)) q.append(*std::exchange(q.early, link(*q.early)));
            } else {
                q.keep_early(gone, ticket);
            }
            return queues{1} << (gone.hash() >> shift);
        }
    }

    /// Calls `f(entry, reason)`, which takes the entry over, for what the queues have, unless another thread does. With nothing
    /// locked.
    template <class F>
    void tell(queues which, F f) noexcept {
        for (; which != 0; which &= which - 1) tell_queue(queues_[static_cast<std::size_t>(std::countr_zero(which))], f);
    }

private:
    static constexpr int shift = 58;
    static constexpr std::size_t queue_count = std::size_t{1} << (64 - shift);
    static constexpr std::uint64_t most_ahead = std::uint64_t{1} << 15;
    static constexpr int ticket_shift = 48;
    static constexpr std::uint64_t reasons = 7; ///< the bits of a node's address that are 0
    static constexpr std::uint64_t link_mask = ((std::uint64_t{1} << ticket_shift) - 1) & ~reasons;

    static std::uint64_t label(std::uint64_t ticket, removal why) noexcept {
        return ticket << ticket_shift | static_cast<std::uint64_t>(why);
    }
    static Entry* link(const Entry& e) noexcept {
        return reinterpret_cast<Entry*>(static_cast<std::uintptr_t>(e.next_label & link_mask));
    }
    static void set_link(Entry& e, const Entry* next) noexcept {
        e.next_label = (e.next_label & ~link_mask) | (reinterpret_cast<std::uintptr_t>(next) & link_mask);
    }
    static bool is_ticket(const Entry& e, std::uint64_t ticket) noexcept {
        return e.next_label >> ticket_shift == (ticket & 0xFFFF);
    }
    /// How many tickets the entry is behind `ticket`.
    static std::uint64_t distance(const Entry& e, std::uint64_t ticket) noexcept {
        return ((e.next_label >> ticket_shift) - ticket) & 0xFFFF;
    }

    struct alignas(detail::cache_line_bytes) queue {
        atomic<std::uint64_t> tickets{0};
        // ---- under the mutex ----
        typename Sync::mutex mutex{};
        std::uint64_t next = 0; ///< the ticket that comes to the end of the queue next
        Entry* first = nullptr;
        Entry* last = nullptr; ///< if there is a first one
        Entry* early = nullptr; ///< in the order of their tickets
        bool is_told = false; ///< a thread does
        void append(Entry& e) noexcept {
            set_link(e, nullptr);
            if (first == nullptr) {
                first = std::addressof(e);
            } else {
                set_link(*last, std::addressof(e));
            }
            last = std::addressof(e);
            ++next;
        }
        void keep_early(Entry& e, std::uint64_t ticket) noexcept {
            Entry* before = nullptr;
            Entry* after = early;
            while (after != nullptr && distance(*after, next) < ticket - next) after = link(*(before = after));
            set_link(e, after);
            if (before == nullptr) {
                early = std::addressof(e);
            } else {
                set_link(*before, std::addressof(e));
            }
        }
    };
    queue& of(std::uint64_t hash) noexcept { return queues_[static_cast<std::size_t>(hash >> shift)]; }

    template <class F>
    static void tell_queue(queue& q, F& f) noexcept {
        std::unique_lock<typename Sync::mutex> turn(q.mutex);
        if (q.is_told) return;
        q.is_told = true;
        while (q.first != nullptr) {
            Entry& gone = *std::exchange(q.first, link(*q.first));
            turn.unlock();
            f(gone, static_cast<removal>(gone.next_label & reasons));
            turn.lock();
        }
        q.is_told = false;
    }

    queue queues_[queue_count];
};

} // namespace cache_detail

} // namespace syncmap
