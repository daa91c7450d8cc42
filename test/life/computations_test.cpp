// Computations as counted figures: how often functions run, what waiting costs, what is allocated.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "life/common.hpp"
#include <syncmap/snapshot_map.hpp>

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
    const auto of = [](const timeval& t) { return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec); };
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
                try { // of each key the first attempt throws: it, and those that wait for it, try again
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
        wait_in(3,
                [&] { static_cast<void>(present ? map.erase(key) : map.load_or_compute(key, [&] { return value; }).loaded); });
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
    some.update(2, nothing); // the first computation of the process makes what all of them share
    EXPECT_EQ(allocations_of([&] { some.update(1, nothing); }), 0U);
    EXPECT_EQ(allocations_of([&] { EXPECT_TRUE(some.load_or_compute(1, [] { return 5U; }).loaded); }), 0U);
    EXPECT_EQ(allocations_of([&] { EXPECT_TRUE(others.load_or_compute(key, [] { return wide_proof{}; }).loaded); }), 0U);
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

// ---- many threads ----

namespace {

/// Threads of which it can be said that all are asleep.
class sleepers {
public:
    /// Runs `f(i)` in `count` threads.
    template <class F>
    sleepers(std::size_t count, F f) : ids_(count) {
        for (std::size_t i = 0; i != count; ++i) {
            threads_.emplace_back([this, i, f] {
                ids_[i].store(static_cast<pid_t>(::syscall(SYS_gettid)));
                f(i);
                ids_[i].store(ended);
            });
        }
    }

    /// Waits until each but the caller has begun, and was found asleep or at its end three times in a row.
    void wait_until_asleep() const {
        const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
        for (int looks = 0; looks != 3;) {
            bool all = true;
            for (const auto& each : ids_) {
                const pid_t id = each.load();
                all = all && (id == ended || id == self || (id != 0 && is_asleep(id)));
            }
            looks = all ? looks + 1 : 0;
            std::this_thread::yield();
        }
    }
    void join() { threads_.clear(); }

private:
    static constexpr pid_t ended = -1;

    static bool is_asleep(pid_t id) {
        std::ifstream file("/proc/self/task/" + std::to_string(id) + "/stat");
        std::string line;
        std::getline(file, line);
        const std::size_t name_end = line.rfind(')');
        return name_end != std::string::npos && line.size() > name_end + 2 && line[name_end + 2] == 'S';
    }

    std::vector<std::atomic<pid_t>> ids_;
    std::vector<std::jthread> threads_{};
};

/// On a stack that is large enough for computations 16,000 deep.
void on_a_large_stack(const std::function<void()>& f) {
    pthread_attr_t attributes;
    ASSERT_EQ(::pthread_attr_init(&attributes), 0);
    ASSERT_EQ(::pthread_attr_setstacksize(&attributes, std::size_t{1} << 30), 0);
    pthread_t thread;
    const auto run = [](void* argument) -> void* {
        (*static_cast<const std::function<void()>*>(argument))();
        return nullptr;
    };
    ASSERT_EQ(::pthread_create(&thread, &attributes, run, const_cast<void*>(static_cast<const void*>(&f))), 0);
    ::pthread_attr_destroy(&attributes);
    ::pthread_join(thread, nullptr);
}

template <class Map>
class flights : public ::testing::Test {};
using maps_with_flights = ::testing::Types<numbers, texts, syncmap::snapshot_map<std::uint64_t, std::uint64_t>>;
TYPED_TEST_SUITE(flights, maps_with_flights);

} // namespace

TYPED_TEST(flights, that_fail_run_once_for_all_who_wait) {
    const watchdog dog("waiters of a function that throws");
    TypeParam map;
    const auto key = key_of<typename TypeParam::key_type>(1);
    constexpr std::size_t waiters = 20;
    for (const bool earlier_owner : {false, true}) { // a waiter that was called by another owner runs the function
        std::atomic<int> runs{0};
        std::atomic<std::size_t> failures{0};
        sleepers* all = nullptr;
        std::latch others(1);
        const auto compute = [&] {
            try {
                static_cast<void>(map.load_or_compute(key, [&]() -> typename TypeParam::mapped_type {
                    if (++runs == 1 && !earlier_owner) {
                        others.count_down();
                        all->wait_until_asleep();
                    }
                    throw thrown_on_purpose();
                }));
            } catch (const thrown_on_purpose&) {
                ++failures;
            }
        };
        sleepers waiting(waiters, [&](std::size_t) {
            others.wait();
            compute();
        });
        all = &waiting;
        if (earlier_owner) {
            map.update(key, [&](const auto*) {
                others.count_down();
                waiting.wait_until_asleep();
                return syncmap::keep;
            });
        } else {
            compute();
        }
        waiting.join();
        EXPECT_EQ(runs.load(), 1);
        EXPECT_EQ(failures.load(), waiters + (earlier_owner ? 0U : 1U));
        EXPECT_FALSE(map.contains(key));
    }
}

TYPED_TEST(flights, that_are_unshared_fail_for_their_caller_alone) {
    const watchdog dog("waiters that share nothing");
    TypeParam map;
    const auto key = key_of<typename TypeParam::key_type>(1);
    constexpr std::size_t waiters = 20;
    std::atomic<int> runs{0};
    std::atomic<int> failures{0};
    std::latch others(1);
    sleepers waiting(waiters, [&](std::size_t) {
        others.wait();
        try {
            static_cast<void>(map.load_or_compute(syncmap::unshared, key, [&]() -> typename TypeParam::mapped_type {
                if (++runs != static_cast<int>(waiters)) throw thrown_on_purpose();
                return proven<TypeParam>(1, 1);
            }));
        } catch (const thrown_on_purpose&) {
            ++failures;
        }
    });
    map.update(key, [&](const auto*) {
        others.count_down();
        waiting.wait_until_asleep();
        return syncmap::keep;
    });
    waiting.join();
    EXPECT_EQ(runs.load(), static_cast<int>(waiters));
    EXPECT_EQ(failures.load(), static_cast<int>(waiters) - 1);
    EXPECT_TRUE(map.contains(key));
}

TYPED_TEST(flights, after_a_clear_run_once_more) {
    // The result is dropped, and those that wait ask after the clear: one of them runs the function for all.
    const watchdog dog("waiters beside a clear");
    TypeParam map;
    const auto key = key_of<typename TypeParam::key_type>(1);
    std::atomic<int> runs{0};
    std::latch others(1);
    sleepers waiting(20, [&](std::size_t) {
        others.wait();
        EXPECT_TRUE(proof<typename TypeParam::mapped_type>::holds(map.load_or_compute(key,
                                                                                      [&] {
                                                                                          ++runs;
                                                                                          return proven<TypeParam>(1, 2);
                                                                                      })
                                                                      .value,
                                                                  1));
    });
    const auto result = map.load_or_compute(key, [&] {
        others.count_down();
        waiting.wait_until_asleep();
        map.clear();
        return proven<TypeParam>(1, 1);
    });
    EXPECT_FALSE(result.loaded);
    waiting.join();
    EXPECT_EQ(runs.load(), 1);
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(flights, wake_one_waiter_at_a_time) {
    const watchdog dog("waiters that are woken one by one");
    TypeParam map;
    const auto key = key_of<typename TypeParam::key_type>(1);
    constexpr std::size_t waiters = 50;
    sleepers* all = nullptr;
    std::atomic<std::uint64_t> switches{0};
    std::latch others(1);
    const auto waits_of_thread = [] {
        rusage used{};
        ::getrusage(RUSAGE_THREAD, &used);
        return static_cast<std::uint64_t>(used.ru_nvcsw);
    };
    sleepers waiting(waiters, [&](std::size_t) {
        others.wait();
        const std::uint64_t before = waits_of_thread();
        map.update(key, [&](const auto*) {
            all->wait_until_asleep(); // those that were woken as well are asleep again
            return proven<TypeParam>(1, 1);
        });
        switches += waits_of_thread() - before;
    });
    all = &waiting;
    map.update(key, [&](const auto*) {
        others.count_down();
        waiting.wait_until_asleep();
        return syncmap::keep;
    });
    waiting.join();
    report("times that 50 waiters slept", switches.load());
    // Each sleeps until it is called, and now and then for a lock. Waking all each time makes it 1,275.
    EXPECT_LT(switches.load(), 6 * waiters);
}

TEST(computations, of_thousands_of_threads_finish) {
    const watchdog dog("thousands of threads on all operations");
    const std::size_t threads = sanitized ? 500 : 4000;
    numbers some;
    texts others;
    std::atomic<std::uint64_t> updates{0};
    {
        std::latch go(1);
        std::vector<std::jthread> all;
        for (std::size_t t = 0; t != threads; ++t) {
            all.emplace_back([&, t] {
                go.wait();
                for (std::uint64_t i = 0; i != 4; ++i) {
                    const std::uint64_t n = (t + i) % 4;
                    const std::string& key = keys<texts>()[n];
                    some.update(0, [&](const std::uint64_t* old) { return old == nullptr ? 1 : *old + 1; });
                    ++updates;
                    some.update({1, 2}, [](auto slots) {
                        for (auto& slot : slots) slot.assign(slot.current() == nullptr ? 1 : *slot.current() + 1);
                    });
                    static_cast<void>(some.load_or_compute(10 + n, [] { return std::uint64_t{5}; }));
                    some.erase(10 + n);
                    some.fetch_add(20 + n, 1);
                    static_cast<void>(others.load_or_compute(key, [&] { return proven<texts>(n, 0); }));
                    others.update(key, [&](const auto*) { return proven<texts>(n, 1); });
                    others.store(key, proven<texts>(n, 2));
                    if (t % 64 == 0) others.erase(key);
                    if (t % 512 == 0) others.clear();
                }
            });
        }
        go.count_down();
    }
    EXPECT_EQ(some.load(0), updates.load());
    EXPECT_EQ(some.load(1), updates.load());
    EXPECT_EQ(some.load(2), updates.load());
    std::uint64_t added = 0;
    for (std::uint64_t n = 0; n != 4; ++n) added += some.load(20 + n).value_or(0);
    EXPECT_EQ(added, updates.load());
}

TEST(computations, of_one_thread_nest_without_using_up_hazard_records) {
    const watchdog dog("computations in computations");
    const std::uint64_t depth = sanitized ? 1000 : 16'000;
    const auto hazard_records = [] {
        return syncmap::engine::process<syncmap::engine::machine>::instance().threads.hazard_record_count();
    };
    on_a_large_stack([&] {
        numbers some;
        syncmap::map<std::string, std::string> others;
        const auto name = [](std::uint64_t n) { return "a key that is longer than a string " + std::to_string(n); };
        const auto compute = [&](auto& self, std::uint64_t n) -> std::uint64_t {
            return n == 0 ? 0 : some.load_or_compute(n, [&] { return self(self, n - 1) + 1; }).value;
        };
        EXPECT_EQ(compute(compute, depth), depth);
        for (std::uint64_t n = 1; n <= depth; ++n) others.store(name(n), "old");
        const std::size_t before = hazard_records();
        const auto update = [&](auto& self, std::uint64_t n) -> void {
            if (n == 0) return;
            others.update(name(n), [&](const std::string* old) {
                self(self, n - 1);
                EXPECT_EQ(*old, "old");
                return "new " + std::to_string(n);
            });
        };
        update(update, depth);
        EXPECT_LT(hazard_records(), before + 4) << "hazards of the thread's own are enough";
        for (std::uint64_t n = 1; n <= depth; ++n) EXPECT_EQ(others.load(name(n)), "new " + std::to_string(n));
        EXPECT_THROW(others.update(name(1),
                                   [&](const std::string*) {
                                       others.store(name(1), "x");
                                       return "y";
                                   }),
                     syncmap::recursive_update);
    });
}

// ---- equality that writes ----

namespace {

/// A key whose comparison calls a hook of its thread.
struct curious {
    int number;
    static inline thread_local std::function<void()>* on_comparison = nullptr;
    friend bool operator==(const curious& a, const curious& b) {
        if (auto* const hook = std::exchange(on_comparison, nullptr)) (*hook)();
        return a.number == b.number;
    }
};
struct curious_hash {
    std::size_t operator()(const curious& key) const { return static_cast<std::size_t>(key.number); }
};

template <template <class...> class Map>
void store_in_equality() {
    Map<curious, int, curious_hash, std::equal_to<curious>> map;
    const curious outer{1}, inner{2};
    std::latch computing(1), comparing(1);
    std::jthread other([&] {
        computing.wait();
        std::function<void()> hook = [&] {
            comparing.count_down();
            map.store(outer, 5); // waits for the other thread
        };
        curious::on_comparison = &hook;
        map.update(inner, [](const int* old) { return *old + 1; });
    });
    map.update(outer, [&](const int*) {
        map.update(inner, [&](const int*) {
            computing.count_down();
            comparing.wait();
            return 10;
        });
        return 20;
    });
    other.join();
    EXPECT_EQ(map.load(outer), 5);
    EXPECT_EQ(map.load(inner), 11);
}

} // namespace

TEST(computations, beside_an_equality_that_stores_end) {
    const watchdog dog("an equality that stores");
    store_in_equality<syncmap::map>();
}

} // namespace test
