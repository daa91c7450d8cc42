// A table grows with its entries, whatever happened before, and stays where it is when their number does.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/hash.hpp>

#include "support/scale.hpp"
#include "support/visible_table.hpp"

namespace test {
namespace {

/// Keys below 1000 all collide.
struct partly_bad_hash {
    std::uint64_t operator()(std::uint64_t key, const syncmap::hash_seed& seed) const {
        return key < 1000 ? 0 : syncmap::detail::seeded_hash(syncmap::hash<std::uint64_t>{}, key, seed);
    }
};

using plain_table = syncmap::engine::table<std::uint64_t, std::uint64_t, partly_bad_hash, std::equal_to<>,
                                           std::allocator<std::pair<const std::uint64_t, std::uint64_t>>>;
using visible_map = test::visible_map<plain_table>;

TEST(growth, is_not_put_off_by_lines_that_are_left_from_before) {
    visible_map map;
    const auto fill = [&] {
        for (std::uint64_t key = 1000; key != 1200; ++key) map.store(key, key);
        return map.buckets();
    };
    const std::size_t expected = fill();
    EXPECT_GE(expected, 32U);
    // Keys that collide make the map allocate lines beside the table, and leave them behind.
    map.clear();
    for (std::uint64_t key = 0; key != 900; ++key) map.store(key, key);
    map.clear();
    EXPECT_EQ(fill(), expected);
    EXPECT_EQ(map.size(), 200U);
}

TEST(growth, is_to_eight_buckets_then_by_four_and_by_two_in_large_tables) {
    visible_map map;
    std::vector<std::size_t> sizes;
    for (std::uint64_t key = 1000; key != 301'000; ++key) {
        map.store(key, key);
        if (sizes.empty() || sizes.back() != map.buckets()) sizes.push_back(map.buckets());
    }
    const std::vector<std::size_t> expected{1, 8, 32, 128, 512, 2048, 8192, 32'768, 65'536, 131'072};
    EXPECT_EQ(sizes, expected);
    for (std::uint64_t key = 1000; key != 301'000; ++key) ASSERT_EQ(map.load(key), key);
    EXPECT_EQ(map.size(), 300'000U);
}

/// So a map of forty integers takes two tables.
TEST(growth, leaves_eight_buckets_only_when_these_hold_more_than_forty_entries) {
    for (std::uint64_t first = 1000; first != 3000; first += 50) {
        visible_map map;
        std::uint64_t key = first;
        for (; key != first + 40; ++key) map.store(key, key);
        ASSERT_EQ(map.buckets(), 8U);
        for (; key != first + 60; ++key) map.store(key, key);
        ASSERT_EQ(map.buckets(), 32U);
    }
}

/// Of keys that collide, the home line holds four, each of six lines behind it three more. Four of these are the table's.
TEST(growth, lends_the_lines_of_the_first_table_to_those_after_it) {
    visible_map map;
    for (int round = 0; round != 3; ++round) {
        for (std::uint64_t key = 0; key != 22; ++key) map.store(key, key);
        ASSERT_EQ(map.stats().overflow_lines, 6U) << "in round " << round;
        for (std::uint64_t key = 0; key != 22; ++key) ASSERT_EQ(map.load(key), key);
        ASSERT_EQ(map.buckets(), 8U) << "there is no smaller table any more";
        map.clear(); // gives the lines back
    }
    for (std::uint64_t key = 0; key != 40; ++key) map.store(key, key);
    for (std::uint64_t key = 0; key != 40; ++key) map.erase(key);
    map.shrink_to_fit();
    EXPECT_EQ(map.buckets(), 8U);
}

/// 2.8 entries a bucket, from 1.8 to 3.5 of which a table is filled: lines that few entries kept would use up its share.
TEST(growth, does_not_come_from_keys_that_come_and_go) {
    constexpr std::uint64_t present = 23'000;
    std::mt19937_64 chance(1);
    visible_map map;
    std::vector<std::uint64_t> keys(present);
    for (std::uint64_t& key : keys) map.store(key = chance(), 0);
    const std::size_t buckets = map.buckets();
    ASSERT_EQ(buckets, 8192U);
    for (std::size_t round = 0; round != 20; ++round) {
        for (std::uint64_t& key : keys) {
            const std::uint64_t gone = std::exchange(key, chance());
            map.store(key, 0);
            map.erase(gone);
        }
        ASSERT_EQ(map.buckets(), buckets) << "after each key was exchanged " << round + 1 << " times";
    }
}

/// 1.5 entries a bucket: more than a fresh map of them would have, so the table may be left for one half as large, where the
/// lines that come into use by and by ask for the larger one again.
TEST(growth, and_shrinking_in_turn_are_rare_where_keys_come_and_go) {
    constexpr std::uint64_t present = 25'000;
    constexpr std::uint64_t rounds = (sanitized ? 4 : 40) * present; // one thread: a sanitizer sees the same in fewer
    visible_map map;
    map.reserve(present);
    std::uint64_t oldest = 1000;
    std::uint64_t next = oldest;
    while (next != oldest + present) map.store(next++, 0);
    std::size_t buckets = map.buckets();
    const std::size_t largest = buckets;
    std::size_t changes = 0;
    for (std::uint64_t i = 0; i != rounds; ++i) {
        map.store(next++, 0);
        map.erase(oldest++);
        if (std::exchange(buckets, map.buckets()) != map.buckets()) ++changes;
    }
    EXPECT_LE(map.buckets(), largest);
    EXPECT_LE(changes, 2 * (rounds / (16 * largest) + 1));
}

} // namespace
} // namespace test
