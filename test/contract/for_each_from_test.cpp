// Walks in steps, of the maps that have them.
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
concept walkable =
    requires(const M& map, syncmap::walk_position at) { map.for_each_from(at, [](const auto&, const auto&) {}); };

static_assert(walkable<flagship::of<int, int>>);
static_assert(!walkable<behind_mutex::of<int, int>>);

template <class M>
class for_each_from : public ::testing::Test {};
TYPED_TEST_SUITE(for_each_from, maps, names);

TYPED_TEST(for_each_from, ends_at_once_in_an_empty_map) {
    if constexpr (walkable<TypeParam>) {
        const TypeParam map;
        EXPECT_TRUE(map.for_each_from({}, [](const auto&, const auto&) { FAIL(); }).at_end());
    }
}

TYPED_TEST(for_each_from, shows_every_entry_once_in_all_its_steps_and_some_in_each) {
    if constexpr (walkable<TypeParam>) {
        TypeParam map;
        std::map<typename TypeParam::key_type, typename TypeParam::mapped_type> expected;
        for (int i = 0; i < 2000; ++i) {
            map.store(key<TypeParam>(i), value<TypeParam>(3 * i));
            expected.emplace(key<TypeParam>(i), value<TypeParam>(3 * i));
        }
        decltype(expected) seen;
        std::size_t steps = 0;
        for (syncmap::walk_position at; !at.at_end(); ++steps) {
            const std::size_t before = seen.size();
            at = map.for_each_from(
                at, [&](const auto& k, const auto& v) { EXPECT_TRUE(seen.emplace(k, v).second) << "a key came twice"; });
            if (!at.at_end()) {
                EXPECT_GT(seen.size(), before);
            }
        }
        EXPECT_EQ(seen, expected);
        EXPECT_GT(steps, 100U);
    }
}

TYPED_TEST(for_each_from, shows_what_stays_once_while_the_table_grows_and_shrinks_between_the_steps) {
    if constexpr (walkable<TypeParam>) {
        TypeParam map;
        const int stable = 200;
        for (int i = 0; i < stable; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
        std::map<typename TypeParam::key_type, int> times;
        int step = 0;
        for (syncmap::walk_position at; !at.at_end(); ++step) {
            at = map.for_each_from(at, [&](const auto& k, const auto&) { ++times[k]; });
            const int phase = step % 8;
            for (int i = 0; i < 1000; ++i) { // four steps put in, four take out
                const auto other = key<TypeParam>(stable + (phase % 4) * 1000 + i);
                if (phase < 4) {
                    map.store(other, value<TypeParam>(i));
                } else {
                    map.erase(other);
                }
            }
        }
        for (int i = 0; i < stable; ++i) EXPECT_EQ(times[key<TypeParam>(i)], 1) << i;
        for (const auto& [k, count] : times) EXPECT_EQ(count, 1);
    }
}

TYPED_TEST(for_each_from, ends_when_the_map_was_cleared) {
    if constexpr (walkable<TypeParam>) {
        TypeParam map;
        for (int i = 0; i < 500; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
        auto at = map.for_each_from({}, [](const auto&, const auto&) {});
        ASSERT_FALSE(at.at_end());
        map.clear();
        EXPECT_TRUE(map.for_each_from(at, [](const auto&, const auto&) { FAIL(); }).at_end());
    }
}

TYPED_TEST(for_each_from, can_go_on_from_a_copy_and_on_another_thread) {
    if constexpr (walkable<TypeParam>) {
        TypeParam map;
        for (int i = 0; i < 500; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
        std::set<typename TypeParam::key_type> first, rest, again;
        auto at = map.for_each_from({}, [&](const auto& k, const auto&) { first.insert(k); });
        const auto copy = at;
        std::jthread([&] {
            while (!at.at_end()) at = map.for_each_from(at, [&](const auto& k, const auto&) { rest.insert(k); });
        }).join();
        for (auto from = copy; !from.at_end();)
            from = map.for_each_from(from, [&](const auto& k, const auto&) { again.insert(k); });
        EXPECT_EQ(first.size() + rest.size(), 500U);
        EXPECT_EQ(rest, again);
    }
}

TEST(for_each_from_of_integers, shows_the_keys_that_look_like_marks) {
    syncmap::map<std::uint64_t, int> map;
    const std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
    for (const std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, top, top - 1}) map.store(k, 1);
    std::multiset<std::uint64_t> seen;
    for (syncmap::walk_position at; !at.at_end();) at = map.for_each_from(at, [&](auto k, int) { seen.insert(k); });
    EXPECT_EQ(seen, (std::multiset<std::uint64_t>{0, 1, top - 1, top}));
}

} // namespace test
