// Numbered parts of one piece of work, done by several threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include <syncmap/detail/sorting.hpp>

namespace syncmap::detail {

/// Threads that its destructor joins. (The std::jthread of libc++ is experimental.)
struct joined_threads {
    std::vector<std::thread> all{};

    joined_threads() = default;
    joined_threads(const joined_threads&) = delete;
    joined_threads& operator=(const joined_threads&) = delete;
    ~joined_threads() {
        for (std::thread& each : all) each.join();
    }
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
    {
        joined_threads helpers;
        try {
            helpers.all.reserve(detail::lesser(threads, parts) - 1);
            while (helpers.all.size() + 1 < detail::lesser(threads, parts)) helpers.all.emplace_back(run);
        } catch (const std::system_error&) { // the system has no more threads,
        } catch (const std::bad_alloc&) {    // or no memory for one
        }
        run();
    }
    if (first) std::rethrow_exception(first);
}

} // namespace syncmap::detail
