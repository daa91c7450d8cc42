// invalidate_if, hottest, coldest.
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <syncmap/cache.hpp>

#include <gtest/gtest.h>

namespace {

using whole_of_numbers = syncmap::cache<int, int>;

TEST(cache_invalidate_if, removes_what_the_function_names) {
    std::vector<int> told;
    whole_of_numbers c({.capacity = 1000, .on_removal = [&](const int& key, const int&, syncmap::removal why) {
                            EXPECT_EQ(why, syncmap::removal::invalidated);
                            told.push_back(key);
                        }});
    for (int i = 0; i < 100; ++i) c.put(i, i % 10);
    std::size_t shown = 0;
    EXPECT_EQ(c.invalidate_if([&](int, int value) {
        ++shown;
        return value == 3;
    }),
              10U);
    EXPECT_EQ(shown, 100U);
    EXPECT_EQ(c.size(), 90U);
    EXPECT_FALSE(c.contains(13));
    EXPECT_TRUE(c.contains(14));
    EXPECT_EQ(told.size(), 10U);
    EXPECT_EQ(c.stats().invalidated, 10U);
    EXPECT_EQ(c.stats().erased, 0U);
    for (int i = 1000; i < 1910; ++i) EXPECT_TRUE(c.put(i, 0)); // the permits have come back
    EXPECT_EQ(c.size(), 1000U);
    EXPECT_EQ(c.stats().evictions, 0U);
}

TEST(cache_invalidate_if, leaves_what_has_changed_since_and_what_the_thread_updates) {
    whole_of_numbers c({.capacity = 10});
    c.put(1, 1);
    EXPECT_EQ(c.invalidate_if([&](int, int) {
        c.put(1, 2);
        return true;
    }),
              0U);
    EXPECT_EQ(c.get(1), 2);
    c.update(1, [&](const int*) {
        EXPECT_EQ(c.invalidate_if([](int, int) { return true; }), 0U);
        return 3;
    });
    EXPECT_EQ(c.get(1), 3);
    EXPECT_THROW(c.invalidate_if([](int, int) -> bool { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_EQ(c.get(1), 3);
}

TEST(cache_invalidate_if, beats_loads_that_began_before) {
    whole_of_numbers c({.capacity = 10});
    EXPECT_EQ(c.get_or_load(1,
                            [&] {
                                EXPECT_EQ(c.invalidate_if([](int, int) { return true; }), 0U);
                                return 7;
                            }),
              7);
    EXPECT_EQ(c.get(1), std::nullopt);
}

template <class Pins>
std::vector<int> keys_of(const Pins& pins) {
    std::vector<int> keys;
    for (const auto& each : pins) keys.push_back(each.key());
    return keys;
}

TEST(cache_ranking, orders_by_queue_uses_and_count) {
    whole_of_numbers c({.capacity = 100});
    for (int i = 0; i < 50; ++i) c.put(i, i);
    for (int i = 0; i < 50; ++i)
        for (int uses = 0; uses < i % 3; ++uses) EXPECT_TRUE(c.get(i));
    EXPECT_TRUE(c.hottest(0).empty());
    const auto all = c.hottest(1000);
    EXPECT_EQ(all.size(), 50U);
    const std::vector<int> hot = keys_of(c.hottest(10)), cold = keys_of(c.coldest(10)), keys = keys_of(all);
    EXPECT_EQ(std::set<int>(keys.begin(), keys.end()).size(), 50U);
    // Those that are still small come last; in each queue, those that were used more often come first.
    for (std::size_t i = 1; i < keys.size(); ++i) {
        const bool next_queue = keys[i - 1] % 3 == 0 && keys[i] % 3 != 0;
        EXPECT_TRUE(next_queue || keys[i - 1] % 3 >= keys[i] % 3) << i;
    }
    EXPECT_EQ(hot.size(), 10U);
    for (const int key : hot) EXPECT_EQ(key % 3, 2);
    EXPECT_EQ(cold.size(), 10U);
    EXPECT_EQ(cold.front() % 3, 0);
    for (const int key : cold) EXPECT_EQ(std::set<int>(hot.begin(), hot.end()).count(key), 0U);
    EXPECT_EQ(c.hottest(1).front().key() % 3, 2);
}

TEST(cache_ranking, leaves_room_for_live_entries_beside_expired_ones_that_still_answer_failing_loads) {
    whole_of_numbers c({.capacity = 100, .stale_if_error = std::chrono::hours(1)});
    for (int i = 0; i < 50; ++i) c.put(i, i, {.ttl = std::chrono::seconds(0)});
    for (int i = 50; i < 55; ++i) c.put(i, i);
    EXPECT_EQ(c.hottest(5).size(), 5U);
    EXPECT_EQ(c.coldest(5).size(), 5U);
}

TEST(cache_ranking, pins_what_it_returns) {
    syncmap::cache<int, std::string> c({.capacity = 10});
    c.put(1, "a");
    const auto one = c.coldest(5);
    c.invalidate_all();
    c.flush();
    ASSERT_EQ(one.size(), 1U);
    EXPECT_EQ(*one.front(), "a");
    EXPECT_TRUE(c.hottest(5).empty());
}

} // namespace
