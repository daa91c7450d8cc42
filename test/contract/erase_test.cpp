#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class erase : public ::testing::Test {};
TYPED_TEST_SUITE(erase, maps, names);

TYPED_TEST(erase, says_whether_the_key_was_there) {
    TypeParam map;
    EXPECT_FALSE(map.erase(key<TypeParam>(1)));
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    EXPECT_TRUE(map.erase(key<TypeParam>(1)));
    EXPECT_FALSE(map.erase(key<TypeParam>(1)));
}

TYPED_TEST(erase, takes_out_that_key_alone) {
    TypeParam map;
    for (int i = 0; i < 1000; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    for (int i = 0; i < 1000; i += 3) EXPECT_TRUE(map.erase(key<TypeParam>(i)));
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(map.contains(key<TypeParam>(i)), i % 3 != 0) << i;
    EXPECT_EQ(map.size(), 666U);
}

TYPED_TEST(erase, leaves_room_that_new_keys_use_again) {
    TypeParam map;
    for (int i = 0; i < 50'000; ++i) {
        ASSERT_TRUE(map.store(key<TypeParam>(i), value<TypeParam>(i)));
        if (i >= 10) {
            ASSERT_TRUE(map.erase(key<TypeParam>(i - 10)));
        }
    }
    EXPECT_EQ(map.size(), 10U);
    for (int i = 49'990; i < 50'000; ++i) EXPECT_EQ(map.load(key<TypeParam>(i)), value<TypeParam>(i));
}

} // namespace test
