// When threads end.
//
// A destructor of a thread-local object would tell it, but the system ends the process if it has no memory to note it
// down. So it is a key of thread-specific data, whose destructors run after those, and which reports when it cannot.
//
// A thread in such a destructor is still there: it runs other destructors, and signal handlers. Whether it has ended
// for good the system is asked.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>

#include <pthread.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace syncmap::sync {

/// Calls a function in each thread that has asked for it, when that thread ends.
///
/// The main thread does not end by `exit`. When the library goes whose code this is, threads that are still there are
/// not told any more.
class thread_end {
public:
    explicit constexpr thread_end(void (*tell)(void*)) noexcept : tell_(tell) {}
    thread_end(const thread_end&) = delete;
    thread_end& operator=(const thread_end&) = delete;
    ~thread_end() {
        const std::uint64_t made = key_.exchange(closed, std::memory_order_acq_rel);
        if (made != none && made != closed) ::pthread_key_delete(static_cast<pthread_key_t>(made - first));
    }

    /// Whether the calling thread will be told of its end. False: the process has too many keys, or no memory.
    bool will_be_told() noexcept {
        const std::uint64_t key = made();
        return key != closed && ::pthread_setspecific(static_cast<pthread_key_t>(key - first), this) == 0;
    }

#if defined(__linux__)
    static constexpr bool knows_ended_threads = true;
#else
    static constexpr bool knows_ended_threads = false;
#endif
    /// A number for `has_ended`, which is not 0; or 0 if the system does not answer that.
    static std::uint32_t number_of_this_thread() noexcept {
#if defined(__linux__)
        const int error = errno;
        const long number = ::syscall(SYS_gettid);
        const bool answers = number > 0 && ::syscall(SYS_tgkill, ::getpid(), number, 0) == 0;
        errno = error;
        return answers ? static_cast<std::uint32_t>(number) : 0;
#else
        return 0;
#endif
    }
    /// Whether the thread runs no code any more, not even that of a signal handler. (A new thread of this process may have
    /// got its number: then not yet.)
    static bool has_ended([[maybe_unused]] std::uint32_t number) noexcept {
#if defined(__linux__)
        const int error = errno;
        const bool ended = ::syscall(SYS_tgkill, ::getpid(), static_cast<long>(number), 0) != 0 && errno == ESRCH;
        errno = error;
        return ended;
#else
        return false;
#endif
    }

private:
    static constexpr std::uint64_t none = 0;
    static constexpr std::uint64_t closed = 1; ///< the library goes; or, returned: no key can be had
    static constexpr std::uint64_t first = 2;

    std::uint64_t made() noexcept {
        std::uint64_t key = key_.load(std::memory_order_acquire);
        if (key != none) return key;
        pthread_key_t fresh{};
        if (::pthread_key_create(&fresh, tell_) != 0) return closed;
        // acquire, release: a thread uses a key that has been made.
        if (key_.compare_exchange_strong(key, fresh + first, std::memory_order_acq_rel)) return fresh + first;
        ::pthread_key_delete(fresh);
        return key;
    }

    void (*const tell_)(void*);
    std::atomic<std::uint64_t> key_{none};
};

} // namespace syncmap::sync
