#include <map>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>

#include "support/maps.hpp"

namespace test {

template <class M>
class for_each : public ::testing::Test {};
TYPED_TEST_SUITE(for_each, maps, names);

TYPED_TEST(for_each, calls_nothing_for_an_empty_map) {
    const TypeParam map;
    EXPECT_EQ(map.for_each([](const auto&, const auto&) { FAIL(); }), 0U);
}

TYPED_TEST(for_each, shows_every_entry_once_and_returns_how_many) {
    TypeParam map;
    std::map<typename TypeParam::key_type, typename TypeParam::mapped_type> expected;
    for (int i = 0; i < 2000; ++i) {
        map.store(key<TypeParam>(i), value<TypeParam>(3 * i));
        expected.emplace(key<TypeParam>(i), value<TypeParam>(3 * i));
    }
    for (int i = 0; i < 2000; i += 7) {
        map.erase(key<TypeParam>(i));
        expected.erase(key<TypeParam>(i));
    }
    decltype(expected) seen;
    const auto visited =
        map.for_each([&](const auto& k, const auto& v) { EXPECT_TRUE(seen.emplace(k, v).second) << "a key came twice"; });
    EXPECT_EQ(visited, expected.size());
    EXPECT_EQ(seen, expected);
}

TYPED_TEST(for_each, stops_when_the_function_returns_false_and_counts_that_call) {
    TypeParam map;
    for (int i = 0; i < 100; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    std::size_t calls = 0;
    EXPECT_EQ(map.for_each([&](const auto&, const auto&) { return ++calls < 10; }), 10U);
    EXPECT_EQ(calls, 10U);
}

TYPED_TEST(for_each, passes_on_what_the_function_throws_and_leaves_the_map_usable) {
    TypeParam map;
    for (int i = 0; i < 100; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    EXPECT_THROW(map.for_each([](const auto&, const auto&) { throw 1; }), int);
    map.store(key<TypeParam>(100), value<TypeParam>(100));
    EXPECT_EQ(map.for_each([](const auto&, const auto&) {}), 101U);
}

TYPED_TEST(for_each, shows_one_instant_where_the_map_says_so) {
    if constexpr (syncmap::atomic_iteration_map<TypeParam>) {
        TypeParam map; // the writer keeps exactly one of two keys present at every instant but between two writes
        map.store(key<TypeParam>(0), value<TypeParam>(0));
        std::atomic<bool> stop{false};
        std::thread writer([&] {
            for (int i = 0; !stop; ++i) {
                map.store(key<TypeParam>((i + 1) % 2), value<TypeParam>(i));
                map.erase(key<TypeParam>(i % 2));
            }
        });
        for (int i = 0; i < 2000; ++i) EXPECT_GE(map.for_each([](const auto&, const auto&) {}), 1U);
        stop = true;
        writer.join();
    }
}

} // namespace test
