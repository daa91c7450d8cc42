#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class Family>
class fetch_add : public ::testing::Test {};
TYPED_TEST_SUITE(fetch_add, families, names);

TYPED_TEST(fetch_add, counts_an_absent_key_as_zero) {
    typename TypeParam::template of<int, int> map;
    EXPECT_EQ(map.fetch_add(1, 5), 0);
    EXPECT_EQ(map.load(1), 5);
}

TYPED_TEST(fetch_add, returns_the_value_before) {
    typename TypeParam::template of<std::string, std::uint64_t> map;
    for (std::uint64_t i = 0; i < 100; ++i) ASSERT_EQ(map.fetch_add("words", 1), i);
    EXPECT_EQ(map.load("words"), 100U);
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(fetch_add, takes_negative_numbers) {
    typename TypeParam::template of<int, long> map;
    EXPECT_EQ(map.fetch_add(1, -5L), 0);
    EXPECT_EQ(map.fetch_add(1, 3L), -5);
    EXPECT_EQ(map.load(1), -2);
}

TYPED_TEST(fetch_add, wraps_around_as_atomics_do) {
    typename TypeParam::template of<int, int> map;
    map.store(1, std::numeric_limits<int>::max());
    EXPECT_EQ(map.fetch_add(1, 1), std::numeric_limits<int>::max());
    EXPECT_EQ(map.load(1), std::numeric_limits<int>::min());
    typename TypeParam::template of<int, std::uint8_t> bytes;
    bytes.store(1, std::uint8_t{255});
    EXPECT_EQ(bytes.fetch_add(1, std::uint8_t{2}), 255);
    EXPECT_EQ(bytes.load(1), 1);
}

TYPED_TEST(fetch_add, exists_for_integers_only) {
    const auto offered = []<class M>(M*) { return requires(M& map) { map.fetch_add(1, typename M::mapped_type{}); }; };
    using integers = typename TypeParam::template of<int, int>;
    using flags = typename TypeParam::template of<int, bool>;
    using texts = typename TypeParam::template of<int, std::string>;
    EXPECT_TRUE(offered(static_cast<integers*>(nullptr)));
    EXPECT_FALSE(offered(static_cast<flags*>(nullptr)));
    EXPECT_FALSE(offered(static_cast<texts*>(nullptr)));
}

} // namespace test
