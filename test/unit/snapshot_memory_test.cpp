// What a snapshot costs in memory: what was changed since, by few allocations, and when it is gone a state for the next one.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot.hpp>

#include "support/allocators.hpp"
#include "support/stepping_sync.hpp"

namespace {

template <class T>
using booked_map = syncmap::map<int, T, syncmap::hash<int>, std::equal_to<>, test::booked<std::pair<const int, T>>>;

constexpr int entries_to_show = 10'000;
constexpr std::size_t pair_of_words = 16;

TEST(snapshot_memory, is_in_proportion_to_what_was_changed) {
    test::ledger books;
    booked_map<int> map{test::booked<std::pair<const int, int>>(books)};
    for (int i = 0; i < entries_to_show; ++i) map.store(i, i);
    const std::size_t without = books.live_bytes;
    {
        const auto taken = map.snapshot();
        const std::size_t at_first = books.live_bytes;
        for (int i = 0; i < 10; ++i) map.store(i, -1);
        EXPECT_LE(books.live_bytes - at_first, 4096U);

        const std::size_t allocations = books.allocations;
        for (int i = 0; i < entries_to_show; ++i) map.store(i, -1);
        const std::size_t all = books.live_bytes - at_first;
        EXPECT_GE(all, entries_to_show * pair_of_words);
        EXPECT_LE(all, 3 * entries_to_show * pair_of_words); // with the records' heads and a slab that is half full
        EXPECT_LE(books.allocations - allocations, 16U);

        for (int i = 0; i < entries_to_show; ++i) map.store(i, -2); // preserved already
        EXPECT_EQ(books.live_bytes - at_first, all);
        for (int i = 0; i < entries_to_show; ++i) ASSERT_EQ(taken.load(i), i);
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
    for (int i = 0; i < entries_to_show; ++i) map.store(i, counted(i));
    map.flush();
    const std::size_t blocks = books.live_blocks;
    {
        const auto taken = map.snapshot();
        for (int i = 0; i < entries_to_show; ++i) map.erase(i);
        map.flush();
        EXPECT_EQ(counted::alive, static_cast<std::size_t>(entries_to_show));
        EXPECT_GE(books.live_blocks, static_cast<std::size_t>(entries_to_show));
        for (int i = 0; i < entries_to_show; ++i) ASSERT_EQ(taken.load(i).value().number, i);
    }
    map.flush();
    EXPECT_EQ(counted::alive, 0U);
    // Besides, tables that were shrunk to and lines, of which chance decides; fewer than nodes that a thread keeps at rest.
    EXPECT_LE(books.live_blocks, blocks - entries_to_show + 200);
}

TEST(snapshot_memory, serves_several_snapshots_of_several_ages) {
    test::ledger books;
    booked_map<int> map{test::booked<std::pair<const int, int>>(books)};
    for (int i = 0; i < entries_to_show; ++i) map.store(i, 0);
    const std::size_t without = books.live_bytes;
    {
        const auto first = map.snapshot();
        for (int i = 0; i < entries_to_show; i += 2) map.store(i, 1);
        const auto second = map.snapshot();
        const auto third = map.snapshot();
        for (int i = 0; i < entries_to_show; ++i) map.store(i, 2);
        for (int i = 0; i < entries_to_show; ++i) {
            ASSERT_EQ(first.load(i), 0);
            ASSERT_EQ(second.load(i), i % 2 == 0 ? 1 : 0);
            ASSERT_EQ(third.load(i), i % 2 == 0 ? 1 : 0);
        }
    }
    map.flush();
    EXPECT_EQ(books.live_bytes, without);
}

TEST(snapshot_memory, is_that_of_the_snapshot_before_and_so_nothing_is_allocated) {
    test::ledger books;
    booked_map<std::string> map{test::booked<std::pair<const int, std::string>>(books)};
    for (int i = 0; i < 100; ++i) map.store(i, "a text that is not short");
    static_cast<void>(map.snapshot());
    const std::size_t allocations = books.allocations;
    for (int n = 0; n < 10; ++n) EXPECT_EQ(map.snapshot().size(), 100U);
    EXPECT_EQ(books.allocations, allocations);
}

TEST(snapshot_memory, that_is_kept_is_of_one_state) {
    test::ledger books;
    {
        booked_map<int> map{test::booked<std::pair<const int, int>>(books)};
        map.reserve(1000);
        for (int i = 0; i < 100; ++i) map.store(i, i);
        static_cast<void>(map.snapshot());
        map.flush();
        const std::size_t without = books.live_bytes;
        static_cast<void>(map.snapshot());
        const std::size_t with_one = books.live_bytes;
        EXPECT_GT(with_one, without);
        {
            std::vector<decltype(map.snapshot())> several;
            for (int n = 0; n < 8; ++n) several.push_back(map.snapshot());
            EXPECT_GT(books.live_bytes, with_one);
        }
        EXPECT_EQ(books.live_bytes, with_one);
        map.flush();
        EXPECT_EQ(books.live_bytes, without);
        // One of another size takes its place.
        static_cast<void>(map.snapshot());
        map.reserve(10'000);
        static_cast<void>(map.snapshot());
        const std::size_t with_a_larger_one = books.live_bytes;
        map.flush();
        EXPECT_GT(with_a_larger_one - books.live_bytes, with_one - without);
        static_cast<void>(map.snapshot()); // the destructor finds one
    }
    EXPECT_EQ(books.live_bytes, 0U);
}

TEST(snapshot_memory, that_is_used_again_shows_nothing_of_the_snapshot_before) {
    test::ledger books;
    booked_map<std::string> map{test::booked<std::pair<const int, std::string>>(books)};
    for (int round = 0; round < 10; ++round) {
        for (int i = round; i < 100; ++i) map.store(i, std::to_string(round));
        const auto taken = map.snapshot();
        EXPECT_EQ(taken.size(), 100U);
        for (int i = 0; i < 100; ++i) map.erase(i);
        for (int i = 0; i < 100; ++i) ASSERT_EQ(taken.load(i), std::to_string(round));
        for (int i = 0; i < 100; ++i) map.store(i, std::to_string(round + 1)); // preserved already
    }
}

/// The system empties the pages of its lists, from 256 KiB on.
TEST(snapshot_memory, of_many_buckets_is_used_again_as_well) {
    syncmap::map<int, int> map;
    constexpr int many = 200'000;
    for (int i = 0; i < many; ++i) map.store(i, 0);
    for (int round = 0; round < 3; ++round) {
        const auto taken = map.snapshot();
        for (int i = 0; i < many; i += 100) map.store(i, round + 1);
        for (int i = 0; i < many; i += 10) ASSERT_EQ(taken.load(i), i % 100 == 0 ? round : 0);
        EXPECT_EQ(taken.size(), static_cast<std::size_t>(many));
    }
}

using stepping_map = syncmap::basic_map<
    syncmap::engine::table<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, std::equal_to<>,
                           test::booked<std::pair<const std::uint64_t, std::uint64_t>>, test::stepping_sync>>;

/// Ends a snapshot on another thread, while this one stands in the section of a store.
void drop_beside_a_writer(stepping_map& map, std::optional<decltype(map.snapshot())>& taken) {
    static std::optional<decltype(map.snapshot())>* ending = nullptr;
    ending = &taken;
    test::on_step = [](test::step what) {
        if (what != test::step::change) return; // the first compare-exchange of an overwrite locks the bucket
        test::on_step = nullptr;
        std::thread([] { ending->reset(); }).join();
    };
    map.store(0, 2);
    test::on_step = nullptr;
}

/// A writer may have the state in hand when its snapshot ends. The next cut finds all writers outside of their sections.
TEST(snapshot_memory, is_used_again_where_each_snapshot_ends_beside_a_writer) {
    test::ledger books;
    stepping_map map{test::booked<std::pair<const std::uint64_t, std::uint64_t>>(books)};
    for (std::uint64_t n = 0; n < 100; ++n) map.store(n, 1);
    std::optional<decltype(map.snapshot())> taken;
    const auto take_and_drop = [&] {
        const std::size_t before = books.allocations;
        taken.emplace(map.snapshot());
        const std::size_t allocations = books.allocations - before;
        drop_beside_a_writer(map, taken);
        return allocations;
    };
    take_and_drop();
    EXPECT_EQ(take_and_drop(), 1U); // the writer may have had the first state
    const std::size_t allocations = books.allocations;
    taken.emplace(map.snapshot());
    EXPECT_EQ(books.allocations, allocations);
}

} // namespace
