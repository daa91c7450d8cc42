// Coalesced misses: calls that miss within a short time, and whose keys one call of the bulk loader loads (docs/cache.md,
// [LO11]).
//
// A call makes a *wish* for its key, and puts it into the open batch. It waits for the outcome. The batch is closed by the call
// that fills it, or by the first one whose window is over. That call loads for all of them, and tells them. So no thread
// is needed, and a call whose batch another thread should have closed closes it itself.
//
// A thread that waits here has no edge in the graph of waiting threads. It needs none, since only a thread that owns keys can
// be part of a cycle: a thread that owns keys does not come here.
//
// The child of a fork begins anew, with a room of its own: a thread that the child lacks may hold the mutex of the old one, or
// be the one that was to load. The forking thread may be in a load itself. Nothing waits for what that tells in the child.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

namespace syncmap::cache_detail {

/// `Asked`: a key. `Outcome`: what a load has brought, if it is settled.
template <class Sync, class Asked, class Outcome>
class coalescing {
    using deadline = typename Sync::deadline;
    using forks_type = typename Sync::template atomic<std::uint32_t>;

    struct room;

public:
    struct wish {
        template <class K>
        explicit wish(const K& wanted) : key(wanted) {}
        const Asked key;

        room* in = nullptr;

        // ---- under the mutex ----

        std::shared_ptr<wish> next{};
        std::uint64_t batch = 0;
        bool has_ended = false;
        Outcome outcome{};
        std::exception_ptr failure{};
        typename Sync::condition ended{};
    };
    /// The wishes of a closed batch. It tells them all at its end: that there is no outcome, where it was given none.
    class closed_batch {
    public:
        closed_batch(room& of, const forks_type& forks, std::shared_ptr<wish> first) noexcept
            : of_(of), forks_(forks), first_(std::move(first)) {}
        closed_batch(const closed_batch&) = delete;
        closed_batch& operator=(const closed_batch&) = delete;
        ~closed_batch() {
            while (first_ != nullptr) tell({}, nullptr);
        }

        /// Calls `f(key)` for each wish, in the order of `tell`.
        template <class F>
        void each_key(F f) const {
            for (const wish* w = first_.get(); w != nullptr; w = w->next.get()) f(w->key);
        }
        /// The outcome of the next wish.
        void tell(Outcome outcome, std::exception_ptr failure) noexcept {
            const std::shared_ptr<wish> told = std::exchange(first_, std::move(first_->next));
            const auto lock = of_.locked(forks_);
            told->outcome = std::move(outcome);
            told->failure = std::move(failure);
            told->has_ended = true;
            told->ended.notify_all();
        }

    private:
        room& of_;
        const forks_type& forks_;
        std::shared_ptr<wish> first_;
    };

    coalescing(std::uint64_t window, std::size_t most) noexcept : window_(window), most_(most) {}
    coalescing(const coalescing&) = delete;
    coalescing& operator=(const coalescing&) = delete;
    /// relaxed: the cache has one user. A room that a child has left stays in its memory.
    ~coalescing() { delete room_.load(std::memory_order_relaxed); }

    /// Waits for the outcome of the wish. `forks`: see `process`. Calls `load(batch)`, once, if it falls to this thread to load
    /// for all. Returns early when the limit is over and another thread loads.
    template <class Load>
    void join(const std::shared_ptr<wish>& mine, const deadline* limit, const forks_type& forks, Load load) {
        const deadline window(window_);
        room& in = room_of(forks.load(std::memory_order_relaxed));
        mine->in = std::addressof(in);
        std::unique_lock<typename Sync::mutex> lock(in.mutex);
        mine->batch = in.number;
        mine->next = std::move(in.open);
        in.open = mine;
        bool closes = ++in.size >= most_;
        while (!mine->has_ended) {
            if (mine->batch != in.number) { // another thread loads
                if (limit == nullptr) {
                    mine->ended.wait(lock);
                } else if (!mine->ended.wait_until(lock, *limit)) {
                    return;
                }
            } else if (closes || !mine->ended.wait_until(lock, window)) {
                ++in.number;
                in.size = 0;
                // They have no window any more, but a limit.
                for (wish* w = in.open.get(); w != nullptr; w = w->next.get()) w->ended.notify_all();
                closed_batch batch(in, forks, std::move(in.open));
                lock.unlock();
                load(batch);
                return;
            }
        }
    }

    /// What a wish has got. Called by its thread after `join`.
    Outcome outcome_of(wish& mine, const forks_type& forks) {
        const auto lock = mine.in->locked(forks);
        if (mine.failure != nullptr) std::rethrow_exception(mine.failure);
        return std::move(mine.outcome);
    }

private:
    /// What the calls of one process share.
    struct room {
        room(std::uint32_t after, room* left) noexcept : forks(after), before(left) {}
        /// Nothing is locked in a child of the process: no other thread knows the room there.
        std::unique_lock<typename Sync::mutex> locked(const forks_type& now) {
            if (now.load(std::memory_order_relaxed) != forks) return {};
            return std::unique_lock<typename Sync::mutex>(mutex);
        }

        const std::uint32_t forks;
        room* before; ///< of the process before the fork; never freed: a lost thread may hold its mutex
        typename Sync::mutex mutex{};
        std::shared_ptr<wish> open{}; ///< the last one that came
        std::size_t size = 0;
        std::uint64_t number = 0; ///< of the open batch
    };
    /// The room of this process, which the first call makes. Throws: `std::bad_alloc`.
    room& room_of(std::uint32_t forks) {
        room* there = room_.load(std::memory_order_acquire); // (1) acquire: pairs with (2); the room is complete
        while (there == nullptr || there->forks != forks) {
            auto made = std::make_unique<room>(forks, there);
            // (2) acq_rel: publishes the room to (1), and reads the one of another thread.
            if (room_.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel, std::memory_order_acquire))
                return *made.release();
        }
        return *there;
    }

    typename Sync::template atomic<room*> room_{nullptr};
    const std::uint64_t window_; ///< in microseconds
    const std::size_t most_;
};

} // namespace syncmap::cache_detail
