// The clock that calls are recorded with: one for all threads, and cheap enough to be read twice a call.
//
// A call's start must be read before anything that the call does, and its end after all of that can be seen by others;
// an interval that is too wide only makes the checker miss something, one that is too narrow makes it lie.
//
// On x86-64: the time stamp counter, which disturbs nobody, while a counter that all threads advance would make each call
// wait for the others', and order their memory accesses besides. `rdtsc` waits for nothing, so
//  - start: `lfence` after it keeps what follows from being executed before it;
//  - end: `lfence` before it waits until all loads have their values; of calls that write, `mfence` before that waits until
//    their stores have left the store buffer. They may be the last thing that a call does, and others cannot see them before.
// The counters of all processors must run together. That is tried once, by passing messages; if they do not, or on other
// machines, the clock is a counter that all threads advance.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace linearizability {

class common_clock {
public:
    common_clock() noexcept : is_counter_(!counters_run_together()) {}

    std::uint64_t start() noexcept {
#if defined(__x86_64__)
        if (!is_counter_) {
            const std::uint64_t now = __rdtsc();
            _mm_lfence();
            return now;
        }
#endif
        return shared_.fetch_add(1) + 1;
    }
    std::uint64_t end_of_read() noexcept {
#if defined(__x86_64__)
        if (!is_counter_) {
            _mm_lfence();
            return __rdtsc();
        }
#endif
        return shared_.fetch_add(1) + 1;
    }
    std::uint64_t end_of_write() noexcept {
#if defined(__x86_64__)
        if (!is_counter_) {
            _mm_mfence();
            _mm_lfence();
            return __rdtsc();
        }
#endif
        return shared_.fetch_add(1) + 1;
    }
    bool is_counter() const noexcept { return is_counter_; }

private:
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
                    const std::uint64_t arrived = __rdtsc();
                    if (arrived < sent.load()) backwards = true;
                    _mm_mfence();
                    _mm_lfence();
                    sent.store(__rdtsc());
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
