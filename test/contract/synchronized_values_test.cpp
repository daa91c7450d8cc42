// Values that cannot move, and values that several threads change where they lie.
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>
#include <syncmap/synchronized_values.hpp>

#include "support/maps.hpp"

namespace test {

namespace {

/// Says that it synchronises itself.
struct guarded_list {
    using synchronizes_itself = void;
    guarded_list() = default;
    explicit guarded_list(std::size_t count) : numbers(count) {}
    std::mutex mutex{};
    std::vector<int> numbers{};
    void add(int n) {
        const std::lock_guard lock(mutex);
        numbers.push_back(n);
    }
};

/// Cannot move, and says nothing.
struct immovable_sum {
    int sum;
    std::string text;
    immovable_sum(int a, int b, std::string_view t) : sum(a + b), text(t) {}
    immovable_sum(const immovable_sum&) = delete;
    immovable_sum& operator=(const immovable_sum&) = delete;
};

static_assert(syncmap::synchronizes_itself<std::atomic<int>> && syncmap::synchronizes_itself<guarded_list> &&
              !syncmap::synchronizes_itself<int> && !syncmap::synchronizes_itself<immovable_sum>);

/// Calls `work(thread)` in three threads.
template <class F>
void in_threads(F work) {
    std::vector<std::thread> all;
    for (int t = 0; t < 3; ++t) all.emplace_back([work, t] { work(t); });
    for (std::thread& each : all) each.join();
}

} // namespace

template <class Family>
class synchronized_values : public ::testing::Test {};
TYPED_TEST_SUITE(synchronized_values, families, names);

TYPED_TEST(synchronized_values, are_made_in_their_place) {
    typename TypeParam::template of<std::string, immovable_sum> map;
    EXPECT_TRUE(map.emplace("a", 1, 2, "three"));
    EXPECT_FALSE(map.emplace("a", 4, 5, "six"));
    EXPECT_TRUE(map.visit("a", [](const immovable_sum& v) { EXPECT_EQ(v.text + std::to_string(v.sum), "three3"); }));
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(map.emplace(std::to_string(i), i, i, "many"));
    EXPECT_TRUE(map.visit("a", [](const immovable_sum& v) { EXPECT_EQ(v.sum, 3); })) << "the table has grown";
    EXPECT_TRUE(map.erase("a"));
    EXPECT_TRUE(map.emplace("a", 4, 5, "six"));
    EXPECT_EQ(map.size(), 501U);
    EXPECT_EQ(map.erase_if([](const std::string&, const immovable_sum& v) { return v.sum % 4 == 0; }), 250U);
}

TYPED_TEST(synchronized_values, are_changed_where_they_lie) {
    typename TypeParam::template of<std::string, std::atomic<int>> map;
    map.emplace("hits", 0);
    in_threads([&](int) {
        for (int i = 0; i < 500; ++i) EXPECT_TRUE(map.visit("hits", [](std::atomic<int>& hits) { ++hits; }));
    });
    for (int i = 0; i < 100; ++i) map.emplace(std::to_string(i), i); // it stays where it is while the table grows
    EXPECT_TRUE(map.visit("hits", [](const std::string& key, std::atomic<int>& hits) {
        EXPECT_EQ(key, "hits");
        EXPECT_EQ(hits.exchange(1), 1'500);
    }));
    EXPECT_EQ(map.for_each([](const std::string&, std::atomic<int>& each) { each = 7; }), 101U);
    EXPECT_TRUE(map.visit("hits", [](const std::atomic<int>& hits) { EXPECT_EQ(hits, 7); }));
    map.store("hits", 9); // another object
    EXPECT_TRUE(map.visit("hits", [](std::atomic<int>& hits) { EXPECT_EQ(hits, 9); }));
}

TYPED_TEST(synchronized_values, of_numbers_are_no_copies_in_the_table) {
    typename TypeParam::template of<int, std::atomic<int>> map;
    map.emplace(1, 5);
    map.visit(1, [](std::atomic<int>& each) { each += 2; });
    map.visit(1, [](std::atomic<int>& each) { EXPECT_EQ(each, 7); });
}

TYPED_TEST(synchronized_values, may_say_so_themselves) {
    typename TypeParam::template of<std::string, guarded_list> map;
    map.emplace("list");
    in_threads([&](int t) {
        for (int i = 0; i < 200; ++i) map.visit("list", [&](guarded_list& list) { list.add(t); });
    });
    map.visit("list", [](guarded_list& list) { EXPECT_EQ(list.numbers.size(), 600U); });
}

TYPED_TEST(synchronized_values, are_found_or_made_by_load_or_emplace) {
    using map_type = typename TypeParam::template of<std::string, std::atomic<int>>;
    if constexpr (syncmap::pinnable_map<map_type>) {
        map_type map;
        in_threads([&](int) {
            for (int i = 0; i < 300; ++i) ++*map.load_or_emplace(std::to_string(i % 10), 0);
        });
        EXPECT_EQ(map.size(), 10U);
        map.for_each([](const std::string&, const std::atomic<int>& each) { EXPECT_EQ(each, 90); });
        const auto held = map.load_or_emplace("new", 3);
        map.erase("new");
        map.flush();
        EXPECT_EQ(*held, 3);
        EXPECT_EQ(held.key(), "new");
        ++*held;
        EXPECT_EQ(*held, 4);
        EXPECT_FALSE(map.contains("new"));
    }
}

TYPED_TEST(synchronized_values, of_any_type_are_found_or_made) {
    using numbers = typename TypeParam::template of<int, int>;
    using named = typename TypeParam::template of<std::string, int>;
    using texts = typename TypeParam::template of<std::string, std::string>;
    if constexpr (syncmap::pinnable_map<numbers>) {
        numbers map;
        EXPECT_EQ(*map.load_or_emplace(1, 2), 2);
        EXPECT_EQ(*map.load_or_emplace(1, 3), 2);
        EXPECT_EQ(map.load_or_emplace(1, 3).key(), 1);
        named by_name;
        EXPECT_EQ(*by_name.load_or_emplace("a", 2), 2);
        EXPECT_EQ(*by_name.load_or_emplace("a", 3), 2);
        by_name.store("a", 4);
        EXPECT_EQ(*by_name.load_or_emplace("a", 3), 4);
        texts of_text;
        EXPECT_EQ(*of_text.load_or_emplace("a", 3U, 'x'), "xxx");
        EXPECT_EQ(*of_text.load_or_emplace("a"), "xxx");
    }
}

} // namespace test
