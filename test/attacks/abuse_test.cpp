// Uses that are unlucky, or meant to be: copying in the order of another map, a hash that tells nothing apart, sizes
// that no machine has.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "attacks/counting.hpp"
#include "attacks/keys.hpp"
#include "support/allocators.hpp"
#include "support/scale.hpp"
#include "support/types.hpp"

namespace test::attacks {
namespace {

template <class Map, class Key>
std::uint64_t steps_to_fill(const std::vector<Key>& keys) {
    Map map;
    counters::reset();
    for (const Key& k : keys) map.store(k, 0);
    return counters::both();
}

/// Fills a map in the order in which another one shows its entries, and in a shuffled order.
template <class Map, class Key>
void copy_in_order(const char* which, const family<Key>& keys, std::size_t count) {
    Map source;
    for (std::size_t i = 0; i < count; ++i) source.store(keys.key(i), 0);
    std::vector<Key> order;
    source.for_each([&](const Key& k, const auto&) { order.push_back(k); });
    ASSERT_EQ(order.size(), count);
    std::uint64_t in_order = 0;
    std::uint64_t shuffled = 0;
    constexpr int maps = 5;
    for (int i = 0; i < maps; ++i) in_order += steps_to_fill<Map>(order);
    for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[scrambled(i) % (i + 1)]);
    for (int i = 0; i < maps; ++i) shuffled += steps_to_fill<Map>(order);
    const double ratio = static_cast<double>(in_order) / static_cast<double>(shuffled);
    std::printf("%s, %zu %s keys, filled in another map's order: %.3f of a shuffled order\n", which, count, keys.name, ratio);
    EXPECT_LE(ratio, 1.2) << which << ", " << keys.name;
}

std::size_t entries() { return std::min<std::size_t>(900'000, scaled(50'000)); }

using poor_map = counted_map<std::uint64_t, std::uint64_t, constant_hash, counting_equal,
                             booked<std::pair<const std::uint64_t, std::uint64_t>>>;
using usual_map = counted_map<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, counting_equal,
                              booked<std::pair<const std::uint64_t, std::uint64_t>>>;

template <class Map>
void fill_and_check(Map& map, std::uint64_t count) {
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < count; ++i) wrong += !map.store(i, i);
    for (std::uint64_t i = 0; i < count; i += 7) wrong += map.load(i) != i;
    for (std::uint64_t i = count; i < count + 100; ++i) wrong += map.contains(i);
    std::uint64_t shown = 0;
    map.for_each([&](std::uint64_t k, std::uint64_t v) { shown += k == v; });
    EXPECT_EQ(wrong, 0U);
    EXPECT_EQ(shown, count);
    EXPECT_EQ(map.size(), count);
}

} // namespace

TEST(copying_in_order, of_integers_costs_no_more_than_shuffled) {
    copy_in_order<inline_map>("integers", random_integers, entries());
    copy_in_order<inline_map>("integers", integer_families[0], entries());
}
TEST(copying_in_order, of_texts_costs_no_more_than_shuffled) {
    copy_in_order<text_map>("texts", random_texts, entries());
    copy_in_order<locked_text_map>("texts behind a lock", random_texts, entries());
}

TEST(a_constant_hash, is_served_with_the_memory_of_a_good_one) {
    constexpr std::uint64_t count = sanitized ? 2000 : 10'000;
    ledger poor_books;
    ledger usual_books;
    using allocator = booked<std::pair<const std::uint64_t, std::uint64_t>>;
    poor_map poor(allocator{poor_books});
    usual_map usual(allocator{usual_books});
    counters::reset();
    fill_and_check(poor, count);
    // A walk along half of the entries per insert, and a few copies when the table grows: not one for every insert.
    EXPECT_LE(counters::comparisons, count * count);
    EXPECT_LE(counters::lines, count * count);
    fill_and_check(usual, count);
    const double memory = static_cast<double>(poor_books.live_bytes) / static_cast<double>(usual_books.live_bytes);
    std::printf("constant hash, %llu keys: %.2f of the memory of random hashes\n", static_cast<unsigned long long>(count),
                memory);
    EXPECT_LE(memory, 2.0);
    for (std::uint64_t i = 0; i < count; i += 2) EXPECT_TRUE(poor.erase(i));
    EXPECT_EQ(poor.size(), count / 2);
    EXPECT_EQ(poor.erase_if([](std::uint64_t, std::uint64_t) { return true; }), count / 2);
    EXPECT_TRUE(poor.empty());
}

TEST(impossible_sizes, are_refused_and_change_nothing) {
    syncmap::map<std::uint64_t, std::uint64_t> map;
    map.store(1, 2);
    for (unsigned bits = 63; bits >= 40; --bits) EXPECT_THROW(map.reserve(std::size_t{1} << bits), std::length_error) << bits;
    EXPECT_THROW(map.reserve(std::numeric_limits<std::size_t>::max()), std::length_error);
    if (!sanitized) { // what this machine has not got: 16 TiB
        EXPECT_THROW(map.reserve((std::size_t{1} << 40) - 1), std::bad_alloc);
    }
    EXPECT_EQ(map.load(1), 2U);
    EXPECT_EQ(map.size(), 1U);
    map.store(3, 4);
    map.clear();
    EXPECT_TRUE(map.empty());
}

TEST(texts, may_be_huge_and_empty) {
    syncmap::map<std::string, std::string> map;
    const std::string huge(std::size_t{16} << 20, 'x');
    std::string other = huge;
    other[huge.size() / 2] = 'y';
    EXPECT_TRUE(map.store(huge, other));
    EXPECT_TRUE(map.store("", ""));
    EXPECT_TRUE(map.store(std::string(1, '\0'), "zero"));
    EXPECT_FALSE(map.contains(other));
    EXPECT_EQ(map.load(huge), other);
    EXPECT_EQ(map.load(""), "");
    EXPECT_EQ(map.load(std::string(2, '\0')), std::nullopt);
    EXPECT_EQ(map.size(), 3U);
    map.reserve(0);
    EXPECT_TRUE(map.erase(huge));
}

} // namespace test::attacks
