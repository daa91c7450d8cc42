#include <any>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>

#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {
namespace {

enum class colour : unsigned char { red, green, blue };

struct empty_value {};

struct coordinates {
    int x;
    int y;
    friend bool operator==(const coordinates&, const coordinates&) = default;
};
struct coordinates_hash {
    std::size_t operator()(const coordinates& c) const noexcept {
        return static_cast<std::size_t>(c.x) * 31 + static_cast<std::size_t>(c.y);
    }
};

} // namespace

template <class Family>
class types : public ::testing::Test {};
TYPED_TEST_SUITE(types, families, names);

TYPED_TEST(types, of_values_may_be_move_only) {
    using map_type = typename TypeParam::template of<int, std::unique_ptr<int>>;
    static_assert(syncmap::concurrent_map<map_type> && !syncmap::copyable_value_map<map_type>);
    map_type map;
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(map.store(i, std::make_unique<int>(i)));
    for (int i = 0; i < 500; ++i) EXPECT_FALSE(map.store(i, std::make_unique<int>(-i)));
    EXPECT_FALSE(map.insert(1, std::make_unique<int>(0)));
    EXPECT_EQ(map.update(2, [](const std::unique_ptr<int>* current) { return std::make_unique<int>(**current * 2); }),
              syncmap::update_result::assigned);
    EXPECT_EQ(map.update(3, [](const std::unique_ptr<int>*) { return std::nullopt; }), syncmap::update_result::erased);
    EXPECT_TRUE(map.visit(2, [](const std::unique_ptr<int>& value) { EXPECT_EQ(*value, -4); }));
    EXPECT_TRUE(map.erase(4));
    EXPECT_EQ(map.erase_if([](int key, const std::unique_ptr<int>&) { return key >= 250; }), 250U);
    EXPECT_EQ(map.for_each([](int key, const std::unique_ptr<int>& value) { EXPECT_EQ(*value, key == 2 ? -4 : -key); }), 248U);
    map.clear();
}

TYPED_TEST(types, of_keys_may_be_move_only) {
    struct hash {
        std::size_t operator()(const move_only& key) const noexcept { return static_cast<std::size_t>(key.number()); }
    };
    struct equal {
        bool operator()(const move_only& a, const move_only& b) const noexcept { return a.number() == b.number(); }
    };
    typename TypeParam::template of<move_only, int, hash, equal> map;
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(map.store(move_only(i), i));
    for (int i = 0; i < 500; ++i) EXPECT_EQ(map.load(move_only(i)), i);
    move_only key(7);
    EXPECT_FALSE(map.store(std::move(key), 70));
    EXPECT_TRUE(map.erase(move_only(7)));
    EXPECT_EQ(map.size(), 499U);
}

TYPED_TEST(types, of_values_need_no_default_constructor_no_assignment_and_no_equality) {
    typename TypeParam::template of<int, bare> map;
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(map.store(i, bare(i)));
    for (int i = 0; i < 500; ++i) EXPECT_FALSE(map.store(i, bare(2 * i)));
    EXPECT_EQ(map.load(250)->number, 500);
    EXPECT_EQ(map.load(250)->text, "500");
    EXPECT_EQ(map.exchange(1, bare(7))->number, 2);
    EXPECT_EQ(map.load_or_store(1, bare(8)).value.number, 7);
    EXPECT_EQ(map.load_or_compute(1000, [] { return bare(9); }).value.number, 9);
    EXPECT_EQ(map.load_and_erase(1000)->number, 9);
    EXPECT_EQ(map.update(1, [](const bare* b) { return bare(b->number + 1); }), syncmap::update_result::assigned);
    EXPECT_EQ(map.load(1)->number, 8);
}

TYPED_TEST(types, of_values_may_be_made_in_place_from_another_type) {
    typename TypeParam::template of<int, std::optional<std::string>> map;
    EXPECT_TRUE(map.store(1, "42")); // by an implicit conversion: explicit ones have to be written, as in store(1, bare(42))
    EXPECT_EQ(map.load(1), std::optional<std::string>("42"));
}

TYPED_TEST(types, of_values_may_want_more_alignment_than_the_heap_gives) {
    typename TypeParam::template of<int, over_aligned<128>> map;
    for (int i = 0; i < 300; ++i) map.store(i, over_aligned<128>(i));
    EXPECT_EQ(map.for_each([](int key, const over_aligned<128>& value) {
        EXPECT_TRUE(value.well_placed());
        EXPECT_EQ(value.number, key);
    }),
              300U);
    over_aligned<128> expected(5);
    EXPECT_TRUE(map.compare_exchange(5, expected, over_aligned<128>(50)));
}

TYPED_TEST(types, of_keys_may_want_more_alignment_than_the_heap_gives) {
    struct hash {
        std::size_t operator()(const over_aligned<64>& key) const noexcept { return static_cast<std::size_t>(key.number); }
    };
    typename TypeParam::template of<over_aligned<64>, int, hash> map;
    for (int i = 0; i < 300; ++i) map.store(over_aligned<64>(i), i);
    EXPECT_EQ(map.for_each([](const over_aligned<64>& key, int value) {
        EXPECT_TRUE(key.well_placed());
        EXPECT_EQ(key.number, value);
    }),
              300U);
}

TYPED_TEST(types, of_keys_may_be_enumerations_pointers_and_booleans) {
    typename TypeParam::template of<colour, int> colours;
    colours.store(colour::green, 1);
    EXPECT_EQ(colours.load(colour::green), 1);
    EXPECT_EQ(colours.load(colour::red), std::nullopt);

    int objects[100];
    typename TypeParam::template of<int*, int> pointers;
    for (int i = 0; i < 100; ++i) pointers.store(&objects[i], i);
    pointers.store(nullptr, -1);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(pointers.load(&objects[i]), i);
    EXPECT_EQ(pointers.load(static_cast<int*>(nullptr)), -1);

    typename TypeParam::template of<bool, bool> flags;
    EXPECT_TRUE(flags.store(true, false));
    EXPECT_TRUE(flags.store(false, true));
    EXPECT_EQ(flags.load(true), false);
    EXPECT_EQ(flags.load(false), true);
    EXPECT_EQ(flags.size(), 2U);
}

TYPED_TEST(types, of_keys_may_be_every_value_of_a_byte) {
    typename TypeParam::template of<signed char, unsigned char> map;
    for (int i = -128; i < 128; ++i) EXPECT_TRUE(map.store(static_cast<signed char>(i), static_cast<unsigned char>(i)));
    EXPECT_EQ(map.size(), 256U);
    for (int i = -128; i < 128; ++i) {
        EXPECT_EQ(map.load(static_cast<signed char>(i)), static_cast<unsigned char>(i));
    }
}

TYPED_TEST(types, of_keys_may_be_a_users_own_with_a_hash) {
    typename TypeParam::template of<coordinates, coordinates, coordinates_hash> map;
    for (int i = 0; i < 300; ++i) map.store(coordinates{i, -i}, coordinates{-i, i});
    for (int i = 0; i < 300; ++i) EXPECT_EQ((map.load(coordinates{i, -i})), (coordinates{-i, i}));
    coordinates expected{-1, 1};
    EXPECT_TRUE(map.compare_exchange(coordinates{1, -1}, expected, coordinates{0, 0}));
}

TYPED_TEST(types, of_values_may_be_floating_point_and_empty) {
    typename TypeParam::template of<double, float> numbers;
    numbers.store(1.5, 2.5F);
    EXPECT_EQ(numbers.load(1.5), 2.5F);
    numbers.store(0.0, 1.0F);
    EXPECT_EQ(numbers.load(-0.0), 1.0F) << "equal keys are one key";
    typename TypeParam::template of<int, empty_value> set;
    EXPECT_TRUE(set.store(1, empty_value{}));
    EXPECT_FALSE(set.store(1, empty_value{}));
    EXPECT_TRUE(set.contains(1));
}

TYPED_TEST(types, of_values_may_be_optionals_and_anys_and_containers) {
    typename TypeParam::template of<int, std::optional<int>> optionals;
    optionals.store(1, std::optional<int>());
    ASSERT_TRUE(optionals.load(1).has_value());
    EXPECT_EQ(*optionals.load(1), std::nullopt);

    typename TypeParam::template of<int, std::any> anys;
    anys.store(1, std::any(std::string("text")));
    EXPECT_EQ(std::any_cast<std::string>(*anys.load(1)), "text");

    typename TypeParam::template of<int, std::vector<int>> vectors;
    vectors.store(1, std::vector<int>{1, 2, 3});
    EXPECT_EQ(vectors.load(1), (std::vector<int>{1, 2, 3}));
}

TYPED_TEST(types, of_values_are_destroyed_as_often_as_they_are_made) {
    fragile::alive = 0;
    {
        typename TypeParam::template of<int, fragile> map;
        for (int i = 0; i < 1000; ++i) map.store(i, fragile(i));
        for (int i = 0; i < 1000; ++i) map.store(i, fragile(i + 1));
        for (int i = 0; i < 500; ++i) map.erase(i);
        for (int i = 500; i < 700; ++i) EXPECT_EQ(map.load_and_erase(i)->number(), i + 1);
        map.erase_if([](int key, const fragile&) { return key < 800; });
        map.clear();
        for (int i = 0; i < 1000; ++i) map.store(i, fragile(i));
    }
    EXPECT_EQ(fragile::alive, 0);
}

} // namespace test
