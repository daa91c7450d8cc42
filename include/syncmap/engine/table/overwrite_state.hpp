// Whether the writers of a map may overwrite entries directly, without a lock: one byte of the control block.
//
//   DIRECT      they may
//   BARRING     no direct overwrite begins; one that began before may be under way
//   BARRED      nor is one under way
//   READMITTING a thread looks whether a computation still needs that
//
// A computation of a present key bars direct overwrites. It goes on in BARRING and in BARRED, and while its counter
// (process.hpp) is raised no thread returns to DIRECT. A thread that looks at the counters sets LOOKING for as long: there is
// one such thread at a time, so READMITTING is its own or a computation has replaced it.
//
// | from                     | to                       | by                                                              |
// |--------------------------|--------------------------|-----------------------------------------------------------------|
// | any but BARRED           | BARRING                  | a computation, its counter raised                               |
// | BARRING                  | BARRED                   | the same, when it has seen that no direct overwrite is left     |
// | BARRING, BARRED          | READMITTING with LOOKING | a writer                                                        |
// | READMITTING with LOOKING | DIRECT, or what it was   | the same: DIRECT if it has seen no counter raised since         |
//
// What the transitions wait for stands in direct_overwrites.hpp.
#pragma once

#include <atomic>
#include <cstdint>

namespace syncmap::engine {

template <class Sync>
class overwrite_state {
public:
    /// (1) acquire: pairs with the release of (5); without it a writer may see the counter of a computation lowered, but not
    /// the root that made the computation drop its result.
    bool are_direct() const noexcept { return state_.load(std::memory_order_acquire) == direct; }

    /// (2) acquire: pairs with the release of (4); without it a computation may miss the last direct overwrite.
    bool is_barred() const noexcept { return (state_.load(std::memory_order_acquire) & ~looking) == barred; }

    /// No direct overwrite begins after the heavy barrier that follows.
    void bar() noexcept {
        std::uint8_t seen = state_.load(std::memory_order_relaxed);
        // (3) acq_rel: release, so that (2) and (5) order what comes before; acquire for the same of earlier ones.
        while (!state_.compare_exchange_weak(seen, static_cast<std::uint8_t>((seen & looking) | barring),
                                             std::memory_order_acq_rel, std::memory_order_relaxed)) {}
    }
    /// No direct overwrite is left. Called while the counter of the computation that calls `bar` is still raised.
    void note_none_left() noexcept {
        std::uint8_t seen = state_.load(std::memory_order_relaxed);
        while ((seen & ~looking) == barring) {
            // (4) release: pairs with the acquire of (2).
            if (state_.compare_exchange_weak(seen, static_cast<std::uint8_t>((seen & looking) | barred),
                                             std::memory_order_acq_rel, std::memory_order_relaxed))
                return;
        }
    }

    /// Lets writers overwrite directly again if `is_needed()` returns false. Does nothing if another thread is at it.
    template <class IsNeeded>
    void readmit(IsNeeded is_needed) noexcept {
        std::uint8_t before = state_.load(std::memory_order_relaxed);
        if (before != barring && before != barred) return;
        constexpr std::uint8_t mine = readmitting | looking;
        if (!state_.compare_exchange_strong(before, mine, std::memory_order_acq_rel, std::memory_order_relaxed)) return;
        // Orders the state before the look at the counters; pairs with the fence of computing_mark. Without it this thread may
        // miss a counter whose computation still sees BARRED.
        Sync::fence_after_rmw();
        const bool needed = is_needed();
        std::uint8_t seen = mine;
        // (5) release: pairs with the acquire of (1).
        if (state_.compare_exchange_strong(seen, needed ? before : direct, std::memory_order_acq_rel,
                                           std::memory_order_relaxed))
            return;
        while (!state_.compare_exchange_weak(seen, static_cast<std::uint8_t>(seen & ~looking), std::memory_order_acq_rel,
                                             std::memory_order_relaxed)) {} // a computation has barred them meanwhile
    }

    /// The thread that looked, or barred, may be lost.
    void after_fork_in_child() noexcept {
        if (state_.load(std::memory_order_relaxed) != direct) state_.store(barring, std::memory_order_relaxed);
    }

private:
    static constexpr std::uint8_t direct = 0;
    static constexpr std::uint8_t barring = 1;
    static constexpr std::uint8_t barred = 2;
    static constexpr std::uint8_t readmitting = 3;
    static constexpr std::uint8_t looking = 4;

    typename Sync::template atomic<std::uint8_t> state_{direct};
};

} // namespace syncmap::engine
