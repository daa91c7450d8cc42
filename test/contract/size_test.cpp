#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class size : public ::testing::Test {};
TYPED_TEST_SUITE(size, maps, names);

TYPED_TEST(size, is_zero_for_an_empty_map) {
    const TypeParam map;
    EXPECT_EQ(map.size(), 0U);
    EXPECT_EQ(map.approx_size(), 0U);
    EXPECT_TRUE(map.empty());
}

TYPED_TEST(size, counts_keys_not_writes) {
    TypeParam map;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 500; ++i) {
            map.store(key<TypeParam>(i), value<TypeParam>(round));
            ASSERT_EQ(map.size(), round == 0 ? static_cast<std::size_t>(i + 1) : 500U);
        }
    }
    for (int i = 0; i < 500; ++i) {
        map.erase(key<TypeParam>(i));
        map.erase(key<TypeParam>(i));
        ASSERT_EQ(map.size(), static_cast<std::size_t>(499 - i));
    }
    EXPECT_TRUE(map.empty());
}

TYPED_TEST(size, is_approximated_exactly_while_nobody_writes) {
    TypeParam map;
    for (int i = 0; i < 1000; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    EXPECT_EQ(map.approx_size(), 1000U);
    for (int i = 0; i < 1000; i += 2) map.erase(key<TypeParam>(i));
    EXPECT_EQ(map.approx_size(), 500U);
    map.clear();
    EXPECT_EQ(map.approx_size(), 0U);
}

TYPED_TEST(size, follows_every_operation_that_inserts_or_erases) {
    TypeParam map;
    std::optional<typename TypeParam::mapped_type> none;
    auto expected = value<TypeParam>(4);
    map.insert(key<TypeParam>(1), value<TypeParam>(1));
    EXPECT_EQ(map.size(), 1U);
    EXPECT_FALSE(map.load_or_store(key<TypeParam>(2), value<TypeParam>(2)).loaded);
    EXPECT_EQ(map.size(), 2U);
    EXPECT_FALSE(map.load_or_compute(key<TypeParam>(3), [] { return value<TypeParam>(3); }).loaded);
    EXPECT_EQ(map.size(), 3U);
    EXPECT_FALSE(map.exchange(key<TypeParam>(4), value<TypeParam>(4)));
    EXPECT_EQ(map.size(), 4U);
    map.update(key<TypeParam>(5), [](const auto*) { return value<TypeParam>(5); });
    EXPECT_EQ(map.size(), 5U);
    EXPECT_TRUE(map.compare_exchange(key<TypeParam>(6), none, value<TypeParam>(6)));
    EXPECT_EQ(map.size(), 6U);
    map.update(key<TypeParam>(6), [](const auto*) { return std::nullopt; });
    EXPECT_EQ(map.size(), 5U);
    EXPECT_TRUE(map.load_and_erase(key<TypeParam>(5)));
    EXPECT_EQ(map.size(), 4U);
    EXPECT_TRUE(map.compare_erase(key<TypeParam>(4), expected));
    EXPECT_EQ(map.size(), 3U);
    map.erase_if([](const auto& k, const auto&) { return k == key<TypeParam>(3); });
    EXPECT_EQ(map.size(), 2U);
}

} // namespace test
