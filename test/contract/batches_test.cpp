#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/threads.hpp"

namespace test {
namespace {

/// Both layouts of the engine that has a form of its own, and one of those that get the loop.
using batched_maps = ::testing::Types<flagship::of<std::uint64_t, std::uint64_t>, flagship::of<std::string, std::string>,
                                      behind_mutex::of<std::string, std::string>>;

/// More than one group, and no multiple of one.
constexpr int some = 101;

template <class Map>
std::vector<typename Map::key_type> keys_below(int count) {
    std::vector<typename Map::key_type> keys;
    for (int i = 0; i != count; ++i) keys.push_back(key<Map>(i));
    return keys;
}
template <class Map>
std::vector<typename Map::mapped_type> values_below(int count) {
    std::vector<typename Map::mapped_type> values;
    for (int i = 0; i != count; ++i) values.push_back(value<Map>(i));
    return values;
}

/// A value whose copy fails on demand.
struct reluctant {
    explicit reluctant(int n) : number(n) {}
    reluctant(const reluctant& other) : number(other.number) {
        if (number == forbidden) throw std::runtime_error("no copy of this one");
    }
    reluctant& operator=(const reluctant&) = default;
    int number;
    static inline int forbidden = -1;
};

} // namespace

template <class Map>
class batches : public ::testing::Test {};
TYPED_TEST_SUITE(batches, batched_maps, names);

TYPED_TEST(batches, of_an_empty_map_find_nothing) {
    TypeParam map;
    const auto keys = keys_below<TypeParam>(some);
    std::vector<std::optional<typename TypeParam::mapped_type>> results(some, value<TypeParam>(1));
    EXPECT_EQ(map.load_many(keys, results), 0U);
    for (const auto& result : results) EXPECT_EQ(result, std::nullopt);
    EXPECT_EQ(map.visit_many(keys, [](std::size_t, const auto&) { ADD_FAILURE(); }), 0U);
    EXPECT_EQ(map.erase_many(keys), 0U);
    EXPECT_EQ(map.size(), 0U);
}

TYPED_TEST(batches, of_nothing_do_nothing) {
    TypeParam map;
    const auto none = keys_below<TypeParam>(0);
    EXPECT_EQ(map.store_many(none, values_below<TypeParam>(0)), 0U);
    EXPECT_EQ(map.load_many(none, {}), 0U);
    EXPECT_EQ(map.erase_many(none), 0U);
}

TYPED_TEST(batches, do_what_single_operations_do) {
    TypeParam map;
    const auto keys = keys_below<TypeParam>(some);
    EXPECT_EQ(map.store_many(keys, values_below<TypeParam>(some)), static_cast<std::size_t>(some));
    EXPECT_EQ(map.size(), static_cast<std::size_t>(some));
    for (int i = 0; i != some; ++i) EXPECT_EQ(map.load(key<TypeParam>(i)), value<TypeParam>(i));

    const auto twice = keys_below<TypeParam>(2 * some); // every second half is absent
    std::vector<std::optional<typename TypeParam::mapped_type>> results(2 * some + 1, value<TypeParam>(7));
    EXPECT_EQ(map.load_many(twice, results), static_cast<std::size_t>(some));
    for (int i = 0; i != 2 * some; ++i) {
        const auto expected = i < some ? std::optional(value<TypeParam>(i)) : std::nullopt;
        EXPECT_EQ(results[static_cast<std::size_t>(i)], expected);
    }
    EXPECT_EQ(results.back(), value<TypeParam>(7)) << "a result without a key is left alone";

    std::array<bool, 2 * some> there{};
    EXPECT_EQ(map.contains_many(twice, there), static_cast<std::size_t>(some));
    for (std::size_t i = 0; i != there.size(); ++i) EXPECT_EQ(there[i], i < some);

    std::vector<std::size_t> shown;
    EXPECT_EQ(map.visit_many(twice,
                             [&](std::size_t i, const auto& seen) {
                                 EXPECT_EQ(seen, value<TypeParam>(static_cast<int>(i)));
                                 shown.push_back(i);
                             }),
              static_cast<std::size_t>(some));
    ASSERT_EQ(shown.size(), static_cast<std::size_t>(some));
    for (std::size_t i = 0; i != shown.size(); ++i) EXPECT_EQ(shown[i], i) << "in the order of the index";

    EXPECT_EQ(map.store_many(std::span(keys).first(10), std::vector(10, value<TypeParam>(1))), 0U);
    EXPECT_EQ(map.load(key<TypeParam>(9)), value<TypeParam>(1));
    std::vector<bool> erased;
    EXPECT_EQ(map.erase_many(std::span(twice).subspan(some - 5, 10),
                             [&](std::size_t i, bool was_there) {
                                 EXPECT_EQ(i, erased.size());
                                 erased.push_back(was_there);
                             }),
              5U);
    EXPECT_EQ(erased, (std::vector{true, true, true, true, true, false, false, false, false, false}));
    EXPECT_EQ(map.size(), static_cast<std::size_t>(some) - 5U);
}

TYPED_TEST(batches, go_in_order_so_that_the_last_of_equal_keys_wins) {
    TypeParam map;
    const std::vector keys(40, key<TypeParam>(3));
    std::vector<bool> added;
    EXPECT_EQ(map.store_many(keys, values_below<TypeParam>(40), [&](std::size_t, bool is_new) { added.push_back(is_new); }),
              1U);
    for (std::size_t i = 0; i != added.size(); ++i) EXPECT_EQ(added[i], i == 0);
    EXPECT_EQ(map.load(key<TypeParam>(3)), value<TypeParam>(39));
    EXPECT_EQ(map.erase_many(keys), 1U);
}

TYPED_TEST(batches, refuse_spans_that_do_not_match) {
    TypeParam map;
    const auto keys = keys_below<TypeParam>(3);
    std::vector<std::optional<typename TypeParam::mapped_type>> results(2);
    std::array<bool, 2> there{};
    EXPECT_THROW(map.load_many(keys, results), std::length_error);
    EXPECT_THROW(map.contains_many(keys, there), std::length_error);
    EXPECT_THROW(map.store_many(keys, values_below<TypeParam>(2)), std::length_error);
    EXPECT_THROW(map.store_many(keys, values_below<TypeParam>(4)), std::length_error);
    EXPECT_EQ(map.size(), 0U);
}

TYPED_TEST(batches, end_at_an_exception_of_the_callback_with_the_earlier_elements_done) {
    TypeParam map;
    const auto keys = keys_below<TypeParam>(some);
    const auto stop_at_50 = [](std::size_t i, bool) {
        if (i == 50) throw std::runtime_error("enough");
    };
    EXPECT_THROW(map.store_many(keys, values_below<TypeParam>(some), stop_at_50), std::runtime_error);
    EXPECT_EQ(map.size(), 51U) << "the one whose callback threw is done";
    EXPECT_THROW(map.erase_many(keys, stop_at_50), std::runtime_error);
    EXPECT_EQ(map.size(), 0U);
}

TEST(batches_of_map, end_at_an_exception_of_an_element_that_has_changed_nothing) {
    syncmap::map<int, reluctant> map;
    std::vector<int> keys;
    std::vector<reluctant> values;
    for (int i = 0; i != 40; ++i) {
        keys.push_back(i);
        values.emplace_back(i);
    }
    reluctant::forbidden = 35;
    std::size_t reached = 0;
    EXPECT_THROW(map.store_many(keys, values, [&](std::size_t i, bool) { reached = i + 1; }), std::runtime_error);
    EXPECT_EQ(reached, 35U);
    EXPECT_EQ(map.size(), 35U);
    reluctant::forbidden = 20;
    std::vector<std::optional<reluctant>> results(40, reluctant(77));
    EXPECT_THROW(map.load_many(keys, results), std::runtime_error);
    reluctant::forbidden = -1;
    EXPECT_EQ(results[19]->number, 19);
    EXPECT_EQ(results[21]->number, 77) << "was not begun";
}

TEST(batches_of_map, look_strings_up_by_view_and_literal) {
    syncmap::map<std::string, std::uint64_t> map;
    const std::array<std::string_view, 3> views{"one", "a key that is longer than any small string buffer", "three"};
    EXPECT_EQ(map.store_many(views, std::array<std::uint64_t, 3>{1, 2, 3}), 3U);
    const std::array<const char*, 3> literals{"three", "four", "one"};
    std::array<std::optional<std::uint64_t>, 3> results{};
    EXPECT_EQ(map.load_many(literals, results), 2U);
    EXPECT_EQ(results, (std::array<std::optional<std::uint64_t>, 3>{3, std::nullopt, 1}));
    EXPECT_EQ(map.erase_many(std::span(views).last(2)), 2U);
    EXPECT_EQ(map.size(), 1U);
}

TEST(batches_of_map, convert_keys_that_cannot_be_looked_up_as_they_are) {
    syncmap::map<std::string, int, std::hash<std::string>, std::equal_to<std::string>> map; // not transparent
    const std::array<const char*, 2> keys{"one", "two"};
    EXPECT_EQ(map.store_many(keys, std::array{1, 2}), 2U);
    EXPECT_EQ(map.visit_many(keys, [](std::size_t i, int seen) { EXPECT_EQ(seen, static_cast<int>(i) + 1); }), 2U);
}

TEST(batches_of_map, let_callbacks_use_the_map) {
    syncmap::map<std::uint64_t, std::uint64_t> map;
    std::vector<std::uint64_t> keys;
    for (std::uint64_t i = 0; i != 100; ++i) keys.push_back(i);
    // Each callback stores the next key, which is then no new one: also in the group that began without a table.
    EXPECT_EQ(map.store_many(keys, keys,
                             [&](std::size_t i, bool is_new) {
                                 EXPECT_EQ(is_new, i == 0);
                                 map.store(i + 1, 7U);
                             }),
              1U);
    EXPECT_EQ(map.visit_many(keys,
                             [&](std::size_t i, std::uint64_t seen) {
                                 EXPECT_EQ(seen, i);
                                 map.erase(i + 1);
                             }),
              50U)
        << "each of them erased the next one before that was looked at";
}

/// What is prefetched may be moved, left, cleared and freed before it is used.
TEST(batches_of_map, find_what_stays_while_tables_come_and_go) {
    syncmap::map<std::string, std::string> map;
    constexpr int staying = 200;
    std::vector<std::string> keys;
    for (int i = 0; i != staying; ++i) keys.push_back("stays " + std::to_string(i));
    map.store_many(keys, keys);
    std::atomic<bool> over{false};
    const auto churn = [&] {
        std::vector<std::string> others;
        for (int i = 0; i != 2000; ++i) others.push_back("comes and goes " + std::to_string(i));
        for (int round = 0; round != 20; ++round) {
            map.store_many(others, others);
            EXPECT_EQ(map.erase_many(others), others.size());
        }
        over = true;
    };
    const auto look = [&] {
        do {
            EXPECT_EQ(map.visit_many(keys, [&](std::size_t i, const std::string& seen) { EXPECT_EQ(seen, keys[i]); }),
                      keys.size());
        } while (!over);
    };
    together(2, [&](std::size_t thread) { thread == 0 ? churn() : look(); });
    EXPECT_EQ(map.size(), keys.size());
}

} // namespace test
