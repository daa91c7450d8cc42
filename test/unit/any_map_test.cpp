#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>
#include <syncmap/locked_map.hpp>

#include <syncmap/any_map.hpp>

#include "support/allocations.hpp"

namespace test {
namespace {

using syncmap::any;
using syncmap::nil;

template <class Map>
class any_map : public ::testing::Test {};
using any_maps = ::testing::Types<syncmap::any_map, syncmap::mutex_map<any, any>, syncmap::shared_mutex_map<any, any>>;
TYPED_TEST_SUITE(any_map, any_maps);

static_assert(syncmap::comparable_value_map<syncmap::any_map>);
static_assert(syncmap::lock_free_read_map<syncmap::any_map>);
static_assert(syncmap::exact_size_map<syncmap::any_map>);

struct plain_struct {
    int number = 0;
};

TYPED_TEST(any_map, does_all_that_sync_map_does) {
    TypeParam map;
    EXPECT_TRUE(map.store("a", 1)); // Store
    EXPECT_FALSE(map.store("a", 2));
    EXPECT_EQ(map.load("a"), any(2)); // Load
    EXPECT_EQ(map.load("b"), std::nullopt);
    EXPECT_TRUE(map.load_or_store("a", 3).loaded); // LoadOrStore
    EXPECT_EQ(map.load_or_store("b", 3).value, any(3));
    EXPECT_EQ(map.exchange("b", "three"), any(3)); // Swap
    EXPECT_EQ(map.load_and_erase("b"), any("three")); // LoadAndDelete
    any expected = 1;
    EXPECT_FALSE(map.compare_exchange("a", expected, 5)); // CompareAndSwap
    EXPECT_EQ(expected, any(2));
    EXPECT_TRUE(map.compare_exchange("a", expected, 5));
    EXPECT_FALSE(map.compare_erase("a", expected)); // CompareAndDelete
    EXPECT_TRUE(map.compare_erase("a", expected));
    map.store(1, "one");
    std::vector<any> keys;
    map.for_each([&](const any& key, const any&) { keys.push_back(key); }); // Range
    EXPECT_EQ(keys, std::vector<any>{any(1)});
    EXPECT_TRUE(map.erase(1)); // Delete
    map.store(2, nil);
    map.clear(); // Clear
    EXPECT_EQ(map.size(), 0U);
}

TYPED_TEST(any_map, takes_the_type_as_part_of_the_key) {
    TypeParam map;
    map.store(1, "int");
    map.store(1L, "long");
    map.store(1U, "unsigned");
    map.store('\1', "char");
    map.store(true, "bool");
    map.store(1.0, "double");
    map.store("1", "string");
    EXPECT_EQ(map.size(), 7U);
    EXPECT_EQ(map.load(1), any("int"));
    EXPECT_EQ(map.load(1L), any("long"));
    EXPECT_EQ(map.load(1U), any("unsigned"));
    EXPECT_EQ(map.load(true), any("bool"));
    EXPECT_EQ(map.load("1"), any("string"));
    EXPECT_EQ(map.load(1UL), std::nullopt);
}

TYPED_TEST(any_map, has_nil_for_a_key_and_for_a_value) {
    TypeParam map;
    EXPECT_FALSE(map.contains(nil));
    EXPECT_TRUE(map.store(nil, 1));
    EXPECT_TRUE(map.store(0, nil));
    EXPECT_EQ(map.load(nil), any(1));
    EXPECT_EQ(map.load(any()), any(1));
    const std::optional<any> value = map.load(0);
    ASSERT_TRUE(value);
    EXPECT_TRUE(value->is_nil());
    any expected;
    EXPECT_TRUE(map.compare_exchange(0, expected, "no longer nil"));
    EXPECT_TRUE(map.erase(nil));
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(any_map, knows_a_text_in_every_form) {
    TypeParam map{{"a", 1}, {std::string("b"), 2}};
    char array[] = "a";
    char* const pointer = array;
    EXPECT_EQ(map.load(array), any(1));
    EXPECT_EQ(map.load(pointer), any(1));
    EXPECT_EQ(map.load(std::string_view("a")), any(1));
    EXPECT_EQ(map.load(std::string("a")), any(1));
    EXPECT_EQ(map.load(any("a")), any(1));
    EXPECT_EQ(map.load("b"), any(2));
    EXPECT_FALSE(map.store(std::string_view("b"), 3));
    EXPECT_EQ(map.load_or_compute("b", [] { return 4; }).value, any(3));
    EXPECT_EQ(map.load_or_compute("c", [] { return 4; }).value, any(4));
    const auto increment = [](const any* number) { return number != nullptr ? number->as<int>() + 1 : 0; };
    EXPECT_EQ(map.update("c", increment), syncmap::update_result::assigned);
    EXPECT_EQ(map.load("c"), any(5));
    EXPECT_EQ(map.update("c", [](const any*) { return std::nullopt; }), syncmap::update_result::erased);
}

TYPED_TEST(any_map, looks_texts_up_without_allocation) {
    TypeParam map;
    const std::string_view key = "a key that is too long to lie inside of a string";
    map.store(key, 1);
    EXPECT_TRUE(map.contains(key));
    int seen = 0;
    EXPECT_EQ(allocations_of([&] {
                  map.visit(key, [&](const any& value) { seen = value.as<int>(); });
                  map.visit(key.data(), [&](const any& value) { seen += value.as<int>(); });
                  seen += map.load(key)->template as<int>();
              }),
              0U);
    EXPECT_EQ(seen, 3);
}

TYPED_TEST(any_map, refuses_a_key_that_cannot_be_hashed_and_names_its_type) {
    TypeParam map;
    map.store("a", 1);
    try {
        map.store(std::list<int>{1}, 2);
        FAIL() << "nothing was thrown";
    } catch (const syncmap::unhashable_type& error) {
        EXPECT_STREQ(error.what(), "syncmap: hash of unhashable type std::list<int>: a key needs std::hash and operator==");
    }
    EXPECT_THROW((void)map.load(plain_struct{}), syncmap::unhashable_type);
    EXPECT_THROW(map.erase(plain_struct{}), syncmap::unhashable_type);
    EXPECT_EQ(map.size(), 1U);
    EXPECT_EQ(map.load("a"), any(1));
}

TYPED_TEST(any_map, holds_values_that_cannot_be_compared_and_refuses_to_compare_them) {
    TypeParam map;
    map.store("a", plain_struct{7});
    EXPECT_EQ(map.load("a")->template as<plain_struct>().number, 7);
    any expected = plain_struct{7};
    EXPECT_THROW((void)map.compare_exchange("a", expected, 1), syncmap::incomparable_type);
    EXPECT_THROW((void)map.compare_erase("a", expected), syncmap::incomparable_type);
    EXPECT_EQ(map.load("a")->template as<plain_struct>().number, 7);
    map.store("a", 7);
    EXPECT_FALSE(map.compare_exchange("a", expected, 1)) << "different types differ, whatever they can";
    EXPECT_EQ(expected, any(7));
}

TYPED_TEST(any_map, finds_no_nan) {
    TypeParam map;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(map.store(nan, 1));
    EXPECT_FALSE(map.contains(nan));
    EXPECT_TRUE(map.store(0.0, 1));
    EXPECT_FALSE(map.store(-0.0, 2));
    EXPECT_EQ(map.for_each([](const any&, const any&) {}), 2U);
}

TYPED_TEST(any_map, is_shared_by_threads) {
    TypeParam map;
    constexpr int threads = 4;
    constexpr int each = 2000;
    {
        std::vector<std::jthread> crew;
        for (int t = 0; t < threads; ++t) {
            crew.emplace_back([&map, t] {
                for (int i = 0; i < each; ++i) {
                    map.update("sum", [&](const any* sum) { return sum != nullptr ? sum->as<int>() + 1 : 1; });
                    map.store(t * each + i, std::to_string(i));
                    map.store("last", i % 2 == 0 ? any(i) : any(std::string(60, 'x')));
                    map.visit("last", [](const any& last) {
                        EXPECT_TRUE(last.is<int>() || last.as<std::string>() == std::string(60, 'x'));
                    });
                }
            });
        }
    }
    EXPECT_EQ(map.load("sum"), any(threads * each));
    EXPECT_EQ(map.size(), static_cast<std::size_t>(threads * each + 2));
    EXPECT_EQ(map.load(each + 1), any("1"));
}

constinit syncmap::any_map global;

TEST(any_map_as_a_global, is_initialised_by_the_compiler) {
    EXPECT_TRUE(global.store(1, 1));
    global.clear();
    EXPECT_TRUE(global.empty());
}

} // namespace
} // namespace test
