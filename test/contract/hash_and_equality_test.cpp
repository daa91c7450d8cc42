#include <string>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {
namespace {

/// A hash with state, which a map must carry along.
struct salted_hash {
    std::size_t salt = 0;
    std::size_t operator()(int key) const noexcept { return static_cast<std::size_t>(key) ^ salt; }
};
struct modular_equal {
    int modulus = 1;
    bool operator()(int a, int b) const noexcept { return a % modulus == b % modulus; }
};
struct modular_hash {
    int modulus = 1;
    std::size_t operator()(int key) const noexcept { return static_cast<std::size_t>(key % modulus); }
};

} // namespace

template <class Family>
class hash_and_equality : public ::testing::Test {};
TYPED_TEST_SUITE(hash_and_equality, families, names);

TYPED_TEST(hash_and_equality, decide_which_keys_are_one) {
    typename TypeParam::template of<std::string, int, fold_case_hash, fold_case_equal> map;
    EXPECT_TRUE(map.store("Hello", 1));
    EXPECT_FALSE(map.store("hELLO", 2));
    EXPECT_EQ(map.load("HELLO"), 2);
    map.for_each([](const std::string& key, int) { EXPECT_EQ(key, "Hello") << "the first key stays"; });
    EXPECT_TRUE(map.erase("hello"));
}

TYPED_TEST(hash_and_equality, keep_their_state) {
    using map_type = typename TypeParam::template of<int, int, modular_hash, modular_equal>;
    map_type map(modular_hash{10}, modular_equal{10});
    for (int i = 0; i < 1000; ++i) map.store(i, i);
    EXPECT_EQ(map.size(), 10U);
    EXPECT_EQ(map.load(123'453), 993);
    EXPECT_EQ(map.hash_function().modulus, 10);
    EXPECT_EQ(map.key_eq().modulus, 10);
    map.clear();
    for (int i = 0; i < 1000; ++i) map.store(i, i);
    EXPECT_EQ(map.size(), 10U);
}

TYPED_TEST(hash_and_equality, of_the_user_are_returned_as_given) {
    using map_type = typename TypeParam::template of<int, int, salted_hash>;
    const map_type map(salted_hash{42});
    EXPECT_EQ(map.hash_function().salt, 42U);
}

TYPED_TEST(hash_and_equality, may_collide_for_all_keys) {
    typename TypeParam::template of<int, int, constant_hash> map;
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(map.store(i, i));
    for (int i = 0; i < 500; ++i) ASSERT_EQ(map.load(i), i);
    EXPECT_FALSE(map.contains(500));
    for (int i = 0; i < 500; i += 2) ASSERT_TRUE(map.erase(i));
    for (int i = 0; i < 500; ++i) ASSERT_EQ(map.contains(i), i % 2 == 1);
    EXPECT_EQ(map.size(), 250U);
}

TYPED_TEST(hash_and_equality, may_collide_for_all_strings) {
    typename TypeParam::template of<std::string, std::string, constant_hash> map;
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(map.store(std::to_string(i), std::to_string(i)));
    for (int i = 0; i < 500; ++i) ASSERT_EQ(map.load(std::to_string(i)), std::to_string(i));
    for (int i = 0; i < 500; i += 2) ASSERT_TRUE(map.erase(std::to_string(i)));
    for (int i = 0; i < 500; ++i) ASSERT_EQ(map.contains(std::to_string(i)), i % 2 == 1);
}

} // namespace test
