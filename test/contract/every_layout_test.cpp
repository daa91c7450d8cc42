// One walk through all operations for the ways to hold a key and a value that the other files do not use.
#include <optional>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class every_layout : public ::testing::Test {};
TYPED_TEST_SUITE(every_layout, further_maps, names);

TYPED_TEST(every_layout, serves_every_operation_while_the_map_grows_and_shrinks) {
    using mapped = typename TypeParam::mapped_type;
    TypeParam map;
    constexpr int count = 2000;
    const auto k = [](int i) { return key<TypeParam>(i); };
    const auto v = [](int i) { return value<TypeParam>(i); };
    for (int i = 0; i < count; ++i) {
        std::optional<mapped> none;
        switch (i % 6) {
        case 0: ASSERT_TRUE(map.store(k(i), v(i))); break;
        case 1: ASSERT_TRUE(map.insert(k(i), v(i))); break;
        case 2: ASSERT_FALSE(map.load_or_store(k(i), v(i)).loaded); break;
        case 3: ASSERT_FALSE(map.load_or_compute(k(i), [&] { return v(i); }).loaded); break;
        case 4: ASSERT_TRUE(map.compare_exchange(k(i), none, v(i))); break;
        default: ASSERT_EQ(map.exchange(k(i), v(i)), std::nullopt);
        }
        ASSERT_FALSE(map.insert(k(i), v(i + 1)));
    }
    ASSERT_EQ(map.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        mapped expected = v(i);
        ASSERT_EQ(map.load(k(i)), v(i));
        ASSERT_FALSE(map.contains(k(i + count)));
        ASSERT_TRUE(map.compare_exchange(k(i), expected, v(i + 1)));
        ASSERT_FALSE(map.compare_exchange(k(i), expected, v(i)));
        ASSERT_EQ(expected, v(i + 1));
        ASSERT_EQ(map.exchange(k(i), v(i)), v(i + 1));
        ASSERT_EQ(map.update(k(i), [&](const mapped* current) { return *current; }), syncmap::update_result::assigned);
        ASSERT_TRUE(map.visit(k(i), [&](const mapped& now) { EXPECT_EQ(now, v(i)); }));
    }
    std::size_t erased = 0;
    for (int i = 0; i < count; i += 2) {
        mapped expected = v(i);
        if (i % 4 == 0) {
            ASSERT_TRUE(map.compare_erase(k(i), expected));
        } else {
            ASSERT_EQ(map.load_and_erase(k(i)), v(i));
        }
        ++erased;
    }
    ASSERT_EQ(map.size(), static_cast<std::size_t>(count) - erased);
    ASSERT_EQ(map.erase_if([&](const auto&, const mapped& now) { return now == v(1) || now == v(2); }), 1U);
    for (int i = 3; i < count; ++i) ASSERT_EQ(map.load(k(i)), i % 2 == 1 ? std::optional(v(i)) : std::nullopt);
    map.clear();
    ASSERT_TRUE(map.empty());
    ASSERT_EQ(map.for_each([](const auto&, const auto&) {}), 0U);
}

} // namespace test
