// Reads in signal handlers, and what a read does not do: lock, allocate, call the system.
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <latch>
#include <thread>

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/seccomp.h>
#include <sys/prctl.h>
#endif

#include <gtest/gtest.h>

#include <syncmap/snapshot.hpp>
#include <syncmap/warm_up.hpp>

#include "life/common.hpp"
#include "support/allocations.hpp"
#include "support/stepping_sync.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

// ---- handlers ----

numbers* signalled_numbers = nullptr;
texts* signalled_texts = nullptr;
std::atomic<std::uint64_t> handled{0};
std::atomic<std::uint64_t> wrong_reads{0};
std::atomic<std::uint64_t> allocations_in_handlers{0};

void read_in_handler(int) {
    static std::atomic<std::uint64_t> next{0};
    const std::uint64_t number = next.fetch_add(1, std::memory_order_relaxed);
    allocations_in_handlers += allocations_of([&] {
        for (const std::uint64_t n : {number % 200, number * 31 % 4000}) {
            if (!read_one(*signalled_numbers, n) || !read_one(*signalled_texts, n)) wrong_reads += 1;
        }
    });
    handled += 1;
}

/// Two threads that write, each interrupted by reads of what it writes.
void interrupt_writers(std::chrono::milliseconds length) {
    numbers some;
    texts others;
    signalled_numbers = &some;
    signalled_texts = &others;
    for (std::uint64_t n = 0; n < 100; ++n) {
        some.store(keys<numbers>()[n], proven<numbers>(n, 0));
        others.store(keys<texts>()[n], proven<texts>(n, 0));
    }
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = read_in_handler;
    action.sa_flags = SA_RESTART;
    ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
    std::atomic<bool> stop{false};
    std::latch ready(3);
    const auto goes_on = [&] { return !stop.load(); };
    {
        std::jthread of_numbers([&] {
            syncmap::warm_up();
            ready.arrive_and_wait();
            write_while(some, 1, goes_on);
        });
        std::jthread of_texts([&] {
            static_cast<void>(others.contains(keys<texts>()[0])); // does the same
            ready.arrive_and_wait();
            write_while(others, 2, goes_on);
        });
        ready.arrive_and_wait();
        const auto end = std::chrono::steady_clock::now() + length;
        while (std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_for(std::chrono::microseconds(900)); // a kilohertz for each
            ::pthread_kill(of_numbers.native_handle(), SIGUSR1);
            ::pthread_kill(of_texts.native_handle(), SIGUSR1);
        }
        stop = true;
    }
    ASSERT_EQ(::sigaction(SIGUSR1, &before, nullptr), 0);
}

} // namespace

TEST(signals, may_come_anywhere_in_a_write_and_read_the_map) {
    const watchdog dog("reads in signal handlers", std::chrono::seconds(200));
    handled = 0;
    allocations_in_handlers = 0;
    interrupt_writers(std::chrono::milliseconds(long_form() ? 60'000 : 2'500));
    report("signals over writing threads, each with 12 reads", handled);
    EXPECT_EQ(wrong_reads.load(), 0U);
    EXPECT_EQ(allocations_in_handlers.load(), 0U);
    if (!sanitized) { // the thread sanitizer delivers them when it sees fit
        EXPECT_GE(handled.load(), 1000U);
    }
}

// ---- what a read does not do ----

namespace {

template <class Map>
void half_moved(Map& map) {
    // 260 of them: the table has just been left, and a part of its buckets moved.
    for (std::uint64_t n = 0; n < 260; ++n) map.store(keys<Map>()[n], proven<Map>(n, 0));
}

template <class Map>
bool read_all(const Map& map) {
    bool right = true;
    for (std::uint64_t n = 0; n < 400; ++n) right = read_one(map, n) && right; // the later ones are absent
    return right;
}

} // namespace

TEST(reads, do_not_allocate) {
    numbers some;
    texts others;
    half_moved(some);
    half_moved(others);
    EXPECT_EQ(allocations_of([&] { EXPECT_TRUE(read_all(some) && read_all(others)); }), 0U);
}

#if defined(__linux__) && !defined(SYNCMAP_TEST_SANITIZED)
namespace {

/// In a process of its own, where the system ends a thread that calls it but to exit: whether `f` returned true.
template <class F>
bool without_system_calls(F f) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) ::_exit(2);
        ::syscall(SYS_exit, f() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

TEST(reads, do_not_call_the_system) {
    numbers some;
    texts others;
    half_moved(some);
    half_moved(others);
    ASSERT_TRUE(read_all(some) && read_all(others));
    ASSERT_FALSE(without_system_calls([] { return ::getppid() > 0; })) << "the trap does not work";
    EXPECT_TRUE(without_system_calls([&] { return read_all(some) && read_all(others); }));
}
#endif

namespace {

thread_local std::uint64_t steps_taken[4];

/// The steps on shared memory of `f`, by kind.
template <class F>
std::array<std::uint64_t, 4> steps_of(F f) {
    for (auto& each : steps_taken) each = 0;
    on_step = [](step what) { ++steps_taken[static_cast<int>(what)]; };
    f();
    on_step = nullptr;
    return {steps_taken[0], steps_taken[1], steps_taken[2], steps_taken[3]};
}

template <class Key, class T>
using stepped_map = syncmap::basic_map<syncmap::engine::table<Key, T, syncmap::hash<Key>, std::equal_to<>,
                                                              std::allocator<std::pair<const Key, T>>, stepping_sync>>;

/// Of reads of present and absent keys, while the table is moving: hits in a node store a hazard, and clear it.
template <class Key, class T>
void expect_no_lock(std::uint64_t stores_of_a_hit) {
    stepped_map<Key, T> map;
    for (std::uint64_t n = 0; n < 260; ++n) map.store(key_of<Key>(n), proof<T>::of({n, 0, 0}));
    static_cast<void>(map.contains(key_of<Key>(0)));
    for (std::uint64_t n = 0; n < 400; ++n) {
        const Key key = key_of<Key>(n);
        const auto steps = steps_of([&] { static_cast<void>(map.contains(key)); });
        EXPECT_GT(steps[static_cast<int>(step::load)], 0U);
        EXPECT_LE(steps[static_cast<int>(step::store)],
                  stores_of_a_hit == 0 ? 0 : stores_of_a_hit + 2); // equal tags: one more
        EXPECT_EQ(steps[static_cast<int>(step::change)], 0U) << "a read-modify-write in a read of " << n;
        EXPECT_EQ(steps[static_cast<int>(step::lock)], 0U) << "a lock in a read of " << n;
    }
}

} // namespace

TEST(reads, take_no_lock_and_write_but_the_hazard_of_their_thread) {
    expect_no_lock<std::uint64_t, std::uint64_t>(0);
    expect_no_lock<std::string, wide_proof>(2);
}

} // namespace test
