#include <functional>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>

#include "support/allocations.hpp"
#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {

template <class M>
class construction : public ::testing::Test {};
TYPED_TEST_SUITE(construction, maps, names);

TYPED_TEST(construction, of_an_empty_map_allocates_nothing) {
    EXPECT_EQ(allocations_of([] {
                  const TypeParam map;
                  EXPECT_TRUE(map.empty());
                  EXPECT_FALSE(map.contains(key<TypeParam>(1)));
                  EXPECT_EQ(map.for_each([](const auto&, const auto&) {}), 0U);
              }),
              0U);
}

TYPED_TEST(construction, from_a_list_keeps_the_last_of_equal_keys) {
    const TypeParam map{{key<TypeParam>(1), value<TypeParam>(10)},
                        {key<TypeParam>(2), value<TypeParam>(20)},
                        {key<TypeParam>(1), value<TypeParam>(11)}};
    EXPECT_EQ(map.size(), 2U);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(11));
    EXPECT_EQ(map.load(key<TypeParam>(2)), value<TypeParam>(20));
}

TYPED_TEST(construction, from_a_range_of_pairs) {
    std::map<typename TypeParam::key_type, typename TypeParam::mapped_type> entries;
    for (int i = 0; i < 1000; ++i) entries.emplace(key<TypeParam>(i), value<TypeParam>(i));
    const TypeParam map(entries.begin(), entries.end());
    EXPECT_EQ(map.size(), 1000U);
    for (const auto& [k, v] : entries) ASSERT_EQ(map.load(k), v);
}

TYPED_TEST(construction, from_a_range_moves_what_may_be_moved) {
    std::vector<std::pair<typename TypeParam::key_type, typename TypeParam::mapped_type>> entries;
    for (int i = 0; i < 100; ++i) entries.emplace_back(key<TypeParam>(i), value<TypeParam>(i));
    const TypeParam map(std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
    EXPECT_EQ(map.size(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(map.load(key<TypeParam>(i)), value<TypeParam>(i));
}

TYPED_TEST(construction, from_an_empty_range_and_an_empty_list) {
    const std::vector<std::pair<typename TypeParam::key_type, typename TypeParam::mapped_type>> none;
    EXPECT_TRUE(TypeParam(none.begin(), none.end()).empty());
    EXPECT_TRUE((TypeParam({}, typename TypeParam::hasher{}).empty()));
}

TYPED_TEST(construction, models_the_concepts) {
    EXPECT_TRUE(syncmap::concurrent_map<TypeParam>);
    EXPECT_TRUE(syncmap::copyable_value_map<TypeParam>);
    EXPECT_TRUE(syncmap::comparable_value_map<TypeParam>);
    EXPECT_TRUE(syncmap::exact_size_map<TypeParam>);
    EXPECT_TRUE(syncmap::engine::map_engine<syncmap::detail::engine_t<TypeParam>>);
    static_assert(!std::is_copy_constructible_v<TypeParam> && !std::is_copy_assignable_v<TypeParam>);
    static_assert(std::is_same_v<typename TypeParam::value_type,
                                 std::pair<const typename TypeParam::key_type, typename TypeParam::mapped_type>>);
}

template <class Family>
class static_construction : public ::testing::Test {};
TYPED_TEST_SUITE(static_construction, families, names);

template <class Family>
constinit typename Family::template of<int, int> numbers;
template <class Family>
constinit typename Family::template of<std::string, std::string> texts;

TYPED_TEST(static_construction, needs_no_code_at_start_up) {
    numbers<TypeParam>.store(1, 2);
    texts<TypeParam>.store("one", "two");
    EXPECT_EQ(numbers<TypeParam>.load(1), 2);
    EXPECT_EQ(texts<TypeParam>.load("one"), "two");
    numbers<TypeParam>.clear();
    texts<TypeParam>.clear();
}

TYPED_TEST(static_construction, makes_a_map_that_lock_free_readers_find_in_one_cache_line) {
    using map = typename TypeParam::template of<std::string, std::string>;
    if constexpr (syncmap::lock_free_read_map<map>) {
        static_assert(sizeof(map) <= 64);
        static_assert(sizeof(typename TypeParam::template of<int, int>) <= 64);
    }
}

TYPED_TEST(static_construction, takes_hash_equality_and_allocator) {
    using map = typename TypeParam::template of<std::string, int, fold_case_hash, fold_case_equal>;
    map with_hash{fold_case_hash{}};
    map with_both{fold_case_hash{}, fold_case_equal{}};
    map with_allocator{typename map::allocator_type{}};
    for (map* each : {&with_hash, &with_both, &with_allocator}) {
        each->store("Key", 1);
        EXPECT_EQ(each->load("kEY"), 1);
    }
}

} // namespace test
