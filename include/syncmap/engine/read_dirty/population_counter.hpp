// The exact number of entries that hold a value, although threads add and remove values without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

namespace syncmap::engine::read_dirty_parts {

/// One word: the number of entries, the number of *change guards*, and whether the gate is closed. A change guard is a thread
/// between its change of an entry and the count of that change. While there is none, the number is right.
///
/// A thread that needs an instant without change guards closes the gate, under the map's mutex, and sleeps until the last
/// change guard ends. A thread that finds the gate closed sleeps until it opens. A change guard lasts a few instructions and
/// runs no user code.
template <class Sync>
class population_counter {
public:
    /// One change of whether an entry holds a value. It counts nothing unless `counts` is called.
    class change_guard {
    public:
        change_guard(population_counter& in, typename Sync::mutex& mutex) : population_counter_(in), mutex_(&mutex) {
            // (1) acquire: pairs with the release of (6); without it a thread may miss the new generation that `clear` began.
            while ((population_counter_.word_.fetch_add(one_change_guard, std::memory_order_acquire) & closed) != 0) {
                population_counter_.word_.fetch_sub(one_change_guard, std::memory_order_relaxed); // nothing was done in it
                std::unique_lock<typename Sync::mutex> lock(mutex);
                population_counter_.changed_.notify_all(); // the closing thread may have counted it as a change guard
                while (population_counter_.is_closed()) population_counter_.changed_.wait(lock);
            }
        }
        /// Called under the mutex. The gate may be closed all the same, by a thread that sleeps until the change guards end.
        /// This one ends before that thread goes on.
        explicit change_guard(population_counter& in) noexcept : population_counter_(in) {
            population_counter_.word_.fetch_add(one_change_guard,
                                                std::memory_order_relaxed); // relaxed: the mutex orders it after a `clear`
        }
        change_guard(const change_guard&) = delete;
        change_guard& operator=(const change_guard&) = delete;
        ~change_guard() {
            // (2) release: pairs with the acquire of (4) and (5); without it a thread may see the number and not the change.
            const std::uint64_t before =
                population_counter_.word_.fetch_add(change_ - one_change_guard, std::memory_order_release);
            if ((before & closed) == 0 || mutex_ == nullptr) return;
            const std::lock_guard lock(*mutex_); // the closing thread is awake, or asleep: not in between
            population_counter_.changed_.notify_all();
        }

        void counts(int change) noexcept { change_ = static_cast<std::uint64_t>(change); }

    private:
        population_counter& population_counter_;
        typename Sync::mutex* const mutex_ = nullptr; ///< not held
        std::uint64_t change_ = 0;
    };

    /// Counts an entry that no other thread can see before the mutex is left. (3) release: as (2).
    void add_one() noexcept { word_.fetch_add(1, std::memory_order_release); }

    std::size_t approximate() const noexcept {
        const std::uint64_t number = word_.load(std::memory_order_relaxed) & number_mask;
        return number > none ? static_cast<std::size_t>(number - none) : 0;
    }
    /// Returns the number at this instant, or nothing while there is a change guard or the gate is closed.
    std::optional<std::size_t> exact() const noexcept {
        const std::uint64_t seen = word_.load(std::memory_order_acquire); // (4) acquire: pairs with (2) and (3)
        if (seen > number_mask) return std::nullopt;
        return static_cast<std::size_t>(seen - none);
    }

    /// Closes the gate and waits until there are no change guards. Called under the mutex, which it may unlock while it waits;
    /// it returns under the mutex.
    void close(std::unique_lock<typename Sync::mutex>& mutex) {
        // (5) acquire: pairs with the releases of (2) and (3), for the caller of `size`.
        for (int looks = 0; (word_.fetch_or(closed, std::memory_order_acquire) & change_guards_mask) != 0; ++looks) {
            if (looks < Sync::spins_before_sleep) {
                Sync::pause();
            } else {
                changed_.wait(mutex); // a thread was stopped in its change guard, and gets the processor
            }
        }
    }
    std::size_t number_while_closed() const noexcept {
        return static_cast<std::size_t>((word_.load(std::memory_order_relaxed) & number_mask) - none);
    }
    void forget_all_while_closed() noexcept { word_.fetch_sub(number_while_closed(), std::memory_order_relaxed); }
    /// Called under the mutex. (6) release: pairs with (1).
    void open() noexcept {
        word_.fetch_and(~closed, std::memory_order_release);
        changed_.notify_all();
    }

private:
    bool is_closed() const noexcept { return (word_.load(std::memory_order_relaxed) & closed) != 0; }

    static constexpr std::uint64_t closed = std::uint64_t{1} << 63;
    static constexpr std::uint64_t one_change_guard = std::uint64_t{1} << 48;
    static constexpr std::uint64_t number_mask = one_change_guard - 1;
    static constexpr std::uint64_t change_guards_mask = closed - one_change_guard;
    /// The word's zero: a thread may count an erasure before another one counts the insertion that it undoes.
    static constexpr std::uint64_t none = std::uint64_t{1} << 32;

    typename Sync::template atomic<std::uint64_t> word_{none};
    typename Sync::condition changed_{}; ///< under the mutex: a change guard ended at a closed gate, or the gate opened
};

} // namespace syncmap::engine::read_dirty_parts
