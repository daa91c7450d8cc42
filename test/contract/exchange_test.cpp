#include <optional>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class exchange : public ::testing::Test {};
TYPED_TEST_SUITE(exchange, maps, names);

TYPED_TEST(exchange, returns_nothing_when_the_key_is_new_and_stores) {
    TypeParam map;
    EXPECT_EQ(map.exchange(key<TypeParam>(1), value<TypeParam>(10)), std::nullopt);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
}

TYPED_TEST(exchange, returns_the_previous_value_each_time) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(0));
    for (int i = 1; i < 200; ++i) {
        ASSERT_EQ(map.exchange(key<TypeParam>(1), value<TypeParam>(i)), value<TypeParam>(i - 1));
    }
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(199));
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(exchange, returns_nothing_after_an_erase) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    map.erase(key<TypeParam>(1));
    EXPECT_EQ(map.exchange(key<TypeParam>(1), value<TypeParam>(11)), std::nullopt);
}

} // namespace test
