// Keys that do not equal themselves: walks meet them, and erase_if erases what it was shown.
#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <syncmap/any_map.hpp>
#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot_map.hpp>

namespace test::nan_keys_of {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class Map>
class nan_keys : public ::testing::Test {};
using maps = ::testing::Types<syncmap::map<double, int>, syncmap::map<double, std::string>, syncmap::map<double, syncmap::text>,
                              syncmap::map<syncmap::any, int>, syncmap::snapshot_map<double, std::string>,
                              syncmap::mutex_map<double, std::string>>;
TYPED_TEST_SUITE(nan_keys, maps);

template <class Map>
class nan_keys_of_map : public ::testing::Test {};
using maps_with_callbacks_that_write = ::testing::Types<syncmap::map<double, int>, syncmap::map<double, std::string>>;
TYPED_TEST_SUITE(nan_keys_of_map, maps_with_callbacks_that_write);

template <class Map>
auto value() {
    if constexpr (std::is_same_v<typename Map::mapped_type, int>) {
        return 1;
    } else {
        return "one";
    }
}

TYPED_TEST(nan_keys, are_erased_when_erase_if_was_shown_them) {
    TypeParam map;
    for (int i = 0; i < 100; ++i) {
        map.store(nan, value<TypeParam>());
        map.store(static_cast<double>(i), value<TypeParam>());
    }
    EXPECT_EQ(map.size(), 200U);
    const auto is_nan = [](const auto& key, const auto&) {
        if constexpr (requires { key.template as<double>(); }) {
            return std::isnan(key.template as<double>());
        } else {
            return std::isnan(key);
        }
    };
    EXPECT_EQ(map.erase_if([&](const auto& key, const auto& v) { return is_nan(key, v); }), 100U);
    EXPECT_EQ(map.size(), 100U);
    EXPECT_EQ(map.erase_if([](const auto&, const auto&) { return true; }), 100U);
    EXPECT_TRUE(map.empty());
}

TYPED_TEST(nan_keys_of_map, erase_if_leaves_what_was_replaced_after_it_was_shown) {
    TypeParam map;
    map.store(1.0, value<TypeParam>());
    map.store(2.0, value<TypeParam>());
    EXPECT_EQ(map.erase_if([&](const auto&, const auto&) {
        map.erase(1.0); // then there is another entry of the same key, and of the same value
        map.store(1.0, value<TypeParam>());
        return true;
    }),
              1U);
    EXPECT_TRUE(map.contains(1.0));
    EXPECT_FALSE(map.contains(2.0));
}

TYPED_TEST(nan_keys_of_map, are_erased_beside_a_computation_of_another_key) {
    TypeParam map;
    map.store(nan, value<TypeParam>());
    map.store(1.0, value<TypeParam>());
    // All writers of this small map look into the registry; the entry of this thread's own key stays.
    map.update(1.0, [&](const auto*) {
        EXPECT_EQ(map.erase_if([](const auto&, const auto&) { return true; }), 1U);
        return syncmap::keep;
    });
    EXPECT_EQ(map.size(), 1U);
    EXPECT_TRUE(map.contains(1.0));
}

} // namespace test::nan_keys_of
