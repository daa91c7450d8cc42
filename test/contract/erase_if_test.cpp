#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class erase_if : public ::testing::Test {};
TYPED_TEST_SUITE(erase_if, maps, names);

TYPED_TEST(erase_if, erases_what_the_predicate_accepts_and_returns_how_many) {
    TypeParam map;
    for (int i = 0; i < 1000; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i % 3));
    const auto erased = map.erase_if([](const auto&, const auto& v) { return v == value<TypeParam>(1); });
    EXPECT_EQ(erased, 333U);
    EXPECT_EQ(map.size(), 667U);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(map.contains(key<TypeParam>(i)), i % 3 != 1) << i;
}

TYPED_TEST(erase_if, shows_every_entry_with_its_own_value) {
    TypeParam map;
    for (int i = 0; i < 500; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    std::size_t calls = 0;
    EXPECT_EQ(map.erase_if([&](const auto& k, const auto& v) {
        ++calls;
        EXPECT_TRUE(k == v) << "keys and values of both maps are of one type, and equal here";
        return false;
    }),
              0U);
    EXPECT_EQ(calls, 500U);
    EXPECT_EQ(map.size(), 500U);
}

TYPED_TEST(erase_if, can_erase_everything_and_nothing) {
    TypeParam map;
    EXPECT_EQ(map.erase_if([](const auto&, const auto&) { return true; }), 0U);
    for (int i = 0; i < 500; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    EXPECT_EQ(map.erase_if([](const auto&, const auto&) { return true; }), 500U);
    EXPECT_TRUE(map.empty());
    EXPECT_TRUE(map.store(key<TypeParam>(1), value<TypeParam>(1)));
}

TYPED_TEST(erase_if, passes_on_what_the_predicate_throws_and_leaves_the_map_usable) {
    TypeParam map;
    for (int i = 0; i < 100; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    int calls = 0;
    EXPECT_THROW(map.erase_if([&](const auto&, const auto&) {
        if (++calls == 50) throw 1;
        return true;
    }),
                 int);
    EXPECT_EQ(map.size(), 51U); // erased is what it had decided on
    for (int i = 0; i < 100; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    EXPECT_EQ(map.size(), 100U);
}

} // namespace test
