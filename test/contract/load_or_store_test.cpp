#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class load_or_store : public ::testing::Test {};
TYPED_TEST_SUITE(load_or_store, maps, names);

TYPED_TEST(load_or_store, stores_and_returns_the_value_when_the_key_is_absent) {
    TypeParam map;
    const auto result = map.load_or_store(key<TypeParam>(1), value<TypeParam>(10));
    EXPECT_FALSE(result.loaded);
    EXPECT_EQ(result.value, value<TypeParam>(10));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
}

TYPED_TEST(load_or_store, returns_the_present_value_and_changes_nothing) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    const auto result = map.load_or_store(key<TypeParam>(1), value<TypeParam>(11));
    EXPECT_TRUE(result.loaded);
    EXPECT_EQ(result.value, value<TypeParam>(10));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(load_or_store, results_compare) {
    TypeParam map;
    using result = syncmap::load_result<typename TypeParam::mapped_type>;
    EXPECT_EQ(map.load_or_store(key<TypeParam>(1), value<TypeParam>(10)), (result{value<TypeParam>(10), false}));
    EXPECT_EQ(map.load_or_store(key<TypeParam>(1), value<TypeParam>(11)), (result{value<TypeParam>(10), true}));
}

TYPED_TEST(load_or_store, stores_again_after_an_erase_and_after_clear) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    map.erase(key<TypeParam>(1));
    EXPECT_FALSE(map.load_or_store(key<TypeParam>(1), value<TypeParam>(11)).loaded);
    map.clear();
    EXPECT_FALSE(map.load_or_store(key<TypeParam>(1), value<TypeParam>(12)).loaded);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(12));
}

} // namespace test
