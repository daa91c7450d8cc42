#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class compare_erase : public ::testing::Test {};
TYPED_TEST_SUITE(compare_erase, maps, names);

TYPED_TEST(compare_erase, erases_the_key_when_its_value_is_the_expected_one) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    auto expected = value<TypeParam>(10);
    EXPECT_TRUE(map.compare_erase(key<TypeParam>(1), expected));
    EXPECT_FALSE(map.contains(key<TypeParam>(1)));
    EXPECT_TRUE(map.empty());
}

TYPED_TEST(compare_erase, tells_the_value_seen_when_it_is_another_one) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    auto expected = value<TypeParam>(9);
    EXPECT_FALSE(map.compare_erase(key<TypeParam>(1), expected));
    EXPECT_EQ(expected, value<TypeParam>(10));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
    EXPECT_TRUE(map.compare_erase(key<TypeParam>(1), expected));
}

TYPED_TEST(compare_erase, fails_for_an_absent_key_and_leaves_expected_alone) {
    TypeParam map;
    auto expected = value<TypeParam>(10);
    EXPECT_FALSE(map.compare_erase(key<TypeParam>(1), expected));
    EXPECT_EQ(expected, value<TypeParam>(10));
}

} // namespace test
