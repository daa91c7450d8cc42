#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/allocations.hpp"
#include "support/maps.hpp"

namespace test {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view present = "a key that is longer than any small string buffer";
constexpr std::string_view absent = "another key that is longer than any small string buffer";

/// A key type that nothing converts to: it can only be looked up by its number.
struct account {
    explicit account(int n) : number(n) {}
    account(int n, std::string holder_name) : number(n), holder(std::move(holder_name)) {}
    int number;
    std::string holder{};
};
struct account_hash {
    using is_transparent = void;
    std::size_t operator()(const account& a) const noexcept { return std::hash<int>{}(a.number); }
    std::size_t operator()(int number) const noexcept { return std::hash<int>{}(number); }
};
struct account_equal {
    using is_transparent = void;
    bool operator()(const account& a, const account& b) const noexcept { return a.number == b.number; }
    bool operator()(const account& a, int b) const noexcept { return a.number == b; }
};

} // namespace

template <class Family>
class heterogeneous_lookup : public ::testing::Test {};
TYPED_TEST_SUITE(heterogeneous_lookup, families, names);

TYPED_TEST(heterogeneous_lookup, by_string_view_allocates_nothing_on_a_hit) {
    typename TypeParam::template of<std::string, int> map;
    map.store(std::string(present), 1);
    int expected = 1;
    std::optional<int> expected_or_none = 1;
    EXPECT_EQ(map.load(present), 1); // what a thread needs once, it has now
    EXPECT_EQ(allocations_of([&] {
                  EXPECT_EQ(map.load(present), 1);
                  EXPECT_TRUE(map.contains(present));
                  EXPECT_TRUE(map.visit(present, [](int) {}));
                  EXPECT_FALSE(map.insert(present, 2));
                  EXPECT_TRUE(map.load_or_store(present, 2).loaded);
                  EXPECT_TRUE(map.load_or_compute(present, [] { return 2; }).loaded);
                  expected = 3;
                  EXPECT_FALSE(map.compare_exchange(present, expected, 4));
                  expected_or_none = 3;
                  EXPECT_FALSE(map.compare_exchange(present, expected_or_none, 4));
                  expected = 3;
                  EXPECT_FALSE(map.compare_erase(present, expected));
              }),
              0U);
}

TYPED_TEST(heterogeneous_lookup, by_string_view_allocates_nothing_on_a_miss) {
    typename TypeParam::template of<std::string, int> map;
    map.store(std::string(present), 1);
    int expected = 1;
    std::optional<int> expected_or_none = 1;
    EXPECT_EQ(map.load(absent), std::nullopt);
    EXPECT_EQ(allocations_of([&] {
                  EXPECT_EQ(map.load(absent), std::nullopt);
                  EXPECT_FALSE(map.contains(absent));
                  EXPECT_FALSE(map.visit(absent, [](int) {}));
                  EXPECT_FALSE(map.erase(absent));
                  EXPECT_EQ(map.load_and_erase(absent), std::nullopt);
                  EXPECT_FALSE(map.compare_exchange(absent, expected, 4));
                  EXPECT_FALSE(map.compare_exchange(absent, expected_or_none, 4));
                  EXPECT_FALSE(map.compare_erase(absent, expected));
              }),
              0U);
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(heterogeneous_lookup, by_string_view_works_in_every_operation) {
    typename TypeParam::template of<std::string, int> map;
    EXPECT_TRUE(map.store("a"sv, 1));
    EXPECT_TRUE(map.insert("b"sv, 2));
    EXPECT_FALSE(map.load_or_store("c"sv, 3).loaded);
    EXPECT_FALSE(map.load_or_compute("d"sv, [] { return 4; }).loaded);
    EXPECT_EQ(map.exchange("e"sv, 5), std::nullopt);
    EXPECT_EQ(map.fetch_add("f"sv, 6), 0);
    EXPECT_EQ(map.update("g"sv, [](const int*) { return 7; }), syncmap::update_result::inserted);
    std::optional<int> none;
    EXPECT_TRUE(map.compare_exchange("h"sv, none, 8));
    EXPECT_EQ(map.size(), 8U);
    for (char c = 'a'; c <= 'h'; ++c) EXPECT_EQ(map.load(std::string_view(&c, 1)), c - 'a' + 1);
    int expected = 1;
    EXPECT_TRUE(map.compare_exchange("a"sv, expected, 9));
    expected = 9;
    EXPECT_TRUE(map.compare_erase("a"sv, expected));
    EXPECT_EQ(map.load_and_erase("b"sv), 2);
    EXPECT_TRUE(map.erase("c"sv));
    EXPECT_EQ(map.size(), 5U);
}

TYPED_TEST(heterogeneous_lookup, by_string_literal_and_by_string_find_the_same_entry) {
    typename TypeParam::template of<std::string, int> map;
    map.store("key", 1);
    EXPECT_EQ(map.load("key"), 1);
    EXPECT_EQ(map.load(std::string("key")), 1);
    EXPECT_EQ(map.load("key"sv), 1);
    EXPECT_FALSE(map.store(std::string("key"), 2));
    EXPECT_FALSE(map.store("key"sv, 3));
    EXPECT_EQ(map.size(), 1U);
}

TYPED_TEST(heterogeneous_lookup, works_for_strings_of_every_length) {
    typename TypeParam::template of<std::string, int> map;
    const std::string text(100, 'x');
    for (std::size_t length = 0; length <= 100; ++length) map.store(text.substr(0, length), static_cast<int>(length));
    for (std::size_t length = 0; length <= 100; ++length) {
        EXPECT_EQ(map.load(std::string_view(text).substr(0, length)), static_cast<int>(length));
    }
    EXPECT_EQ(map.size(), 101U);
}

TYPED_TEST(heterogeneous_lookup, takes_a_users_transparent_hash_and_equality) {
    typename TypeParam::template of<account, int, account_hash, account_equal> map;
    map.store(account(7, "Ada"), 70);
    EXPECT_EQ(map.load(7), 70);
    EXPECT_EQ(map.load(8), std::nullopt);
    EXPECT_FALSE(map.erase(8));
    EXPECT_TRUE(map.store(8, 80)); // makes an account of 8, the only time that one is made
    EXPECT_TRUE(map.erase(7));
    EXPECT_EQ(map.size(), 1U);
}

} // namespace test
