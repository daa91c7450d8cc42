// Computations as counted figures: how often functions run, what waiting costs, what is allocated.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include <gtest/gtest.h>

#include "life/common.hpp"
#include "support/allocations.hpp"
#include "support/threads.hpp"
#include "support/types.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

/// Processor time of the calling thread.
std::chrono::microseconds processor_time() {
    rusage used{};
    ::getrusage(RUSAGE_THREAD, &used);
    const auto of = [](const timeval& t) {
        return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

} // namespace

TEST(computations, run_once_for_all_who_ask) {
    const watchdog dog("computations that everybody asks for");
    texts map;
    std::atomic<std::uint64_t> runs{0};
    std::atomic<std::uint64_t> failures{0};
    const std::uint64_t count = std::min<std::uint64_t>(scaled(1000), keys<texts>().size());
    together(crowd, [&](std::size_t) {
        for (std::uint64_t n = 0; n < count; ++n) {
            for (bool done = false; !done;) {
                try { // of each key the first attempt throws: nobody else but its caller is told
                    const auto result = map.load_or_compute(keys<texts>()[n], [&] {
                        if (n % 4 == 0 && failures.fetch_add(1) % 2 == 0) throw thrown_on_purpose();
                        runs += 1;
                        return proven<texts>(n, 0);
                    });
                    ASSERT_TRUE(proof<wide_proof>::holds(result.value, n));
                    done = true;
                } catch (const thrown_on_purpose&) {}
            }
        }
    });
    EXPECT_EQ(runs.load(), count) << "one success for each key";
    EXPECT_EQ(map.size(), count);

    std::atomic<std::uint64_t> updates{0};
    together(crowd, [&](std::size_t) {
        for (std::uint64_t i = 0; i < count; ++i) {
            map.update("sum", [&](const wide_proof* old) {
                updates += 1;
                return proven<texts>(0, old == nullptr ? 1 : old->from.generation + 1);
            });
        }
    });
    EXPECT_EQ(updates.load(), crowd * count);
    EXPECT_EQ(map.load("sum")->from.generation, crowd * count);
}

TEST(computations, let_those_who_wait_sleep) {
    const watchdog dog("waiting for a computation");
    texts map;
    map.store("present", proven<texts>(1, 0));
    const auto wait = std::chrono::milliseconds(long_form() ? 5000 : 500);
    for (const bool present : {true, false}) {
        const std::string key = present ? "present" : "absent";
        std::latch computing(1);
        std::vector<std::chrono::microseconds> spent(5);
        std::vector<std::jthread> waiters;
        const auto wait_in = [&](std::size_t i, auto operation) {
            waiters.emplace_back([&, i, operation] {
                map.store("its own", proven<texts>(i, 0)); // the thread's first use is not what is measured
                computing.wait();
                const auto before = processor_time();
                operation();
                spent[i] = processor_time() - before;
            });
        };
        const auto value = proven<texts>(9, 9);
        wait_in(0, [&] { map.store(key, value); });
        wait_in(1, [&] { map.update(key, [&](const auto*) { return value; }); });
        wait_in(2, [&] { static_cast<void>(map.exchange(key, value)); });
        wait_in(3, [&] {
            static_cast<void>(present ? map.erase(key) : map.load_or_compute(key, [&] { return value; }).loaded);
        });
        wait_in(4, [&] { map.update(key, [&](const auto*) { return value; }); });
        map.update(key, [&](const auto*) {
            computing.count_down();
            std::this_thread::sleep_for(wait);
            return proven<texts>(1, 1);
        });
        waiters.clear();
        for (std::size_t i = 0; i < spent.size(); ++i) {
            report("microseconds of processor time in a wait of " + std::to_string(wait.count()) + " ms",
                   static_cast<std::uint64_t>(spent[i].count()));
            // A waiter that spun would have used a good part of it: two processors, five waiters.
            EXPECT_LT(spent[i], std::chrono::milliseconds(sanitized ? 100 : 20)) << "waiter " << i;
        }
    }
}

TEST(computations, that_change_nothing_allocate_nothing) {
    numbers some;
    texts others;
    for (std::uint64_t n = 0; n < 100; ++n) {
        some.store(n, n);
        others.store(keys<texts>()[n], proven<texts>(n, 0));
    }
    const std::string& key = keys<texts>()[1]; // longer than the buffer in a string
    const std::string& absent = keys<texts>()[101];
    const auto nothing = [](const auto*) { return syncmap::keep; };
    EXPECT_EQ(allocations_of([&] { some.update(1, nothing); }), 0U);
    EXPECT_EQ(allocations_of([&] { EXPECT_TRUE(some.load_or_compute(1, [] { return 5U; }).loaded); }), 0U);
    EXPECT_EQ(allocations_of([&] { EXPECT_TRUE(others.load_or_compute(key, [] { return wide_proof{}; }).loaded); }),
              0U);
    EXPECT_EQ(allocations_of([&] { others.update(absent, nothing); }), 0U);
    EXPECT_EQ(allocations_of([&] { some.update(200, nothing); }), 0U);
    EXPECT_EQ(allocations_of([&] { others.erase(absent); }), 0U);
    EXPECT_EQ(allocations_of([&] {
                  EXPECT_THROW(static_cast<void>(some.load_or_compute(300, []() -> std::uint64_t { throw 1; })), int);
              }) > 2,
              false)
        << "more than the exception itself";
    EXPECT_EQ(allocations_of([&] { EXPECT_FALSE(others.insert(key, proven<texts>(1, 1))); }), 0U);
    EXPECT_EQ(allocations_of([&] { some.update(1, [](const std::uint64_t* old) { return *old + 1; }); }), 0U)
        << "an overwrite in place";
    EXPECT_EQ(allocations_of([&] { some.fetch_add(1, 1); }), 0U);
}

} // namespace test
