// Sandboxes that a process enters before it uses maps, between two uses, and while threads are at it.
#include "support/sandbox.hpp"

#if defined(SYNCMAP_TEST_SANDBOX)

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <gtest/gtest.h>

#include <syncmap/fork.hpp>
#include <syncmap/snapshot.hpp>
#include <syncmap/snapshot_map.hpp>

#include "life/common.hpp"

namespace test {
namespace {

/// Counts its living copies.
struct counted {
    static inline std::atomic<std::int64_t> alive{0};
    explicit counted(std::uint64_t n = 0) noexcept : number(n) { ++alive; }
    counted(const counted& other) noexcept : number(other.number) { ++alive; }
    counted& operator=(const counted&) = default;
    ~counted() { --alive; }
    std::uint64_t number;
};
using counting_map = syncmap::map<std::uint64_t, counted>;
using counting_snapshot_map = syncmap::snapshot_map<std::uint64_t, counted>;

constexpr std::uint64_t many_entries = 1000;

template <class Map>
void fill(Map& map) {
    for (std::uint64_t n = 0; n < many_entries; ++n) map.store(n, counted(n));
}

/// Many times what may wait to be freed.
const std::uint64_t replacements = sanitized ? 50'000 : long_form() ? 3'000'000 : 300'000;

/// Replaces values, beside a reader; all of what they replaced is freed, but for some thousand.
template <class Map>
void replace_and_free(Map& map) {
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> wrong{0};
    std::int64_t most = 0;
    {
        const std::jthread reader([&] {
            while (!stop.load()) {
                for (std::uint64_t n = 0; n < many_entries; ++n) {
                    map.visit(n, [&](const counted& value) { wrong += value.number % many_entries == n ? 0 : 1; });
                }
            }
        });
        for (std::uint64_t i = 0; i < replacements; ++i) {
            map.store(i % many_entries, counted(i));
            if (i % 4096 == 0) most = std::max(most, counted::alive.load());
        }
        stop = true;
    }
    require_in_child(wrong == 0, "a reader saw a value that was destroyed");
    require_in_child(most <= 20'000, "what was replaced is not freed");
    map.flush();
    require_in_child(counted::alive.load() == static_cast<std::int64_t>(many_entries), "flush leaves what nobody holds");
}

void do_everything(counting_map& map) {
    replace_and_free(map);
    const auto instant = map.snapshot();
    require_in_child(instant.size() == many_entries, "a snapshot has another number of many_entries");
    syncmap::before_fork();
    syncmap::after_fork_in_parent();
    map.store(0, counted(0));
    map.clear();
    require_in_child(map.size() == 0 && instant.size() == many_entries, "clear");
}

constexpr refused no_membarrier{SYS_membarrier};
constexpr refused no_mprotect{SYS_mprotect};
constexpr refused no_visits{SYS_sched_setaffinity};
/// Of a page, by which all threads could be made to pass a barrier; the heap is to be elsewhere.
constexpr refused no_mapping{SYS_mmap, ENOMEM};

} // namespace

TEST(sandboxes, entered_before_the_first_use_of_a_map) {
    EXPECT_TRUE(in_child([] {
        require_in_child(refuse({no_membarrier}), "no filter");
        counting_map map;
        fill(map);
        do_everything(map);
    }));
}

TEST(sandboxes, entered_between_two_uses) {
    EXPECT_TRUE(in_child([] {
        counting_map map;
        fill(map);
        require_in_child(refuse({no_membarrier}), "no filter");
        do_everything(map);
    }));
}

TEST(sandboxes, entered_with_garbage_and_readers) {
    EXPECT_TRUE(in_child([] {
        counting_map map;
        fill(map);
        std::atomic<bool> entered{false};
        std::jthread holder([&] {
            map.visit(7, [&](const counted& value) {
                while (!entered.load()) std::this_thread::yield();
                for (int i = 0; i < 1000; ++i) map.store(7, counted(7 + many_entries));
                map.flush();
                require_in_child(value.number == 7, "a value was destroyed under its reader");
            });
        });
        for (std::uint64_t i = 0; i < 300; ++i) map.store(i + 8, counted(i + 8));
        require_in_child(refuse({no_membarrier}), "no filter");
        entered = true;
        holder.join();
        do_everything(map);
    }));
}

TEST(sandboxes, that_refuse_changes_of_protection_too) {
    EXPECT_TRUE(in_child([] {
        counting_map map;
        fill(map);
        std::atomic<bool> entered{false};
        std::jthread other([&] { // the system's library needs mprotect to start a thread
            while (!entered.load()) std::this_thread::yield();
            for (std::uint64_t i = 0; i < replacements / 8; ++i) {
                map.store(i % many_entries, counted(i));
                require_in_child(counted::alive.load() <= 20'000, "what was replaced is not freed");
            }
        });
        require_in_child(refuse({no_membarrier, no_mprotect}), "no filter");
        entered = true;
        other.join();
        require_in_child(map.snapshot().size() == many_entries, "a snapshot has another number of many_entries");
        syncmap::before_fork();
        syncmap::after_fork_in_parent();
    }));
}

#if !defined(SYNCMAP_TEST_SANITIZED)
TEST(sandboxes, that_leave_the_way_over_all_processors) {
    EXPECT_TRUE(in_child([] {
        keep_the_heap_in_one_piece();
        counting_map map;
        fill(map);
        require_in_child(refuse({no_membarrier, no_mapping}), "no filter");
        for (std::uint64_t i = 0; i < 20'000; ++i) map.store(i % many_entries, counted(i));
        map.flush();
        require_in_child(counted::alive.load() == static_cast<std::int64_t>(many_entries), "what was replaced is not freed");
        require_in_child(map.snapshot().size() == many_entries, "a snapshot has another number of many_entries");
    }));
}

namespace {

template <class Map>
std::uint64_t stores_until_refused(Map& map) {
    for (std::uint64_t i = 0; i < 1'000'000; ++i) {
        try {
            map.store(i % many_entries, counted(i));
        } catch (const syncmap::barrier_refused&) {
            return i;
        }
    }
    return ~std::uint64_t{0};
}

} // namespace

TEST(sandboxes, that_refuse_everything_are_named_and_memory_stays_bounded) {
    EXPECT_TRUE(in_child([] {
        keep_the_heap_in_one_piece();
        counting_map map;
        fill(map);
        counting_snapshot_map other;
        fill(other);
        numbers in_place;
        for (std::uint64_t n = 0; n < many_entries; ++n) in_place.store(n, n);
        require_in_child(refuse({no_membarrier, no_mapping, no_visits}), "no filter");

        bool refused_snapshot = false;
        try {
            static_cast<void>(map.snapshot());
        } catch (const syncmap::barrier_refused&) {
            refused_snapshot = true;
        }
        require_in_child(refused_snapshot, "a snapshot without a barrier");
        bool refused_fork = false;
        try {
            syncmap::before_fork();
        } catch (const syncmap::barrier_refused&) {
            refused_fork = true;
        }
        require_in_child(refused_fork, "before_fork without a barrier");

        const std::uint64_t stored = stores_until_refused(map);
        require_in_child(stored < 10'000, "stores that replace values go on for ever");
        require_in_child(stores_until_refused(other) < 10'000, "stores into a snapshot_map go on for ever");
        require_in_child(map.contains(1) && map.size() == many_entries, "reads or size");
        require_in_child(map.erase(1) && map.size() == many_entries - 1, "an erase needs no memory");
        map.flush();
        const std::int64_t alive = counted::alive.load();
        for (int i = 0; i < 1000; ++i) {
            try {
                map.store(2, counted(2));
                require_in_child(false, "a store that replaces a value");
            } catch (const syncmap::barrier_refused&) {
                require_in_child(map.contains(2), "a store that throws has changed something");
            }
        }
        require_in_child(counted::alive.load() == alive, "a store that throws keeps memory");

        for (std::uint64_t i = 0; i < 100'000; ++i) in_place.store(i % many_entries, i); // in place: nothing is left behind
        std::uint64_t rounds = 0;
        try {
            for (; rounds < 10'000; ++rounds) {
                in_place.clear();
                in_place.store(1, 1);
            }
        } catch (const syncmap::barrier_refused&) { // NOLINT(bugprone-empty-catch)
        }
        require_in_child(rounds < 1000, "tables that are left go on for ever");
    }));
}

TEST(sandboxes, of_one_thread_do_not_hinder_the_others_for_good) {
    EXPECT_TRUE(in_child([] {
        keep_the_heap_in_one_piece();
        counting_map map;
        fill(map);
        std::atomic<bool> entered{false};
        std::jthread inside([&] {
            require_in_child(refuse({no_membarrier, no_mapping, no_visits}, whom::this_thread), "no filter");
            require_in_child(stores_until_refused(map) < 10'000, "stores that replace values go on for ever");
            entered = true;
        });
        while (!entered.load()) std::this_thread::yield();
        inside.join();
        replace_and_free(map);
    }));
}
#endif

TEST(sandboxes, that_give_no_random_numbers) {
    EXPECT_TRUE(in_child([] {
        require_in_child(refuse({{SYS_getrandom, ENOSYS}}), "no filter");
        std::uint64_t before = syncmap::sync::random_word();
        for (int i = 0; i < 1000; ++i) {
            const std::uint64_t now = syncmap::sync::random_word();
            require_in_child(now != before, "the same word twice");
            before = now;
        }
        numbers map;
        for (std::uint64_t n = 0; n < 1000; ++n) map.store(n, n);
        require_in_child(map.size() == 1000 && map.load(999) == 999U, "a map without entropy");
    }));
}

} // namespace test

#endif
