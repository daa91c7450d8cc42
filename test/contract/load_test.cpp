#include <optional>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class load : public ::testing::Test {};
TYPED_TEST_SUITE(load, maps, names);

TYPED_TEST(load, returns_nothing_from_an_empty_map) {
    const TypeParam map;
    EXPECT_EQ(map.load(key<TypeParam>(1)), std::nullopt);
    EXPECT_FALSE(map.contains(key<TypeParam>(1)));
}

TYPED_TEST(load, returns_the_value_last_stored) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
    map.store(key<TypeParam>(1), value<TypeParam>(11));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(11));
}

TYPED_TEST(load, returns_nothing_for_another_key) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    EXPECT_EQ(map.load(key<TypeParam>(2)), std::nullopt);
    EXPECT_FALSE(map.contains(key<TypeParam>(2)));
}

TYPED_TEST(load, returns_nothing_for_an_erased_key) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    map.erase(key<TypeParam>(1));
    EXPECT_EQ(map.load(key<TypeParam>(1)), std::nullopt);
    EXPECT_FALSE(map.contains(key<TypeParam>(1)));
}

TYPED_TEST(load, returns_a_copy_that_later_writes_do_not_change) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(39));
    const auto before = map.load(key<TypeParam>(1));
    map.store(key<TypeParam>(1), value<TypeParam>(40));
    map.erase(key<TypeParam>(1));
    map.clear();
    EXPECT_EQ(before, value<TypeParam>(39));
}

TYPED_TEST(load, finds_each_of_many_keys_and_none_of_the_others) {
    TypeParam map;
    constexpr int count = 3000;
    for (int i = 0; i < count; ++i) map.store(key<TypeParam>(2 * i), value<TypeParam>(i));
    for (int i = 0; i < count; ++i) {
        ASSERT_EQ(map.load(key<TypeParam>(2 * i)), value<TypeParam>(i)) << i;
        ASSERT_TRUE(map.contains(key<TypeParam>(2 * i))) << i;
        ASSERT_FALSE(map.contains(key<TypeParam>(2 * i + 1))) << i;
    }
}

} // namespace test
