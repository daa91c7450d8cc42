// What each thread writes for a cache beside the table: its counts, and its tickets for the small queue. Some cache lines a
// thread, so threads do not meet there.
//
// A lane belongs to the thread whose slot number it has. The threads beyond share the last lane, and count by
// read-modify-writes there. Only tickets and ticks are plain words: their thread alone uses them, and the next
// thread with that slot number goes on with them.
//
// A thread that uses the policy tables is *in* its lane: they are freed when a lane was seen at rest (policy_tables.hpp).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

/// What is counted.
enum class counted : unsigned char {
    hit,
    miss,
    insert,
    eviction,
    load,
    failed_load,
    remembered,
    stale_dropped,
    erased,
    replaced,
    expiration,
    kinds
};

template <class Sync>
struct alignas(detail::cache_line_bytes) lane {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    atomic<std::uint64_t> counts[static_cast<std::size_t>(counted::kinds)] = {};
    atomic<std::uint64_t> ticks{0}; ///< puts of new keys
    atomic<std::uint32_t> users{0}; ///< how many puts use the policy tables: more than one, where a put calls another
    atomic<bool> probably_inserts{true}; ///< the thread's last put was of a new key
    bool is_exclusive = true;
    // ---- tickets: positions of the small queue that the thread uses next ----
    std::uint8_t used = 0;
    std::uint8_t lines_left = 0;
    std::uint32_t tickets_of = 0; ///< which small queue; 0: none
    std::uint64_t ticket = 0;
    std::uint64_t next_ticket = 0;
    void* ring_lines[2] = {}; ///< of the small queue: the positions of `ticket`, those of `next_ticket`

    void count(counted what) noexcept { increment(counts[static_cast<std::size_t>(what)]); }
    /// Of a lane that belongs to one thread, by that thread.
    void count_alone(counted what) noexcept { increment_alone(counts[static_cast<std::size_t>(what)]); }
    std::uint64_t tick() noexcept { return increment(ticks); }
    /// A put was of a new key, or overwrote an entry.
    void has_inserted(bool is_new) noexcept {
        if (probably_inserts.load(std::memory_order_relaxed) != is_new)
            probably_inserts.store(is_new, std::memory_order_relaxed);
    }

    /// Before the thread looks which policy tables are in use.
    [[gnu::always_inline]] void enter() noexcept {
        if (is_exclusive) [[likely]] {
            users.store(users.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        } else {
            users.fetch_add(1, std::memory_order_relaxed);
        }
        // Pairs with the heavy barrier of policy_memory::free_unused: that thread sees this one in its lane, or this one sees
        // the tables that are in use since.
        Sync::light_barrier();
    }
    /// When it does not use them any more.
    void leave() noexcept {
        // (1) release: pairs with the acquire of (2); without it the tables may be freed during this thread's last access.
        if (is_exclusive) [[likely]] {
            users.store(users.load(std::memory_order_relaxed) - 1, std::memory_order_release);
        } else {
            users.fetch_sub(1, std::memory_order_release);
        }
    }
    bool is_at_rest() const noexcept { return users.load(std::memory_order_acquire) == 0; } // (2)

private:
    std::uint64_t increment(atomic<std::uint64_t>& word) noexcept {
        if (!is_exclusive) [[unlikely]]
            return word.fetch_add(1, std::memory_order_relaxed) + 1;
        return increment_alone(word);
    }
    static std::uint64_t increment_alone(atomic<std::uint64_t>& word) noexcept {
        const std::uint64_t next = word.load(std::memory_order_relaxed) + 1;
        word.store(next, std::memory_order_relaxed);
        return next;
    }
};

template <class Sync>
class lanes {
public:
    /// `counts`: whether the cache has statistics.
    explicit lanes(bool counts) noexcept : counting_(counts ? exclusive : 0), counts_(counts) {
        lanes_[exclusive].is_exclusive = false;
    }

    bool counts() const noexcept { return counts_; }
    /// Counts for the thread that has the slot number, if the cache has statistics. One comparison tells that both the lane is
    /// the thread's own, and there are statistics.
    void count(std::uint32_t slot, counted what) noexcept {
        if (slot < counting_) [[likely]] {
            lanes_[slot].count_alone(what);
        } else {
            count_otherwise(what);
        }
    }
    lane<Sync>& of_slot(std::uint32_t slot) noexcept { return lanes_[slot < exclusive ? slot : exclusive]; }

    std::uint64_t sum(counted what) const noexcept {
        std::uint64_t all = 0;
        for (const lane<Sync>& l : lanes_) all += l.counts[static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
        return all;
    }

    /// Whether each lane was at rest at some instant of the call.
    bool are_at_rest() const noexcept {
        for (const lane<Sync>& l : lanes_) {
            if (!l.is_at_rest()) return false;
        }
        return true;
    }

private:
    static constexpr std::uint32_t exclusive = 64;

    void count_otherwise(counted what) noexcept {
        if (counts_) lanes_[exclusive].count(what);
    }

    lane<Sync> lanes_[exclusive + 1];
    const std::uint32_t counting_; ///< the slots below it have lanes of their own, and count
    const bool counts_;
};

} // namespace syncmap::cache_detail
