// The scrub hand [T2]: where the removal of expired entries has got to, and how much of it is due. It goes through the buckets
// in the order of hashes, a few at each write, as fast as the shortest lifetime asks for.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/cache/time/entry_times.hpp>

namespace syncmap::cache_detail {

template <class Sync>
class scrub_hand {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

public:
    static constexpr unsigned most_buckets_a_write = 4;

    /// Returns how many buckets the calling writer has to look through now. `shortest`: of the lifetimes of the cache's
    /// entries.
    ///
    /// A clock that jumps does no harm: where it went back the hand goes on from now, and a jump forwards is worth one round.
    unsigned due(nanoseconds_t now, nanoseconds_t shortest, std::size_t buckets) noexcept {
        if (buckets == 0) return 0;
        const nanoseconds_t round = round_time(shortest);
        const nanoseconds_t a_bucket = (std::max)(nanoseconds_t{1}, round / static_cast<nanoseconds_t>(buckets));
        nanoseconds_t next = next_.load(std::memory_order_relaxed);
        unsigned count = 0;
        nanoseconds_t after = now;
        if (now >= next) {
            const nanoseconds_t from = now - next > round ? now - round : next;
            count = static_cast<unsigned>((std::min)(nanoseconds_t{most_buckets_a_write}, (now - from) / a_bucket + 1));
            after = from + count * a_bucket;
        } else if (next - now <= round) {
            return 0;
        }
        // Not repeated: the writer that has changed it does what is due.
        return next_.compare_exchange_strong(next, after, std::memory_order_relaxed, std::memory_order_relaxed) ? count : 0;
    }

    /// Calls `look(hash)`, which returns where the next bucket begins, for the next buckets.
    template <class Look>
    void go_on(unsigned count, Look look) {
        std::uint64_t seen = at_.load(std::memory_order_relaxed);
        std::uint64_t to = seen;
        for (; count != 0; --count) to = look(to);
        // Not repeated: where another thread has moved the hand, it has looked at the same buckets.
        at_.compare_exchange_strong(seen, to, std::memory_order_relaxed, std::memory_order_relaxed);
    }

private:
    static constexpr nanoseconds_t shortest_round = 1'000'000'000;
    static constexpr nanoseconds_t rounds_a_life = 8;

    static constexpr nanoseconds_t round_time(nanoseconds_t shortest) noexcept {
        return (std::max)(shortest_round, shortest / rounds_a_life);
    }

    atomic<nanoseconds_t> next_{0}; ///< when the next bucket is due
    atomic<std::uint64_t> at_{0}; ///< a hash: where that bucket begins
};

} // namespace syncmap::cache_detail
