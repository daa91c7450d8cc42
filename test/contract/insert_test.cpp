#include <string>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {

template <class M>
class insert : public ::testing::Test {};
TYPED_TEST_SUITE(insert, maps, names);

TYPED_TEST(insert, stores_for_an_absent_key_only) {
    TypeParam map;
    EXPECT_TRUE(map.insert(key<TypeParam>(1), value<TypeParam>(10)));
    EXPECT_FALSE(map.insert(key<TypeParam>(1), value<TypeParam>(11)));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(insert, stores_again_after_an_erase) {
    TypeParam map;
    map.insert(key<TypeParam>(1), value<TypeParam>(10));
    map.erase(key<TypeParam>(1));
    EXPECT_TRUE(map.insert(key<TypeParam>(1), value<TypeParam>(12)));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(12));
}

template <class Family>
class insert_with : public ::testing::Test {};
TYPED_TEST_SUITE(insert_with, families, names);

TYPED_TEST(insert_with, a_present_key_leaves_the_argument_as_it_was) {
    typename TypeParam::template of<int, std::string> map;
    map.insert(1, "first");
    std::string second(50, 's');
    EXPECT_FALSE(map.insert(1, std::move(second)));
    EXPECT_EQ(second, std::string(50, 's')); // NOLINT: not moved from, that is the point
}

TYPED_TEST(insert_with, a_move_only_value_is_moved_in_or_left_alone) {
    typename TypeParam::template of<int, move_only> map;
    move_only one(1);
    EXPECT_TRUE(map.insert(7, std::move(one)));
    move_only two(2);
    EXPECT_FALSE(map.insert(7, std::move(two)));
    EXPECT_EQ(two.number(), 2); // NOLINT: not moved from, that is the point
    EXPECT_TRUE(map.visit(7, [](const move_only& value) { EXPECT_EQ(value.number(), 1); }));
}

} // namespace test
