// The bound. No thread inserts an entry without a permit, and there are as many permits as the capacity [E1]. An entry takes as
// many as it weighs: one, unless the cache has a weigher.
//
//   free permits + permits in hand + what the entries in the table weigh = capacity
//
// | step                       | thread                                          | when                                        |
// |----------------------------|-------------------------------------------------|---------------------------------------------|
// | taken from the pool        | that inserts                                    | key and value are made, nothing is locked   |
// | made by an erase           | that evicts, for its own insert                 | the erase is counted                        |
// | used up                    | that inserts                                    | under the bucket's lock, before the insert  |
// | given back to the pool     | that erases for other reasons; that does not    | the erase is counted; before any destructor |
// |                            | insert after all, or waits for another thread   | of the user's runs                          |
//
// No user code runs, and no thread waits for another one's function, with a permit in hand. So a thread that finds no permit
// waits for threads that are a few steps from an insert, even where all of the capacity is in hand.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

template <class Sync>
class permits {
public:
    explicit permits(std::size_t capacity) noexcept : free_(static_cast<std::int64_t>(capacity)) {}

    /// So many from the pool, if it has them all, else none. Returns whether it had.
    bool take(std::size_t wanted = 1) noexcept {
        std::int64_t n = free_.load(std::memory_order_relaxed);
        const auto less = static_cast<std::int64_t>(wanted);
        while (n >= less) {
            // acquire: pairs with the release in `give`: the erase that freed the permit comes before what it is used for.
            if (free_.compare_exchange_weak(n, n - less, std::memory_order_acquire, std::memory_order_relaxed)) return true;
        }
        return false;
    }
    /// Those that the pool has, at most so many.
    std::size_t take_some(std::size_t most) noexcept {
        std::int64_t n = free_.load(std::memory_order_relaxed);
        while (n > 0) {
            const std::int64_t taken = (std::min)(n, static_cast<std::int64_t>(most));
            if (free_.compare_exchange_weak(n, n - taken, std::memory_order_acquire, std::memory_order_relaxed))
                return static_cast<std::size_t>(taken);
        }
        return 0;
    }
    void give(std::size_t n = 1) noexcept { free_.fetch_add(static_cast<std::int64_t>(n), std::memory_order_release); }

    /// Takes permits out of the pool that it may not have: until it has got them back, it gives none away.
    void withdraw(std::size_t n) noexcept { free_.fetch_sub(static_cast<std::int64_t>(n), std::memory_order_relaxed); }

    /// Negative where more was withdrawn than the pool has got. acquire: the erases that freed permits come before what the
    /// caller does.
    std::int64_t free_now() const noexcept { return free_.load(std::memory_order_acquire); }

private:
    alignas(detail::cache_line_bytes) typename Sync::template atomic<std::int64_t> free_;
};

} // namespace syncmap::cache_detail
