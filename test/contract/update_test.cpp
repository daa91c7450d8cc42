#include <optional>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

using syncmap::update_result;

template <class M>
class update : public ::testing::Test {};
TYPED_TEST_SUITE(update, maps, names);

TYPED_TEST(update, shows_null_for_an_absent_key_and_inserts) {
    TypeParam map;
    const auto result = map.update(key<TypeParam>(1), [](const typename TypeParam::mapped_type* current) {
        EXPECT_EQ(current, nullptr);
        return value<TypeParam>(10);
    });
    EXPECT_EQ(result, update_result::inserted);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
}

TYPED_TEST(update, shows_the_present_value_and_assigns) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    const auto result = map.update(key<TypeParam>(1), [](const typename TypeParam::mapped_type* current) {
        EXPECT_NE(current, nullptr);
        EXPECT_EQ(*current, value<TypeParam>(10));
        return value<TypeParam>(11);
    });
    EXPECT_EQ(result, update_result::assigned);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(11));
}

TYPED_TEST(update, erases_when_the_function_returns_nothing) {
    TypeParam map;
    using optional = std::optional<typename TypeParam::mapped_type>;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    map.store(key<TypeParam>(2), value<TypeParam>(20));
    EXPECT_EQ(map.update(key<TypeParam>(1), [](const auto*) { return optional(); }), update_result::erased);
    EXPECT_EQ(map.update(key<TypeParam>(2), [](const auto*) { return std::nullopt; }), update_result::erased);
    EXPECT_EQ(map.update(key<TypeParam>(3), [](const auto*) { return optional(); }), update_result::kept);
    EXPECT_TRUE(map.empty());
}

TYPED_TEST(update, keeps_when_the_function_says_so) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    EXPECT_EQ(map.update(key<TypeParam>(1), [](const auto*) { return syncmap::keep; }), update_result::kept);
    EXPECT_EQ(map.update(key<TypeParam>(2), [](const auto*) { return syncmap::keep; }), update_result::kept);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(update, lets_one_function_decide_between_all_three) {
    TypeParam map;
    using action = syncmap::update_action<typename TypeParam::mapped_type>;
    for (int i = 0; i < 300; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    for (int i = 0; i < 300; ++i) {
        map.update(key<TypeParam>(i), [i](const auto*) -> action {
            if (i % 3 == 0) return syncmap::keep;
            if (i % 3 == 1) return std::nullopt;
            return value<TypeParam>(i + 1000);
        });
    }
    for (int i = 0; i < 300; ++i) {
        std::optional<typename TypeParam::mapped_type> expected;
        if (i % 3 == 0) expected = value<TypeParam>(i);
        if (i % 3 == 2) expected = value<TypeParam>(i + 1000);
        EXPECT_EQ(map.load(key<TypeParam>(i)), expected);
    }
}

TYPED_TEST(update, runs_the_function_exactly_once) {
    TypeParam map;
    int calls = 0;
    for (int i = 0; i < 1000; ++i) {
        map.update(key<TypeParam>(i), [&](const auto*) {
            ++calls;
            return value<TypeParam>(i);
        });
    }
    EXPECT_EQ(calls, 1000);
}

TYPED_TEST(update, changes_nothing_when_the_function_throws) {
    TypeParam map;
    using action = syncmap::update_action<typename TypeParam::mapped_type>;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    EXPECT_THROW(map.update(key<TypeParam>(1), [](const auto*) -> action { throw 1; }), int);
    EXPECT_THROW(map.update(key<TypeParam>(2), [](const auto*) -> action { throw 1; }), int);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
    EXPECT_EQ(map.size(), 1U);
    EXPECT_EQ(map.update(key<TypeParam>(2), [](const auto*) { return value<TypeParam>(2); }), update_result::inserted);
}

} // namespace test
