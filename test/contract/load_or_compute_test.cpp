#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class M>
class load_or_compute : public ::testing::Test {};
TYPED_TEST_SUITE(load_or_compute, maps, names);

TYPED_TEST(load_or_compute, computes_once_and_loads_afterwards) {
    TypeParam map;
    int calls = 0;
    const auto make = [&] {
        ++calls;
        return value<TypeParam>(10);
    };
    const auto first = map.load_or_compute(key<TypeParam>(1), make);
    EXPECT_FALSE(first.loaded);
    EXPECT_EQ(first.value, value<TypeParam>(10));
    const auto second = map.load_or_compute(key<TypeParam>(1), make);
    EXPECT_TRUE(second.loaded);
    EXPECT_EQ(second.value, value<TypeParam>(10));
    EXPECT_EQ(calls, 1);
}

TYPED_TEST(load_or_compute, does_not_compute_what_is_there) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(10));
    const auto result = map.load_or_compute(key<TypeParam>(1), []() -> typename TypeParam::mapped_type { throw 1; });
    EXPECT_TRUE(result.loaded);
    EXPECT_EQ(result.value, value<TypeParam>(10));
}

TYPED_TEST(load_or_compute, stores_nothing_when_the_function_throws_and_computes_at_the_next_call) {
    TypeParam map;
    using mapped = typename TypeParam::mapped_type;
    EXPECT_THROW(static_cast<void>(map.load_or_compute(key<TypeParam>(1), []() -> mapped { throw 1; })), int);
    EXPECT_FALSE(map.contains(key<TypeParam>(1)));
    EXPECT_FALSE(map.load_or_compute(key<TypeParam>(1), [] { return value<TypeParam>(10); }).loaded);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
}

TYPED_TEST(load_or_compute, computes_again_after_an_erase) {
    TypeParam map;
    int calls = 0;
    for (int i = 0; i < 5; ++i) {
        EXPECT_FALSE(map.load_or_compute(key<TypeParam>(1), [&] { return value<TypeParam>(++calls); }).loaded);
        map.erase(key<TypeParam>(1));
    }
    EXPECT_EQ(calls, 5);
}

TYPED_TEST(load_or_compute, unshared_does_the_same_for_one_thread) {
    TypeParam map;
    using mapped = typename TypeParam::mapped_type;
    EXPECT_THROW(static_cast<void>(map.load_or_compute(syncmap::unshared, key<TypeParam>(1), []() -> mapped { throw 1; })),
                 int);
    EXPECT_FALSE(map.contains(key<TypeParam>(1)));
    const auto made = map.load_or_compute(syncmap::unshared, key<TypeParam>(1), [] { return value<TypeParam>(10); });
    EXPECT_FALSE(made.loaded);
    EXPECT_EQ(made.value, value<TypeParam>(10));
    const auto found = map.load_or_compute(syncmap::unshared, key<TypeParam>(1), []() -> mapped { throw 1; });
    EXPECT_TRUE(found.loaded);
    EXPECT_EQ(found.value, value<TypeParam>(10));
}

} // namespace test
