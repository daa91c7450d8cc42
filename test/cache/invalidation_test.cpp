// invalidate_all in constant time: what was there goes with later writes, and the bound holds meanwhile.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <syncmap/cache.hpp>
#include <syncmap/fork.hpp>

#include <gtest/gtest.h>

#include "support/counted_resource.hpp"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace {

/// How many there are.
struct living {
    static inline std::atomic<int> count{0};
    int number;
    explicit(false) living(int n) : number(n) { ++count; }
    living(const living& other) : number(other.number) { ++count; }
    ~living() { --count; }
    living& operator=(const living&) = default;
};
using living_cache = syncmap::cache<int, living>;

void fill(living_cache& c, int from, int to) {
    for (int i = from; i < to; ++i) c.put(i, living(i));
}

TEST(invalidate_all, takes_entries_without_values_apart) {
    living::count = 0;
    {
        living_cache c({.capacity = 100, .negative_ttl = std::chrono::hours(1), .error_ttl = std::chrono::hours(1)});
        for (int i = 0; i < 500; ++i) {
            const auto load = [&]() -> std::optional<living> {
                if (i % 3 == 0) return living(i);
                if (i % 3 == 1) return std::nullopt;
                throw std::runtime_error("a text that needs memory of its own");
            };
            if (i % 3 == 2) {
                EXPECT_THROW(static_cast<void>(c.pin_or_load(i, load)), std::runtime_error);
            } else {
                EXPECT_EQ(static_cast<bool>(c.pin_or_load(i, load)), i % 3 == 0);
            }
            if (i % 100 == 0) c.invalidate_all();
            if (i % 150 == 0) c.flush();
        }
        EXPECT_EQ(c.size(), 99U);
    }
    EXPECT_EQ(living::count, 0) << "a value that was never made is not destroyed";
}

TEST(invalidate_all, shows_nothing_and_destroys_with_later_writes) {
    constexpr int entries = 10'000;
    living::count = 0;
    {
        living_cache c({.capacity = entries});
        fill(c, 0, entries);
        c.flush();
        EXPECT_EQ(living::count, entries);
        c.invalidate_all();
        EXPECT_EQ(c.size(), 0U);
        EXPECT_EQ(c.get(1), std::nullopt);
        EXPECT_EQ(living::count, entries); // it took nothing apart
        c.invalidate_all();
        EXPECT_EQ(living::count, entries);

        // A put destroys a few, and no more than a few: no write stalls.
        int writes = 0;
        for (; living::count > 300 && writes < entries; ++writes) {
            const int before = living::count;
            c.put(7, living(writes));
            EXPECT_GE(living::count, before - 600) << "a batch of garbage at most";
        }
        EXPECT_LT(writes, entries / 4);
        EXPECT_GT(writes, 100);
        EXPECT_EQ(c.size(), 1U);
        c.flush();
        EXPECT_EQ(living::count, 1);
        fill(c, 0, entries);
        EXPECT_EQ(c.size(), static_cast<std::size_t>(entries)); // all permits have come back
        EXPECT_EQ(c.stats().evictions, 0U);
        EXPECT_EQ(c.stats().invalidated, static_cast<std::uint64_t>(entries));

        c.flush();
        c.invalidate_all(); // and the destructor has the rest
        EXPECT_EQ(living::count, entries);
    }
    EXPECT_EQ(living::count, 0);
}

TEST(invalidate_all, keeps_the_bound_of_what_is_in_memory) {
    constexpr int entries = 2000;
    living::count = 0;
    living_cache c({.capacity = entries});
    fill(c, 0, entries);
    c.flush();
    for (int round = 1; round <= 5; ++round) {
        c.invalidate_all();
        for (int i = 0; i < entries; ++i) {
            c.put(round * entries + i, living(i));
            EXPECT_LE(c.size(), static_cast<std::size_t>(i + 1));
            EXPECT_TRUE(c.contains(round * entries + i));
        }
        c.flush();
        EXPECT_EQ(c.size(), static_cast<std::size_t>(living::count.load()));
        EXPECT_GE(c.size(), entries * 9U / 10); // hardly any was evicted: cleared entries gave their places first
    }
}

TEST(invalidate_all, makes_no_put_of_a_new_key_destroy_more_than_a_batch) {
    constexpr int entries = 10'000;
    living::count = 0;
    living_cache c({.capacity = entries});
    fill(c, 0, entries);
    c.flush();
    c.invalidate_all();
    for (int i = 0; i < entries; ++i) {
        const int before = living::count;
        c.put(entries + i, living(i));
        EXPECT_GE(living::count, before - 600);
    }
    EXPECT_EQ(c.stats().evictions, 0U);
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) &&          \
    !defined(SYNCMAP_TEST_SANITIZED)
/// How many more small blocks the allocator has apart at any of some looks between 3,000 writes than before: the most. It joins
/// them all at once.
template <class Write>
std::size_t most_blocks_apart(Write write) {
    syncmap::sync::real::join_freed_blocks(); // those of earlier tests; other arenas may have some
    const std::size_t before = ::mallinfo2().smblks;
    std::size_t most = before;
    for (int i = 0; i < 3'000; ++i) {
        write(i);
        if (i % 100 == 0) most = std::max(most, ::mallinfo2().smblks);
    }
    return most - before;
}
constexpr std::size_t blocks_of_a_short_stall = 3'000;

TEST(invalidate_all, leaves_no_long_list_of_freed_blocks_for_a_later_write) {
    living_cache c({.capacity = 30'000});
    fill(c, 0, 30'000);
    c.invalidate_all();
    EXPECT_LT(most_blocks_apart([&](int i) { c.put(7, living(i)); }), blocks_of_a_short_stall);
    EXPECT_GT(c.stats().invalidated, 29'000U);
}

TEST(invalidate_tag, leaves_no_long_list_of_freed_blocks_for_a_later_write) {
    living_cache c({.capacity = 3'000});
    for (int i = 0; i < 3'000; ++i) c.put(i, living(i), {.tags = {"all"}});
    c.invalidate_tag("all");
    // A new entry without tags does not fit into the block of an old one, which is freed.
    EXPECT_LT(most_blocks_apart([&](int i) { c.put(3'000 + i, living(i)); }), blocks_of_a_short_stall / 2);
    EXPECT_GT(c.stats().expirations, 2'000U);
}
#endif

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) && !defined(SYNCMAP_TEST_SANITIZED)
TEST(invalidate_all, leaves_no_half_of_itself_in_the_child_of_a_fork) {
    constexpr int capacity = 300;
    living_cache c({.capacity = capacity});
    std::atomic<bool> stop{false};
    std::vector<std::jthread> team;
    for (int t = 0; t < 2; ++t) {
        team.emplace_back([&, t] {
            for (int i = 0; !stop; ++i) {
                c.put(i % 1000, living(t));
                if (i % 100 == 0) c.invalidate_all();
            }
        });
    }
    for (int round = 0; round < 40; ++round) {
        syncmap::before_fork();
        const pid_t child = ::fork();
        if (child == 0) {
            ::alarm(20); // a lost thread's part that no thread ends
            syncmap::after_fork_in_child();
            c.invalidate_all();
            c.flush();
            fill(c, 0, capacity);
            // All permits are there, but for one that each lost thread may have had in hand.
            ::_exit(c.size() + 2 >= capacity ? 0 : 1);
        }
        syncmap::after_fork_in_parent();
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0) << "fork " << round;
    }
    stop = true;
}
#endif

TEST(invalidate_all, leaves_nothing_behind_where_few_writes_come_between) {
    living::count = 0;
    living_cache c({.capacity = 5000});
    fill(c, 0, 5000);
    for (int i = 0; i < 3000; ++i) {
        c.invalidate_all();
        c.put(1, living(i));
        EXPECT_EQ(c.size(), 1U);
    }
    c.flush();
    EXPECT_EQ(living::count, 1);
}

TEST(invalidate_all, leaves_pinned_entries_to_their_pins) {
    syncmap::cache<int, std::string> c({.capacity = 100});
    for (int i = 0; i < 100; ++i) c.put(i, "text " + std::to_string(i));
    {
        const auto pin = c.pin(5);
        c.invalidate_all();
        c.flush();
        EXPECT_EQ(*pin, "text 5");
    }
    c.put(5, "anew");
    EXPECT_EQ(c.get(5), "anew");
}

TEST(invalidate_all, gives_way_to_a_smaller_capacity) {
    living_cache c({.capacity = 5000});
    fill(c, 0, 5000);
    c.invalidate_all();
    c.set_capacity(10);
    EXPECT_EQ(c.capacity(), 10U);
    fill(c, 0, 100);
    EXPECT_LE(c.size(), 10U);
    c.invalidate_all();
    c.set_capacity(100);
    fill(c, 0, 100);
    c.flush();
    fill(c, 0, 100);
    EXPECT_EQ(c.size(), 100U);
}

TEST(invalidate_all, holds_the_bound_beside_puts_and_loads) {
    constexpr std::size_t capacity = 64;
    living::count = 0;
    {
        living_cache c({.capacity = capacity});
        std::atomic<bool> stop{false};
        std::atomic<bool> was_above{false};
        std::vector<std::thread> team;
        for (int t = 0; t < 3; ++t) {
            team.emplace_back([&, t] {
                for (int i = 0; i < 4000; ++i) {
                    c.put(i % 200, living(i));
                    static_cast<void>(c.get_or_load(1000 + i % 50, [&] { return living(i); }));
                    if (i % 37 == t) c.invalidate_all();
                    if (i % 11 == 0) c.invalidate(i % 200);
                }
            });
        }
        std::thread watcher([&] {
            while (!stop) {
                if (c.size() > capacity) was_above = true;
            }
        });
        for (std::thread& each : team) each.join();
        stop = true;
        watcher.join();
        EXPECT_FALSE(was_above);
        c.flush();
        EXPECT_EQ(static_cast<std::size_t>(living::count.load()), c.size());
        c.invalidate_all();
        c.flush();
        fill(c, 0, 64);
        EXPECT_EQ(c.size(), capacity); // no permit is lost
    }
    EXPECT_EQ(living::count, 0);
}

TEST(invalidate_all, keeps_no_more_memory_where_it_and_loads_of_nothing_alternate) {
    test::counted_resource memory;
    syncmap::pmr::cache<int, int> c({.capacity = 100}, &memory);
    const auto rounds = [&] {
        for (int i = 0; i < 500; ++i) {
            c.invalidate_all();
            static_cast<void>(c.get_or_load(i, [](int) { return std::optional<int>(); }));
        }
    };
    rounds();
    const std::size_t before = memory.bytes();
    rounds();
    EXPECT_LE(memory.bytes(), before + 4'096);
}

TEST(set_capacity, takes_apart_what_invalidate_all_has_left_before_it_evicts) {
    syncmap::cache<int, int> c({.capacity = 50'000});
    for (int i = 0; i < 50'000; ++i) c.put(i, i);
    c.invalidate_all();
    for (int i = 0; i < 10; ++i) c.put(i, i);
    c.set_capacity(20'000);
    EXPECT_EQ(c.size(), 10U);
    EXPECT_EQ(c.stats().evictions, 0U);
}

} // namespace
