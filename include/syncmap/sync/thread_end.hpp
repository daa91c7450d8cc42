// Reports that a thread ends.
//
// A thread-local object with a destructor would do, but the system ends the process if it lacks memory to register that
// destructor. So this is a key of thread-specific data: its destructors run later, and it returns an error instead.
//
// A thread in such a destructor still runs: other destructors may follow, and signal handlers. Only the system knows whether
// it has ended for good.
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
/// `exit` does not count as the end of the main thread. When the library that has this code is unloaded, the threads that
/// still run are not called any more.
class thread_end {
public:
    explicit constexpr thread_end(void (*tell)(void*)) noexcept : tell_(tell) {}
    thread_end(const thread_end&) = delete;
    thread_end& operator=(const thread_end&) = delete;
    ~thread_end() {
        const std::uint64_t made = key_.exchange(closed, std::memory_order_acq_rel);
        if (made != none && made != closed) ::pthread_key_delete(static_cast<pthread_key_t>(made - first));
    }

    /// Asks for the call at the end of the calling thread. Returns false if the process has too many keys, or no memory.
    bool will_be_told() noexcept {
        const std::uint64_t key = made();
        return key != closed && ::pthread_setspecific(static_cast<pthread_key_t>(key - first), this) == 0;
    }

#if defined(__linux__)
    static constexpr bool knows_ended_threads = true;
#else
    static constexpr bool knows_ended_threads = false;
#endif
    /// Returns a number for `has_ended`, or 0 if the system does not report whether threads have ended.
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
    /// Returns whether the thread runs no code any more, not even that of a signal handler. (If a new thread of this process
    /// has got its number: false.)
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
    static constexpr std::uint64_t closed = 1; ///< the library is being unloaded; as a result of `made`: there is no key
    static constexpr std::uint64_t first = 2;

    std::uint64_t made() noexcept {
        std::uint64_t key = key_.load(std::memory_order_acquire); // (1) acquire: pairs with (2)
        if (key != none) return key;
        pthread_key_t fresh{};
        if (::pthread_key_create(&fresh, tell_) != 0) return closed;
        // (2) release: pairs with the acquire of (1) and (2); without it a thread may use a key that is not made yet.
        if (key_.compare_exchange_strong(key, fresh + first, std::memory_order_acq_rel)) return fresh + first;
        ::pthread_key_delete(fresh);
        return key;
    }

    void (*const tell_)(void*);
    std::atomic<std::uint64_t> key_{none};
};

} // namespace syncmap::sync
