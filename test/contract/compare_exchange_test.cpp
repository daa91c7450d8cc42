#include <optional>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class compare_exchange : public ::testing::Test {};
TYPED_TEST_SUITE(compare_exchange, maps, names);

TYPED_TEST(compare_exchange, sets_the_value_when_it_is_the_expected_one) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    auto expected = value<TypeParam>(10);
    EXPECT_TRUE(map.compare_exchange(key<TypeParam>(1), expected, value<TypeParam>(11)));
    EXPECT_EQ(expected, value<TypeParam>(10));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(11));
}

TYPED_TEST(compare_exchange, tells_the_value_seen_when_it_is_another_one) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    auto expected = value<TypeParam>(9);
    EXPECT_FALSE(map.compare_exchange(key<TypeParam>(1), expected, value<TypeParam>(11)));
    EXPECT_EQ(expected, value<TypeParam>(10));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
    EXPECT_TRUE(map.compare_exchange(key<TypeParam>(1), expected, value<TypeParam>(11))); // so a retry needs no load
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(11));
}

TYPED_TEST(compare_exchange, fails_for_an_absent_key_and_leaves_expected_alone) {
    TypeParam map;
    auto expected = value<TypeParam>(10);
    EXPECT_FALSE(map.compare_exchange(key<TypeParam>(1), expected, value<TypeParam>(11)));
    EXPECT_EQ(expected, value<TypeParam>(10));
    EXPECT_FALSE(map.contains(key<TypeParam>(1)));
    EXPECT_TRUE(map.empty());
}

TYPED_TEST(compare_exchange, expecting_no_entry_makes_one) {
    TypeParam map;
    std::optional<typename TypeParam::mapped_type> expected;
    EXPECT_TRUE(map.compare_exchange(key<TypeParam>(1), expected, value<TypeParam>(10)));
    EXPECT_EQ(expected, std::nullopt);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
}

TYPED_TEST(compare_exchange, expecting_no_entry_fails_when_there_is_one_and_tells_its_value) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    std::optional<typename TypeParam::mapped_type> expected;
    EXPECT_FALSE(map.compare_exchange(key<TypeParam>(1), expected, value<TypeParam>(11)));
    EXPECT_EQ(expected, value<TypeParam>(10));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
}

TYPED_TEST(compare_exchange, expecting_a_value_becomes_empty_when_the_key_is_absent) {
    TypeParam map;
    std::optional<typename TypeParam::mapped_type> expected = value<TypeParam>(10);
    EXPECT_FALSE(map.compare_exchange(key<TypeParam>(1), expected, value<TypeParam>(11)));
    EXPECT_EQ(expected, std::nullopt);
    EXPECT_TRUE(map.compare_exchange(key<TypeParam>(1), expected, value<TypeParam>(11)));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(11));
}

TYPED_TEST(compare_exchange, expecting_a_value_in_an_optional_sets_it) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    std::optional<typename TypeParam::mapped_type> expected = value<TypeParam>(10);
    EXPECT_TRUE(map.compare_exchange(key<TypeParam>(1), expected, value<TypeParam>(11)));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(11));
}

} // namespace test
