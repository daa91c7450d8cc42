// Coalesced misses: calls that miss within a short time, and whose keys one call of the bulk loader loads (docs/cache.md,
// [F11]).
//
// A call makes a *wish* for its key, and puts it into the open batch. It waits for the outcome. The batch is closed by the call
// that fills it, or by the first one whose window is over. That call loads for all of them, and tells them. So no thread
// is needed, and a call whose batch another thread should have closed closes it itself.
//
// A thread that waits here has no edge in the graph of waiting threads. It needs none, since only a thread that owns keys can
// be part of a cycle: a thread that owns keys does not come here.
#pragma once

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

public:
    struct wish {
        template <class K>
        explicit wish(const K& wanted) : key(wanted) {}
        const Asked key;

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
        closed_batch() = default;
        closed_batch(coalescing& of, std::shared_ptr<wish> first) noexcept : of_(&of), first_(std::move(first)) {}
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
            const std::lock_guard<typename Sync::mutex> lock(of_->mutex_);
            told->outcome = std::move(outcome);
            told->failure = std::move(failure);
            told->has_ended = true;
            told->ended.notify_all();
        }

    private:
        coalescing* of_ = nullptr;
        std::shared_ptr<wish> first_{};
    };

    coalescing(std::uint64_t window, std::size_t most) noexcept : window_(window), most_(most) {}
    coalescing(const coalescing&) = delete;
    coalescing& operator=(const coalescing&) = delete;
    ~coalescing() = default;

    /// Waits for the outcome of the wish. Calls `load(batch)`, once, if it falls to this thread to load for all. Returns early
    /// when the limit is over and another thread loads.
    template <class Load>
    void join(const std::shared_ptr<wish>& mine, const deadline* limit, Load load) {
        const deadline window(window_);
        std::unique_lock<typename Sync::mutex> lock(mutex_);
        mine->batch = number_;
        mine->next = std::move(open_);
        open_ = mine;
        bool closes = ++size_ >= most_;
        while (!mine->has_ended) {
            if (mine->batch != number_) { // another thread loads
                if (limit == nullptr) {
                    mine->ended.wait(lock);
                } else if (!mine->ended.wait_until(lock, *limit)) {
                    return;
                }
            } else if (closes || !mine->ended.wait_until(lock, window)) {
                ++number_;
                size_ = 0;
                // They have no window any more, but a limit.
                for (wish* w = open_.get(); w != nullptr; w = w->next.get()) w->ended.notify_all();
                closed_batch batch(*this, std::move(open_));
                lock.unlock();
                load(batch);
                return;
            }
        }
    }

    /// What a wish has got. Called by its thread after `join`.
    Outcome outcome_of(wish& mine) {
        const std::lock_guard<typename Sync::mutex> lock(mutex_);
        if (mine.failure != nullptr) std::rethrow_exception(mine.failure);
        return std::move(mine.outcome);
    }

private:
    typename Sync::mutex mutex_{};
    std::shared_ptr<wish> open_{}; ///< the last one that came
    std::size_t size_ = 0;
    std::uint64_t number_ = 0; ///< of the open batch
    const std::uint64_t window_; ///< in microseconds
    const std::size_t most_;
};

} // namespace syncmap::cache_detail
