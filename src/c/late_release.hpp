// When a map that destroys late is told to destroy now, so that handles are released within a bounded number of calls.
//
// The map frees what left it when one thread has gathered many entries, which may be never. So a call through which a
// handle left the map starts a countdown; every call of the map takes one off, and the call that takes the last one flushes.
//
// A flush leaves what some call, running at that moment, may be looking at. That call has to start a countdown again
// when it ends, or what it held back would wait for ever. It knows by the *epoch*: a flush raises it, and lets every
// thread execute a fence, before it collects. So a call that has ended has either seen the new epoch, or everything it
// did is seen by the flush. A call that began after the epoch was raised can hold nothing of what had left the map
// before: it would find it nowhere. Only flushes after a new departure raise the epoch: or else, where calls always
// overlap, there would be no end of flushes.
//
// A map that never held a handle reads two words of one line per call, which no thread writes.
#pragma once

#include <syncmap.h>

#include <atomic>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/sync/real.hpp>

namespace syncmap::dynamic {

class late_release {
    using machine = sync::real;

public:
    late_release() = default;
    late_release(const late_release&) = delete;
    late_release& operator=(const late_release&) = delete;

    std::uint64_t begin_call() const noexcept { return epoch_.load(std::memory_order_acquire); }

    /// `departed`: a handle left the map through this call. `flush()` destroys what can be destroyed.
    template <class Flush>
    void end_call(std::uint64_t begun_in, bool departed, Flush flush) noexcept {
        machine::light_barrier(); // what the call did, before the epoch; pairs with the heavy barrier below
        const bool held_back = epoch_.load(std::memory_order_relaxed) != begun_in;
        const bool starts = departed || held_back;
        if (!starts && calls_left_.load(std::memory_order_relaxed) == 0) [[likely]]
            return;
        if (departed) departures_.store(true, std::memory_order_relaxed); // published by the countdown
        if (count_down(starts)) flush_now(flush);
    }

private:
    /// True: the caller has to flush. One chain of read-modify-writes: the thread that flushes sees what all threads did
    /// that counted before.
    bool count_down(bool starts) noexcept {
        int left = calls_left_.load(std::memory_order_relaxed);
        int next = 0;
        do {
            // A release callback that calls its map would otherwise flush inside of a flush, without end.
            if (flushing && left != 0) return false;
            next = left == 0 ? (starts ? SYNCMAP_RELEASE_WITHIN : 0) : left - 1;
        } while (!calls_left_.compare_exchange_weak(left, next, std::memory_order_acq_rel, std::memory_order_relaxed));
        return left == 1;
    }

    template <class Flush>
    void flush_now(Flush& flush) noexcept {
        if (departures_.exchange(false, std::memory_order_relaxed)) {
            epoch_.fetch_add(1, std::memory_order_release);
            // Refused by no system that accepted the registration; then nothing is ever freed either.
            (void)machine::heavy_barrier();
        }
        flushing = true;
        flush();
        flushing = false;
    }

    static inline constinit thread_local bool flushing = false;

    alignas(detail::cache_line_bytes) std::atomic<std::uint64_t> epoch_{0};
    std::atomic<int> calls_left_{0};
    std::atomic<bool> departures_{false};
};

} // namespace syncmap::dynamic
