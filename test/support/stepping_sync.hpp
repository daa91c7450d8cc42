// sync::real that calls a function of the thread's before each step on shared memory: to count the steps of an
// operation, or to stop a thread between any two of them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <type_traits>

#include <syncmap/engine/tuning.hpp>

namespace test {

enum class step { load, store, change, lock };

/// Null: the thread goes its way.
inline thread_local void (*on_step)(step) = nullptr;

inline void take_step(step what) {
    if (on_step != nullptr) on_step(what);
}

template <class T>
struct stepping_atomic : syncmap::engine::machine::atomic<T> {
    using base = syncmap::engine::machine::atomic<T>;
    using order = std::memory_order;
    using difference = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;
    static constexpr order strongest = std::memory_order_seq_cst;
    using base::base;

    T load(order o = strongest) const noexcept {
        take_step(step::load);
        return base::load(o);
    }
    void store(T desired, order o = strongest) noexcept {
        take_step(step::store);
        base::store(desired, o);
    }
    T exchange(T desired, order o = strongest) noexcept {
        take_step(step::change);
        return base::exchange(desired, o);
    }
    template <class... Orders>
    bool compare_exchange_strong(T& expected, T desired, Orders... o) noexcept {
        take_step(step::change);
        return base::compare_exchange_strong(expected, desired, o...);
    }
    template <class... Orders>
    bool compare_exchange_weak(T& expected, T desired, Orders... o) noexcept {
        take_step(step::change);
        return base::compare_exchange_weak(expected, desired, o...);
    }
    T fetch_add(difference operand, order o = strongest) noexcept {
        take_step(step::change);
        return base::fetch_add(operand, o);
    }
    T fetch_sub(difference operand, order o = strongest) noexcept {
        take_step(step::change);
        return base::fetch_sub(operand, o);
    }
    T fetch_and(T operand, order o = strongest) noexcept {
        take_step(step::change);
        return base::fetch_and(operand, o);
    }
    T fetch_or(T operand, order o = strongest) noexcept {
        take_step(step::change);
        return base::fetch_or(operand, o);
    }
};

struct stepping_sync : syncmap::engine::machine {
    template <class T>
    using atomic = stepping_atomic<T>;

    class mutex : public std::mutex {
    public:
        void lock() {
            take_step(step::lock);
            std::mutex::lock();
        }
    };

    class condition {
    public:
        void wait(std::unique_lock<mutex>& lock) {
            adopted plain(lock);
            signal_.wait(plain.guard);
        }
        void wait_briefly(std::unique_lock<mutex>& lock) {
            adopted plain(lock);
            signal_.wait_until(plain.guard, std::chrono::system_clock::now() + std::chrono::milliseconds(1));
        }
        template <class Deadline>
        bool wait_until(std::unique_lock<mutex>& lock, const Deadline& limit) {
            if (limit.over()) return false;
            adopted plain(lock);
            signal_.wait_until(plain.guard, std::chrono::system_clock::now() + std::chrono::nanoseconds(limit.left()));
            return true;
        }
        void notify_all() noexcept { signal_.notify_all(); }

    private:
        /// The same lock in the form that a condition variable takes.
        struct adopted {
            explicit adopted(std::unique_lock<mutex>& lock) : guard(*lock.mutex(), std::adopt_lock) {}
            adopted(const adopted&) = delete;
            adopted& operator=(const adopted&) = delete;
            ~adopted() { guard.release(); }
            std::unique_lock<std::mutex> guard;
        };
        std::condition_variable signal_;
    };

    static void store_pair(atomic<std::uint64_t>* words, syncmap::sync::word_pair pair) noexcept {
        take_step(step::store);
        machine::store_pair(words, pair);
    }
    static bool compare_exchange_pair(atomic<std::uint64_t>* words, syncmap::sync::word_pair& expected,
                                      syncmap::sync::word_pair desired) noexcept {
        take_step(step::change);
        return machine::compare_exchange_pair(words, expected, desired);
    }

    // Small, so that a few operations do everything once.
    static constexpr std::uint32_t retire_batch = 4;
    static constexpr std::uint32_t garbage_slots = 2;
    static constexpr std::size_t batches_between_scans(std::size_t) noexcept { return 2; }
    static constexpr std::uint32_t most_cached_nodes() noexcept { return 4; }
    static constexpr std::size_t migration_batch = 2;
    static constexpr std::uint32_t shrink_check_interval = 4;
    static constexpr std::uint32_t writes_until_direct = 4;
    static constexpr std::size_t walk_run = 4;
    static constexpr std::size_t walk_lookahead = 0;
};

} // namespace test
