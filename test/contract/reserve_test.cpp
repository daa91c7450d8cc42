#include <cstdint>
#include <limits>
#include <new>
#include <random>
#include <stdexcept>

#include <gtest/gtest.h>

#include "support/allocations.hpp"
#include "support/maps.hpp"

namespace test {

template <class M>
class reserve : public ::testing::Test {};
TYPED_TEST_SUITE(reserve, maps, names);

TYPED_TEST(reserve, changes_no_content) {
    TypeParam map;
    map.reserve(10'000);
    EXPECT_TRUE(map.empty());
    for (int i = 0; i < 100; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    map.reserve(50'000);
    map.reserve(0);
    EXPECT_EQ(map.size(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(map.load(key<TypeParam>(i)), value<TypeParam>(i));
}

TYPED_TEST(reserve, refuses_impossible_numbers_and_changes_nothing) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(1));
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    for (const std::size_t entries : {most, most - 1, most / 2, most / 4}) {
        EXPECT_THROW(map.reserve(entries), std::length_error) << entries;
    }
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(1));
    EXPECT_EQ(map.size(), 1U);
}

template <class Family>
class reserve_makes_room : public ::testing::Test {};
TYPED_TEST_SUITE(reserve_makes_room, families, names);

TYPED_TEST(reserve_makes_room, so_that_insertions_of_small_entries_allocate_nothing) {
    if constexpr (TypeParam::holds_small_entries_in_place) {
        typename TypeParam::template of<std::uint64_t, std::uint64_t> map;
        map.reserve(5000);
        map.store(0, 0); // what a thread needs once, it has now
        // Keys without an order: numbers in a row crowd under some secrets (docs/decisions/0008).
        std::mt19937_64 draw(1);
        EXPECT_EQ(allocations_of([&] {
                      for (std::uint64_t i = 1; i < 5000; ++i) map.store(draw(), i);
                  }),
                  0U);
    }
}

} // namespace test
