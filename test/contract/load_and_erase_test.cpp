#include <optional>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class load_and_erase : public ::testing::Test {};
TYPED_TEST_SUITE(load_and_erase, maps, names);

TYPED_TEST(load_and_erase, returns_nothing_for_an_absent_key) {
    TypeParam map;
    EXPECT_EQ(map.load_and_erase(key<TypeParam>(1)), std::nullopt);
    map.store(key<TypeParam>(2), value<TypeParam>(20));
    EXPECT_EQ(map.load_and_erase(key<TypeParam>(1)), std::nullopt);
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(load_and_erase, returns_the_value_once) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    EXPECT_EQ(map.load_and_erase(key<TypeParam>(1)), value<TypeParam>(10));
    EXPECT_EQ(map.load_and_erase(key<TypeParam>(1)), std::nullopt);
    EXPECT_FALSE(map.contains(key<TypeParam>(1)));
}

TYPED_TEST(load_and_erase, empties_a_large_map_value_by_value) {
    TypeParam map;
    for (int i = 0; i < 2000; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i + 1));
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(map.load_and_erase(key<TypeParam>(i)), value<TypeParam>(i + 1)) << i;
    EXPECT_TRUE(map.empty());
}

} // namespace test
