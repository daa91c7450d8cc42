// How threads sleep: by calls of POSIX, as <condition_variable> and <thread> take long to compile.
#pragma once

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <mutex>

#include <pthread.h>

namespace syncmap::sync {

inline constexpr std::int64_t nanoseconds_in_second = 1'000'000'000;

inline timespec timespec_of(std::int64_t nanoseconds) noexcept {
    timespec t{};
    t.tv_sec = static_cast<decltype(t.tv_sec)>(nanoseconds / nanoseconds_in_second);
    t.tv_nsec = static_cast<decltype(t.tv_nsec)>(nanoseconds % nanoseconds_in_second);
    return t;
}
inline std::int64_t nanoseconds_of(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * nanoseconds_in_second + now.tv_nsec;
}

/// Sleeps for at least that long, also if a signal handler interrupts it.
[[gnu::cold]] inline void sleep_for_microseconds(std::int64_t microseconds) noexcept {
    const int error = errno;
    timespec left = timespec_of(microseconds * 1000);
    while (::nanosleep(&left, &left) != 0 && errno == EINTR) {}
    errno = error;
}

/// A limit on how long a thread waits, or makes others wait.
class deadline {
public:
    explicit deadline(std::uint64_t microseconds) noexcept
        : end_(nanoseconds_of(CLOCK_MONOTONIC) + static_cast<std::int64_t>(microseconds) * 1000) {}
    bool over() const noexcept { return left() <= 0; }
    /// In nanoseconds.
    std::int64_t left() const noexcept { return end_ - nanoseconds_of(CLOCK_MONOTONIC); }

private:
    std::int64_t end_;
};

/// A condition to sleep on under a mutex; every caller looks again after waking.
class condition {
    using lock_type = std::unique_lock<std::mutex>;

public:
    condition() = default;
    condition(const condition&) = delete;
    condition& operator=(const condition&) = delete;
    ~condition() { ::pthread_cond_destroy(&signal_); }

    void wait(lock_type& lock) noexcept { ::pthread_cond_wait(&signal_, lock.mutex()->native_handle()); }
    /// Waits for a millisecond at most, where a wake-up may be lost since the system has no asymmetric barriers.
    void wait_briefly(lock_type& lock) noexcept { wait_for(lock, 1'000'000); }
    /// Waits until the limit at most. Returns false if the limit was over before.
    bool wait_until(lock_type& lock, const deadline& limit) noexcept {
        const std::int64_t left = limit.left();
        if (left <= 0) return false;
        wait_for(lock, left);
        return true;
    }
    void notify_all() noexcept { ::pthread_cond_broadcast(&signal_); }

private:
    void wait_for(lock_type& lock, std::int64_t nanoseconds) noexcept {
        // CLOCK_REALTIME: the thread sanitizer of GCC 12 knows no wait by another clock.
        const timespec end = timespec_of(nanoseconds_of(CLOCK_REALTIME) + nanoseconds);
        ::pthread_cond_timedwait(&signal_, lock.mutex()->native_handle(), &end);
    }

    pthread_cond_t signal_ = PTHREAD_COND_INITIALIZER;
};

} // namespace syncmap::sync
