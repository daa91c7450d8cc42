#include <type_traits>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {

template <class M>
class visit : public ::testing::Test {};
TYPED_TEST_SUITE(visit, maps, names);

TYPED_TEST(visit, does_not_call_for_an_absent_key) {
    const TypeParam map;
    EXPECT_FALSE(map.visit(key<TypeParam>(1), [](const auto&) { FAIL(); }));
}

TYPED_TEST(visit, calls_once_with_the_value) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    int calls = 0;
    EXPECT_TRUE(map.visit(key<TypeParam>(1), [&](const auto& v) {
        ++calls;
        EXPECT_EQ(v, value<TypeParam>(10));
    }));
    EXPECT_EQ(calls, 1);
}

TYPED_TEST(visit, hands_out_a_constant_value) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    map.visit(key<TypeParam>(1), [](auto&& v) { EXPECT_TRUE(std::is_const_v<std::remove_reference_t<decltype(v)>>); });
}

TYPED_TEST(visit, passes_on_what_the_function_throws_and_leaves_the_map_usable) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    EXPECT_THROW(map.visit(key<TypeParam>(1), [](const auto&) { throw 1; }), int);
    map.store(key<TypeParam>(1), value<TypeParam>(11));
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(11));
}

} // namespace test
