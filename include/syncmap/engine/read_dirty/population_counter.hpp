// How many entries hold a value, exactly, although values come and go without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

namespace syncmap::engine::read_dirty_parts {

/// One word: the number of entries, the number of *change guards* (threads between their change of an entry and its being
/// counted), and whether the gate is closed. No change guard under way: the number is right at that instant.
///
/// Whoever needs a moment without change guards closes the gate, holding the map's mutex, and sleeps until the last change
/// guard under way ends. Who finds the gate closed sleeps until it opens. A change guard is a few instructions long and runs no
/// user code.
template <class Sync>
class population_counter {
public:
    /// One change of whether an entry holds a value. Counts nothing unless it is told to.
    class change_guard {
    public:
        change_guard(population_counter& in, typename Sync::mutex& mutex) : population_counter_(in), mutex_(&mutex) {
            // acquire: who enters after `clear` sees that the map began a new generation.
            while ((population_counter_.word_.fetch_add(one_change_guard, std::memory_order_acquire) & closed) != 0) {
                population_counter_.word_.fetch_sub(one_change_guard, std::memory_order_relaxed); // nothing was done in it
                std::unique_lock<typename Sync::mutex> lock(mutex);
                population_counter_.changed_.notify_all(); // it may have looked like a change guard that was under way
                while (population_counter_.is_closed()) population_counter_.changed_.wait(lock);
            }
        }
        /// For who holds the mutex. The gate may be closed all the same, by who sleeps until the change guards end: this one
        /// ends before that thread goes on.
        explicit change_guard(population_counter& in) noexcept : population_counter_(in) {
            population_counter_.word_.fetch_add(one_change_guard,
                                                std::memory_order_relaxed); // the mutex orders it after a `clear`
        }
        change_guard(const change_guard&) = delete;
        change_guard& operator=(const change_guard&) = delete;
        ~change_guard() {
            // release: who sees the number that this makes sees what the thread did before.
            const std::uint64_t before =
                population_counter_.word_.fetch_add(change_ - one_change_guard, std::memory_order_release);
            if ((before & closed) == 0 || mutex_ == nullptr) return;
            const std::lock_guard lock(*mutex_); // who closed the gate is awake, or asleep: not in between
            population_counter_.changed_.notify_all();
        }

        void counts(int change) noexcept { change_ = static_cast<std::uint64_t>(change); }

    private:
        population_counter& population_counter_;
        typename Sync::mutex* const mutex_ = nullptr; ///< not held
        std::uint64_t change_ = 0;
    };

    /// For changes that nobody can see before the mutex is left. release: as that of a change guard.
    void add_one() noexcept { word_.fetch_add(1, std::memory_order_release); }

    std::size_t approximate() const noexcept {
        const std::uint64_t number = word_.load(std::memory_order_relaxed) & number_mask;
        return number > none ? static_cast<std::size_t>(number - none) : 0;
    }
    /// The number at this instant; nothing if a change guard is under way or the gate closed.
    std::optional<std::size_t> exact() const noexcept {
        const std::uint64_t seen = word_.load(std::memory_order_acquire);
        if (seen > number_mask) return std::nullopt;
        return static_cast<std::size_t>(seen - none);
    }

    /// With the mutex held, which waiting may release for a while: it returns without change guards, with the gate
    /// closed and the mutex held.
    void close(std::unique_lock<typename Sync::mutex>& mutex) {
        // acquire: of the change guards that ended, for who asks for the number.
        for (int looks = 0; (word_.fetch_or(closed, std::memory_order_acquire) & change_guards_mask) != 0; ++looks) {
            if (looks < Sync::spins_before_sleep) {
                Sync::pause();
            } else {
                changed_.wait(mutex); // a thread was stopped in its change guard: let it run
            }
        }
    }
    std::size_t number_while_closed() const noexcept {
        return static_cast<std::size_t>((word_.load(std::memory_order_relaxed) & number_mask) - none);
    }
    void forget_all_while_closed() noexcept { word_.fetch_sub(number_while_closed(), std::memory_order_relaxed); }
    /// With the mutex held.
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
    /// Stands for zero: an erasure may be counted before the insertion that it undoes.
    static constexpr std::uint64_t none = std::uint64_t{1} << 32;

    typename Sync::template atomic<std::uint64_t> word_{none};
    typename Sync::condition changed_{}; ///< under the mutex: a change guard ended at a closed gate, or the gate opened
};

} // namespace syncmap::engine::read_dirty_parts
