// What a snapshot costs in memory: what was changed since, by few allocations, and nothing when it is gone.
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/map.hpp>

#include "support/allocators.hpp"

namespace {

template <class T>
using booked_map = syncmap::map<int, T, syncmap::hash<int>, std::equal_to<>, test::booked<std::pair<const int, T>>>;

constexpr int entries = 10'000;
constexpr std::size_t pair_of_words = 16;

TEST(snapshot_memory, is_in_proportion_to_what_was_changed) {
    test::ledger books;
    booked_map<int> map{test::booked<std::pair<const int, int>>(books)};
    for (int i = 0; i < entries; ++i) map.store(i, i);
    const std::size_t without = books.live_bytes;
    {
        const auto taken = map.snapshot();
        const std::size_t at_first = books.live_bytes;
        for (int i = 0; i < 10; ++i) map.store(i, -1);
        EXPECT_LE(books.live_bytes - at_first, 4096U);

        const std::size_t allocations = books.allocations;
        for (int i = 0; i < entries; ++i) map.store(i, -1);
        const std::size_t all = books.live_bytes - at_first;
        EXPECT_GE(all, entries * pair_of_words);
        EXPECT_LE(all, 3 * entries * pair_of_words); // with the records' heads and a slab that is half full
        EXPECT_LE(books.allocations - allocations, 16U);

        for (int i = 0; i < entries; ++i) map.store(i, -2); // preserved already
        EXPECT_EQ(books.live_bytes - at_first, all);
        for (int i = 0; i < entries; ++i) ASSERT_EQ(taken.load(i), i);
    }
    map.flush();
    EXPECT_EQ(books.live_bytes, without);
}

/// A value that lies in a node.
struct counted {
    static inline std::size_t alive = 0;
    int number;

    explicit counted(int n) noexcept : number(n) { ++alive; }
    counted(const counted& other) noexcept : number(other.number) { ++alive; }
    counted& operator=(const counted&) = default;
    ~counted() { --alive; }
};

TEST(snapshot_memory, holds_on_to_nodes_until_it_is_dropped) {
    test::ledger books;
    booked_map<counted> map{test::booked<std::pair<const int, counted>>(books)};
    for (int i = 0; i < entries; ++i) map.store(i, counted(i));
    map.flush();
    const std::size_t blocks = books.live_blocks;
    {
        const auto taken = map.snapshot();
        for (int i = 0; i < entries; ++i) map.erase(i);
        map.flush();
        EXPECT_EQ(counted::alive, static_cast<std::size_t>(entries));
        EXPECT_GE(books.live_blocks, static_cast<std::size_t>(entries));
        for (int i = 0; i < entries; ++i) ASSERT_EQ(taken.load(i).value().number, i);
    }
    map.flush();
    EXPECT_EQ(counted::alive, 0U);
    // Besides, tables that were shrunk to and lines, of which chance decides; fewer than nodes that a thread keeps at rest.
    EXPECT_LE(books.live_blocks, blocks - entries + 200);
}

TEST(snapshot_memory, serves_several_snapshots_of_several_ages) {
    test::ledger books;
    booked_map<int> map{test::booked<std::pair<const int, int>>(books)};
    for (int i = 0; i < entries; ++i) map.store(i, 0);
    const std::size_t without = books.live_bytes;
    {
        const auto first = map.snapshot();
        for (int i = 0; i < entries; i += 2) map.store(i, 1);
        const auto second = map.snapshot();
        const auto third = map.snapshot();
        for (int i = 0; i < entries; ++i) map.store(i, 2);
        for (int i = 0; i < entries; ++i) {
            ASSERT_EQ(first.load(i), 0);
            ASSERT_EQ(second.load(i), i % 2 == 0 ? 1 : 0);
            ASSERT_EQ(third.load(i), i % 2 == 0 ? 1 : 0);
        }
    }
    map.flush();
    EXPECT_EQ(books.live_bytes, without);
}

} // namespace
