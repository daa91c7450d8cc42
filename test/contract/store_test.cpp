#include <string>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class store : public ::testing::Test {};
TYPED_TEST_SUITE(store, maps, names);

TYPED_TEST(store, says_whether_the_key_is_new) {
    TypeParam map;
    EXPECT_TRUE(map.store(key<TypeParam>(1), value<TypeParam>(10)));
    EXPECT_FALSE(map.store(key<TypeParam>(1), value<TypeParam>(11)));
    EXPECT_TRUE(map.store(key<TypeParam>(2), value<TypeParam>(20)));
    map.erase(key<TypeParam>(1));
    EXPECT_TRUE(map.store(key<TypeParam>(1), value<TypeParam>(12)));
}

TYPED_TEST(store, replaces_the_value_and_leaves_other_keys_alone) {
    TypeParam map;
    for (int i = 0; i < 100; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    map.store(key<TypeParam>(50), value<TypeParam>(5000));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(map.load(key<TypeParam>(i)), value<TypeParam>(i == 50 ? 5000 : i));
    EXPECT_EQ(map.size(), 100U);
}

TYPED_TEST(store, replaces_the_same_key_many_times) {
    TypeParam map;
    for (int i = 0; i < 10'000; ++i) map.store(key<TypeParam>(7), value<TypeParam>(i));
    EXPECT_EQ(map.load(key<TypeParam>(7)), value<TypeParam>(9'999));
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(store, takes_keys_and_values_from_lvalues_and_rvalues) {
    TypeParam map;
    auto k = key<TypeParam>(30);
    auto v = value<TypeParam>(31);
    map.store(k, v);
    EXPECT_EQ(k, key<TypeParam>(30));
    EXPECT_EQ(v, value<TypeParam>(31));
    map.store(std::move(k), std::move(v));
    EXPECT_EQ(map.load(key<TypeParam>(30)), value<TypeParam>(31));
    const auto constant_key = key<TypeParam>(32);
    const auto constant_value = value<TypeParam>(33);
    map.store(constant_key, constant_value);
    EXPECT_EQ(map.load(constant_key), constant_value);
}

template <class Family>
class store_moves : public ::testing::Test {};
TYPED_TEST_SUITE(store_moves, families, names);

TYPED_TEST(store_moves, an_rvalue_value_instead_of_copying_it) {
    typename TypeParam::template of<int, std::string> map;
    std::string text(100, 'x');
    const char* const characters = text.data();
    map.store(1, std::move(text));
    map.visit(1, [&](const std::string& stored) { EXPECT_EQ(stored.data(), characters); });
}

TYPED_TEST(store_moves, converts_the_arguments) {
    typename TypeParam::template of<std::string, std::string> map;
    EXPECT_TRUE(map.store("key", "value"));
    EXPECT_EQ(map.load("key"), "value");
    typename TypeParam::template of<long, long> numbers;
    EXPECT_TRUE(numbers.store(1, 2));
    EXPECT_EQ(numbers.load(1), 2);
}

} // namespace test
