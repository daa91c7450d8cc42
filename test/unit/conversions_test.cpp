// What may become a key or a value: nothing is lost or asked for in silence. What must not compile is in compile_fail/.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/any_map.hpp>
#include <syncmap/map.hpp>

namespace test {
namespace {

using syncmap::detail::lossy;
using syncmap::detail::returned_for;
using syncmap::detail::stored_from;

enum color { red, green };
enum class shade : unsigned char { dark, light };

// Integers: the width alone decides, so that constants and counters of type int can be keys of every wider map.
static_assert(!lossy<std::uint64_t, int> && !lossy<std::uint32_t, int> && !lossy<int, std::uint32_t>);
static_assert(!lossy<std::int64_t, std::uint64_t> && !lossy<int, bool> && !lossy<int, char> && !lossy<int, color>);
static_assert(lossy<std::uint32_t, std::uint64_t> && lossy<int, std::size_t> && lossy<short, int> && lossy<char, color>);
// Numbers with a fraction, and the truth values.
static_assert(!lossy<double, float> && !lossy<double, int> && !lossy<float, short> && !lossy<double, bool>);
static_assert(lossy<float, double> && lossy<float, int> && lossy<double, std::int64_t> && lossy<int, double>);
static_assert(!lossy<bool, bool> && lossy<bool, int> && lossy<bool, const char*> && lossy<bool, color>);
static_assert(!lossy<shade, shade> && !lossy<std::string, int>);

// Conversions that have to be asked for, but for those of a text.
static_assert(stored_from<std::string, std::string_view> && stored_from<std::string, const char*>);
static_assert(stored_from<std::shared_ptr<int>, std::unique_ptr<int>> && stored_from<std::optional<int>, int>);
static_assert(!stored_from<std::vector<int>, int> && !stored_from<std::unique_ptr<int>, int*>);
static_assert(!stored_from<int*, long> && !stored_from<bool, std::nullptr_t> && stored_from<int*, std::nullptr_t>);
static_assert(!stored_from<std::string, std::nullptr_t> && !stored_from<std::string_view, std::nullptr_t>);

// Arithmetic with small integers makes an int of them.
static_assert(returned_for<short, int> && !returned_for<short, long> && !returned_for<short, double> &&
              !returned_for<bool, int>);
static_assert(std::is_constructible_v<syncmap::update_action<short>, int>);
static_assert(!std::is_constructible_v<syncmap::update_action<int>, double>);
static_assert(!std::is_constructible_v<syncmap::update_action<int>, long>);
static_assert(!std::is_constructible_v<syncmap::update_action<std::vector<int>>, int>);

template <class M, class K>
concept looks_up = syncmap::detail::lookup_key<K, typename M::key_type, typename M::hasher, typename M::key_equal>;

// Null is a pointer, and nil, and no text.
static_assert(!looks_up<syncmap::map<std::string, int>, std::nullptr_t> &&
              !looks_up<syncmap::map<std::string_view, int>, std::nullptr_t>);
static_assert(!looks_up<syncmap::map<syncmap::text, int>, std::nullptr_t> && !looks_up<syncmap::map<int, int>, std::nullptr_t>);
static_assert(looks_up<syncmap::map<int*, int>, std::nullptr_t> && looks_up<syncmap::map<std::nullptr_t, int>, std::nullptr_t>);

} // namespace

TEST(conversions, constants_of_type_int_are_keys_and_values_of_wider_types) {
    syncmap::map<std::uint64_t, double> map;
    EXPECT_TRUE(map.store(1, 2));
    for (int i = 0; i < 10; ++i) map.store(i, i);
    EXPECT_EQ(map.size(), 10U);
    EXPECT_EQ(map.load(1), 1.0);
    EXPECT_TRUE(map.store(-1, 0.5F));
    EXPECT_EQ(map.load(~std::uint64_t{0}), 0.5);
    EXPECT_EQ(map.exchange(-1, 3), 0.5);
    std::optional<double> none;
    EXPECT_TRUE(map.compare_exchange(100, none, 1));
}

TEST(conversions, constants_in_braces_are_keys_and_values_of_narrower_types) {
    syncmap::map<short, float> map;
    EXPECT_TRUE(map.store({1}, {2}));
    EXPECT_TRUE(map.contains({1}));
    EXPECT_EQ(map.load({1}), 2.0F);
    EXPECT_FALSE(map.insert({1}, {3}));
    EXPECT_TRUE(map.load_or_store({1}, {4}).loaded);
    EXPECT_EQ(map.exchange({1}, {5}), 2.0F);
    EXPECT_TRUE(map.erase({1}));
}

TEST(conversions, entries_in_braces_are_checked_as_arguments_are) {
    const std::uint32_t key = 7;
    const std::string_view seven = "seven"; // becomes a std::string, as in `store`
    syncmap::map<std::uint32_t, std::string> map{{1, "one"}, {key, seven}, {{2}, {"two"}}};
    EXPECT_EQ(map.load(7), "seven");
    EXPECT_EQ(map.size(), 3U);
    const std::pair<int, const char*> pair(3, "three");
    const std::initializer_list<std::pair<const std::uint32_t, std::string>> pairs{{4, "four"}, {1, "uno"}};
    EXPECT_EQ(map.insert(pairs), 1U);
    EXPECT_EQ(map.insert({{5, "five"}, pair}), 2U);
    EXPECT_EQ(map.insert({pair, pair}), 0U);
    EXPECT_EQ((syncmap::map<std::uint32_t, std::string>(pairs).size()), 2U);
    EXPECT_EQ((syncmap::map<std::uint32_t, std::string>{pair}.size()), 1U);
}

TEST(conversions, operands_are_rounded_to_floating_point_values_as_those_of_atomics) {
    syncmap::map<int, float> map;
    EXPECT_EQ(map.fetch_add(1, 0.5), 0.0F);
    EXPECT_EQ(map.fetch_add(1, 1), 0.5F);
    EXPECT_EQ(map.fetch_max(1, 0.1), 1.5F);
    EXPECT_EQ(map.fetch_min(1, 0.1), 1.5F);
    EXPECT_EQ(map.load(1), 0.1F);
}

TEST(conversions, callbacks_may_return_what_arithmetic_makes_of_a_small_integer) {
    syncmap::map<int, std::uint8_t> map;
    map.update(1, [](const std::uint8_t* n) { return n == nullptr ? 1 : *n + 1; });
    map.update(1, [](const std::uint8_t* n) { return n == nullptr ? 1 : *n + 1; });
    EXPECT_EQ(map.load(1), 2);
    EXPECT_EQ(map.load_or_compute(2, [] { return 3; }).value, 3);
}

TEST(conversions, nullptr_is_a_key_of_its_type_and_of_pointers) {
    syncmap::map<std::nullptr_t, int> nulls;
    EXPECT_TRUE(nulls.store(nullptr, 1));
    EXPECT_FALSE(nulls.store(nullptr, 2));
    EXPECT_EQ(nulls.load(nullptr), 2);
    EXPECT_TRUE(nulls.erase(nullptr));
    syncmap::map<const int*, int> pointers;
    EXPECT_TRUE(pointers.store(nullptr, 1));
    EXPECT_EQ(pointers.load(nullptr), 1);
    syncmap::map<std::shared_ptr<int>, int> shared;
    EXPECT_TRUE(shared.store(nullptr, 1));
    EXPECT_TRUE(shared.contains(nullptr));
}

TEST(conversions, nullptr_in_a_map_of_any_is_nil) {
    syncmap::any_map map;
    EXPECT_TRUE(map.store(nullptr, 1));
    EXPECT_FALSE(map.store(syncmap::nil, 2));
    EXPECT_EQ(map.load(nullptr)->as<int>(), 2);
    EXPECT_TRUE(map.contains(nullptr));
    EXPECT_FALSE(map.store(nullptr, nullptr));
    EXPECT_TRUE(map.load(syncmap::nil)->is_nil());
    EXPECT_TRUE(map.update(nullptr, [](const syncmap::any*) { return std::nullopt; }) == syncmap::update_result::erased);
    EXPECT_TRUE(map.empty());
    const std::nullptr_t null = nullptr;
    EXPECT_TRUE(syncmap::any(null).is_nil());
}

} // namespace test
