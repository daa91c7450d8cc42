// The clock that calls are recorded with: one for all threads, and cheap enough to be read twice a call.
//
// A call's start is read before anything that the call does, its end when the call has returned. An interval that is too
// wide makes the checker miss something; one that is too narrow makes it lie.
//
// The clock adds no fence to a call: what a map owes its callers must not come from the recorder. A finished write that is
// still in its processor's store buffer is a fault of the map, and the checker refuses the history.
//
// On x86-64: the time stamp counter. (A counter that all threads advance would make each call wait for the others', and
// would be a fence.) It is read by `rdtscp`, which waits until all earlier instructions are executed: a locked instruction
// has then changed memory, while a plain store may still be in the store buffer. (`lfence` and `rdtsc` are not enough:
// on processors of AMD's `lfence` waits for loads alone, unless the system has set it otherwise.)
//  - start: `lfence` after it keeps what follows from being executed before it;
//  - end: `lfence` before it waits for the loads of the call.
// The counters of all processors must run together. That is tried once, by passing messages; if they do not, or on other
// machines, the clock is a counter that all threads advance.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace linearizability {

class common_clock {
public:
    common_clock() noexcept : is_counter_(!counters_run_together()) {}

    std::uint64_t start() noexcept {
#if defined(__x86_64__)
        if (!is_counter_) {
            const std::uint64_t now = ticks();
            _mm_lfence();
            return now;
        }
#endif
        return shared_.fetch_add(1) + 1;
    }
    std::uint64_t end() noexcept {
#if defined(__x86_64__)
        if (!is_counter_) {
            _mm_lfence();
            return ticks();
        }
#endif
        return shared_.fetch_add(1) + 1;
    }
    bool is_counter() const noexcept { return is_counter_; }

private:
#if defined(__x86_64__)
    static std::uint64_t ticks() noexcept {
        unsigned processor = 0;
        return __rdtscp(&processor);
    }
#endif

    /// Whether no message arrives before it was sent, by the processors' own counters.
    static bool counters_run_together() noexcept {
#if defined(__x86_64__)
        static const bool together = [] {
            constexpr std::uint64_t rounds = 2000;
            std::atomic<std::uint64_t> turn{0}, sent{0};
            std::atomic<bool> backwards{false};
            const auto play = [&](std::uint64_t mine) {
                for (std::uint64_t round = 0; round != rounds; ++round) {
                    while (turn.load() != 2 * round + mine) std::this_thread::yield();
                    const std::uint64_t arrived = ticks();
                    if (arrived < sent.load()) backwards = true;
                    _mm_mfence();
                    _mm_lfence();
                    sent.store(ticks());
                    turn.store(2 * round + mine + 1);
                }
            };
            std::thread other(play, 1);
            play(0);
            other.join();
            return !backwards;
        }();
        return together;
#else
        return false;
#endif
    }

    const bool is_counter_;
    alignas(64) std::atomic<std::uint64_t> shared_{0};
};

} // namespace linearizability
