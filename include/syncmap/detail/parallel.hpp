// Numbered parts of one piece of work, done by several threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include <pthread.h>

#include <syncmap/detail/sorting.hpp>

namespace syncmap::detail {

/// Threads that its destructor joins. (By POSIX: <thread> takes long to compile.)
class joined_threads {
public:
    explicit joined_threads(std::size_t most) { all_.reserve(most); }
    joined_threads(const joined_threads&) = delete;
    joined_threads& operator=(const joined_threads&) = delete;
    ~joined_threads() {
        for (const pthread_t each : all_) ::pthread_join(each, nullptr);
    }

    /// Lets another thread call `run`, which is to outlive this object. Returns false if the system refuses a thread.
    template <class Run>
    bool add(const Run& run) noexcept {
        static_assert(noexcept(run()));
        pthread_t fresh{};
        const auto call = [](void* function) -> void* {
            (*static_cast<const Run*>(function))();
            return nullptr;
        };
        if (::pthread_create(&fresh, nullptr, call, const_cast<Run*>(std::addressof(run))) != 0) return false;
        all_.push_back(fresh); // there is room
        return true;
    }

private:
    std::vector<pthread_t> all_{};
};

/// Calls `work(part)` once for each part from 0 to `parts` - 1, on up to `threads` threads, of which the caller is one. If the
/// system refuses a thread, the others do its work. The first exception ends the work. It reaches the caller when all threads
/// have ended.
template <class Work>
void in_parallel(std::size_t threads, std::size_t parts, Work work) {
    if (threads == 0) throw std::invalid_argument("syncmap: work for no threads: at least one is needed");
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::exception_ptr first; // written by the thread that sets `failed`, read after all threads have ended
    const auto run = [&]() noexcept {
        try {
            for (std::size_t part;
                 !failed.load(std::memory_order_relaxed) && (part = next.fetch_add(1, std::memory_order_relaxed)) < parts;) {
                work(part);
            }
        } catch (...) {
            if (!failed.exchange(true, std::memory_order_relaxed)) first = std::current_exception();
        }
    };
    try {
        const std::size_t most = detail::lesser(threads, parts) - 1;
        joined_threads helpers(most);
        for (std::size_t i = 0; i < most && helpers.add(run); ++i) {}
        run();
    } catch (const std::bad_alloc&) { // no memory to name the threads: this one does the work
        run();
    }
    if (first) std::rethrow_exception(first);
}

} // namespace syncmap::detail
