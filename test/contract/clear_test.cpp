#include <memory>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class clear : public ::testing::Test {};
TYPED_TEST_SUITE(clear, maps, names);

TYPED_TEST(clear, of_an_empty_map_does_nothing) {
    TypeParam map;
    map.clear();
    map.clear();
    EXPECT_TRUE(map.empty());
}

TYPED_TEST(clear, forgets_every_entry) {
    TypeParam map;
    for (int i = 0; i < 1000; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    map.clear();
    EXPECT_EQ(map.size(), 0U);
    EXPECT_TRUE(map.empty());
    for (int i = 0; i < 1000; ++i) ASSERT_FALSE(map.contains(key<TypeParam>(i))) << i;
    EXPECT_EQ(map.for_each([](const auto&, const auto&) {}), 0U);
}

TYPED_TEST(clear, leaves_a_map_that_works_as_new_many_times) {
    TypeParam map;
    for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 200; ++i) ASSERT_TRUE(map.store(key<TypeParam>(i), value<TypeParam>(round)));
        ASSERT_EQ(map.size(), 200U);
        ASSERT_EQ(map.load(key<TypeParam>(199)), value<TypeParam>(round));
        map.clear();
    }
    EXPECT_TRUE(map.empty());
}

template <class Family>
class clear_frees : public ::testing::Test {};
TYPED_TEST_SUITE(clear_frees, families, names);

TYPED_TEST(clear_frees, the_values_by_the_end_of_the_map_at_the_latest) {
    const auto witness = std::make_shared<int>(1);
    {
        typename TypeParam::template of<int, std::shared_ptr<int>> map;
        for (int i = 0; i < 300; ++i) map.store(i, witness);
        EXPECT_EQ(witness.use_count(), 301);
        map.clear();
    }
    EXPECT_EQ(witness.use_count(), 1);
}

} // namespace test
