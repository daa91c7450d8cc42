// The bound at every instant: eight threads work, and a ninth does nothing but ask for the size.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <syncmap/cache.hpp>

#include <gtest/gtest.h>

namespace {

using number_cache = syncmap::cache<std::uint64_t, std::uint64_t>;

/// Values tell their key, so a value under the wrong key shows.
constexpr std::uint64_t value_of(std::uint64_t key, std::uint64_t version) { return key << 20 | version; }

void work(number_cache& c, unsigned thread, std::uint64_t keys, int steps) {
    std::minstd_rand chance(thread + 1);
    for (int i = 0; i < steps; ++i) {
        const std::uint64_t key = chance() % keys;
        const auto version = static_cast<std::uint64_t>(i);
        switch (chance() % 16) {
        case 0: c.invalidate(key); break;
        case 1: c.put_if_absent(key, value_of(key, version)); break;
        case 2: c.replace(key, value_of(key, version)); break;
        case 3:
            c.update(key, [&](const std::uint64_t* now) -> std::optional<std::uint64_t> {
                if (now != nullptr && i % 2 == 0) return std::nullopt;
                return value_of(key, version);
            });
            break;
        case 4: static_cast<void>(c.take(key)); break;
        case 5: EXPECT_EQ(c.get_or_load(key, [&] { return value_of(key, version); }) >> 20, key); break;
        case 6: {
            const auto kept = c.pin(key);
            if (kept) {
                EXPECT_EQ(*kept >> 20, key);
            }
            break;
        }
        case 7:
            if (i % 512 == 0) c.invalidate_all();
            break;
        default:
            if (const auto value = c.get(key)) {
                EXPECT_EQ(*value >> 20, key);
            } else {
                c.put(key, value_of(key, version));
            }
        }
    }
}

TEST(cache_bound, holds_at_every_instant) {
    for (const std::size_t capacity : {1U, 3U, 40U, 700U, 12'000U}) {
        number_cache c({.capacity = capacity});
        std::atomic<bool> ended{false};
        std::size_t most = 0;
        std::jthread watcher([&] {
            while (!ended.load()) {
                const std::size_t n = c.size();
                if (n > most) most = n;
            }
        });
        {
            const int steps = capacity < 10 ? 1'500 : 6'000;
            std::vector<std::jthread> workers; // the last: it waits for threads that read what stands above
            for (unsigned t = 0; t < 8; ++t) workers.emplace_back([&, t] { work(c, t, 3 * capacity + 8, steps); });
        }
        ended = true;
        watcher.join();
        EXPECT_LE(most, capacity);
        // All permits have come back: the cache fills up again, to the last entry.
        for (std::uint64_t i = 0; i < 3 * capacity + 100; ++i) c.put((std::uint64_t{1} << 40) + i, 0);
        EXPECT_EQ(c.size(), capacity);
    }
}

TEST(cache_bound, lets_more_threads_put_than_it_has_entries) {
    number_cache c({.capacity = 2});
    {
        std::vector<std::jthread> workers;
        for (std::uint64_t t = 0; t < 8; ++t) {
            workers.emplace_back([&, t] {
                for (std::uint64_t i = 0; i < 2'000; ++i) EXPECT_TRUE(c.put(i * 8 + t, i));
            });
        }
    }
    EXPECT_EQ(c.size(), 2U);
}

TEST(cache_bound, holds_while_functions_of_updates_put) {
    // Each update needs room, and its function needs some too.
    number_cache c({.capacity = 1});
    {
        std::vector<std::jthread> workers;
        for (std::uint64_t t = 0; t < 4; ++t) {
            workers.emplace_back([&, t] {
                for (std::uint64_t i = 0; i < 500; ++i) {
                    c.update(t, [&](const std::uint64_t*) {
                        c.put(100 + t * 1'000 + i, i);
                        return i;
                    });
                }
            });
        }
    }
    EXPECT_EQ(c.size(), 1U);
}

TEST(cache_loads_of_threads, are_made_once_and_shared) {
    syncmap::cache<std::string, std::string> c({.capacity = 100});
    for (int round = 0; round < 20; ++round) {
        const std::string key = "key " + std::to_string(round);
        std::atomic<int> calls{0};
        std::atomic<int> arrived{0};
        std::atomic<int> right{0};
        {
            std::vector<std::jthread> all;
            for (int t = 0; t < 8; ++t) {
                all.emplace_back([&] {
                    ++arrived;
                    const auto value = c.get_or_load(key, [&] {
                        ++calls;
                        while (arrived.load() != 8) std::this_thread::yield(); // the others are there, or about to ask
                        return std::string("loaded");
                    });
                    right += value == "loaded" ? 1 : 0;
                });
            }
        }
        EXPECT_EQ(calls.load(), 1);
        EXPECT_EQ(right.load(), 8);
    }
}

TEST(cache_loads_of_threads, share_an_exception_and_go_on) {
    syncmap::cache<std::string, std::string> c({.capacity = 100});
    std::atomic<int> caught{0};
    {
        std::vector<std::jthread> all;
        for (int t = 0; t < 8; ++t) {
            all.emplace_back([&] {
                try {
                    static_cast<void>(c.get_or_load("a", []() -> std::string { throw std::runtime_error("no"); }));
                } catch (const std::runtime_error&) {
                    ++caught;
                }
            });
        }
    }
    EXPECT_EQ(caught.load(), 8);
    EXPECT_EQ(c.get_or_load("a", [] { return std::string("1"); }), "1");
}

TEST(cache_loads_of_threads, do_not_make_others_wait) {
    // A loader that does not return until all of this has happened.
    syncmap::cache<std::string, std::string> c({.capacity = 100});
    std::latch loading(1);
    std::latch others_done(1);
    std::jthread loader([&] {
        EXPECT_EQ(c.get_or_load("slow",
                                [&] {
                                    loading.count_down();
                                    others_done.wait();
                                    return std::string("old");
                                }),
                  "old");
    });
    loading.wait();
    EXPECT_EQ(c.get_or_load("other", [] { return std::string("1"); }), "1");
    EXPECT_EQ(c.get("slow"), std::nullopt);
    c.put("slow", "put");
    EXPECT_EQ(c.get("slow"), "put");
    c.invalidate("slow");
    EXPECT_EQ(c.get_or_load("slow", [] { return std::string("new"); }), "new") << "an overtaken load is nobody's any more";
    others_done.count_down();
    loader.join();
    EXPECT_EQ(c.get("slow"), "new");
}

TEST(cache_loads_of_threads, in_a_circle_are_told_once) {
    syncmap::cache<int, int> c({.capacity = 10});
    std::latch both(2);
    std::atomic<int> errors{0};
    const auto load = [&](int key, int other) {
        try {
            static_cast<void>(c.get_or_load(key, [&] {
                both.arrive_and_wait();
                return c.get_or_load(other, [] { return 2; });
            }));
        } catch (const syncmap::recursive_load&) {
            ++errors;
        }
    };
    {
        std::jthread a([&] { load(1, 2); });
        std::jthread b([&] { load(2, 1); });
    }
    EXPECT_EQ(errors.load(), 1);
}

} // namespace
