// What each entry of a cache carries beside key and value: how often it was used lately, and which queue it is in.
//
// Three bytes, so that a hit, which writes the first, never undoes what a writer does to the second. A hit may be lost where
// two threads meet; a change of the queue is not: it is a compare-exchange or an exchange. The third counts how often the hand
// has passed a small entry. It also has three bits of the node: whether times lie in front of it (time/entry_times.hpp),
// whether tags lie in front of those (tags.hpp), and whether it has no value, but what the cache remembers of a load
// (remembering.hpp).
//
//   small -> main    `promote`: the thread that has the entry's hash from the small queue
//   small, main -> left    `inherit`: the writer that overwrites the value, under the bucket's lock; the new node has the rest
#pragma once

#include <atomic>
#include <cstdint>

#include <syncmap/cache/tags.hpp>
#include <syncmap/cache/time/entry_times.hpp>

namespace syncmap::cache_detail {

enum class queue : std::uint8_t {
    in_main,
    in_small,
    outside, ///< of an entry that weighs nothing: it is never evicted
    left ///< of a node that another one of the same entry replaces
};

template <class Sync>
class entry_state {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

public:
    // ---- for the table, see engine/table/marked_node.hpp ----

    using prefix = entry_times<Sync>;
    using extension = tagged_entry;

    void renew() noexcept {
        uses_.store(0, std::memory_order_relaxed);
        queue_.store(queue::in_main, std::memory_order_relaxed);
        passes_.store(static_cast<std::uint8_t>(passes_.load(std::memory_order_relaxed) & (prefix_bit | tagged_bit)),
                      std::memory_order_relaxed);
    }
    void begin_with_prefix() noexcept { passes_.store(prefix_bit, std::memory_order_relaxed); }
    void begin_with_extension() noexcept { passes_.store(prefix_bit | tagged_bit, std::memory_order_relaxed); }
    void begin_without_value() noexcept { passes_.store(prefix_bit | valueless_bit, std::memory_order_relaxed); }
    /// Constant while other threads can find the node, as the next two.
    bool has_prefix() const noexcept { return (passes_.load(std::memory_order_relaxed) & prefix_bit) != 0; }
    bool has_extension() const noexcept { return (passes_.load(std::memory_order_relaxed) & tagged_bit) != 0; }
    bool has_value() const noexcept { return (passes_.load(std::memory_order_relaxed) & valueless_bit) == 0; }
    void inherit(entry_state& old) noexcept {
        uses_.store(old.uses_.load(std::memory_order_relaxed), std::memory_order_relaxed);
        // A read-modify-write: a promotion comes before it, and is inherited, or finds the old node left.
        queue_.store(old.queue_.exchange(queue::left, std::memory_order_relaxed), std::memory_order_relaxed);
    }

    // ---- for readers ----

    /// One relaxed load, and one relaxed store while the entry has fewer than three uses. Returns whether the leaning hears of
    /// it: then the entry's key is in the sample.
    bool use() noexcept {
        const std::uint8_t n = uses_.load(std::memory_order_relaxed);
        if (static_cast<std::int8_t>(n) >= most_uses) return false; // the bit of the sample makes it negative: one comparison
        if ((n & uses_mask) != most_uses) uses_.store(static_cast<std::uint8_t>(n + 1), std::memory_order_relaxed);
        return (n & sampled_bit) != 0;
    }

    // ---- for the eviction ----

    unsigned uses() const noexcept { return uses_.load(std::memory_order_relaxed) & uses_mask; }
    void set_uses(unsigned n) noexcept {
        uses_.store(static_cast<std::uint8_t>((uses_.load(std::memory_order_relaxed) & sampled_bit) | n),
                    std::memory_order_relaxed);
    }
    queue where() const noexcept { return queue_.load(std::memory_order_relaxed); }
    /// The hand passes a small entry. True after the eighth time: the small queue has lost its name, as it may where two keys
    /// have one hash.
    bool pass() noexcept {
        const std::uint8_t before = passes_.load(std::memory_order_relaxed);
        if ((before & passes_mask) < most_passes)
            passes_.store(static_cast<std::uint8_t>(before + 1), std::memory_order_relaxed);
        return (before & passes_mask) + 1 >= most_passes;
    }
    /// Of a node that is not published yet.
    void begin_in(queue q) noexcept { queue_.store(q, std::memory_order_relaxed); }
    void begin_in_sample() noexcept { uses_.store(sampled_bit, std::memory_order_relaxed); }
    /// From small to main, with so many uses. False: the node is left, and the entry has another one.
    bool promote(unsigned uses = 0) noexcept {
        queue seen = queue::in_small;
        if (queue_.compare_exchange_strong(seen, queue::in_main, std::memory_order_relaxed, std::memory_order_relaxed)) {
            set_uses(uses);
            return true;
        }
        return seen != queue::left;
    }

private:
    static constexpr std::uint8_t most_uses = 3;
    static constexpr std::uint8_t uses_mask = 0x03;
    static constexpr std::uint8_t sampled_bit = 0x80;
    static constexpr std::uint8_t most_passes = 8;
    static constexpr std::uint8_t passes_mask = 0x0F;
    static constexpr std::uint8_t prefix_bit = 0x80;
    static constexpr std::uint8_t valueless_bit = 0x40;
    static constexpr std::uint8_t tagged_bit = 0x20;
    atomic<std::uint8_t> uses_{0};
    atomic<queue> queue_{queue::in_main};
    atomic<std::uint8_t> passes_{0};
};

/// How much the eviction favours an entry.
struct entry_rank {
    bool is_main = false;
    unsigned uses = 0; ///< 0 to 3
    unsigned count = 0; ///< 0 to 15: of the history

    static constexpr unsigned ranks = 128;
    constexpr unsigned number() const noexcept { return (unsigned{is_main} << 2 | uses) << 4 | count; }
    static constexpr entry_rank of(unsigned number) noexcept { return {(number >> 6) != 0, number >> 4 & 3, number & 15}; }
};

} // namespace syncmap::cache_detail
