// Types with operators and constructors that take what is not theirs, and keys that no reference binds to.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test::awkward_types {

/// No code may ask for its address.
template <class Number>
struct hidden {
    Number number;
    hidden(int n) : number(static_cast<Number>(n)) {} // NOLINT: converts on purpose
    friend bool operator==(const hidden&, const hidden&) = default;
    void operator&() const = delete;
};
struct hash_of_hidden {
    template <class Number>
    std::size_t operator()(const hidden<Number>& key) const noexcept {
        return static_cast<std::size_t>(key.number);
    }
};

/// Its template takes a reference that is not const from the copy constructor.
struct greedy {
    int number = 0;
    bool is_a_copy = true;
    explicit greedy(int n) : number(n) {}
    template <class U>
        requires(!std::is_same_v<std::remove_cv_t<U>, greedy>)
    greedy(U&&) : number(-1) {} // NOLINT: greedy on purpose
    greedy(const greedy&) = default;
    greedy(greedy&&) = default;
    greedy& operator=(const greedy&) = default;
};

struct fields {
    unsigned key : 5;
    unsigned value : 5;
};
struct [[gnu::packed]] packed {
    char before;
    std::uint64_t key;
};

template <class Family>
class awkward : public ::testing::Test {};

TYPED_TEST_SUITE(awkward, families, names);

template <class Map>
void use_all_operations(Map& map) {
    EXPECT_TRUE(map.store(1, 10));
    EXPECT_TRUE(map.insert(2, 20));
    EXPECT_FALSE(map.load_or_store(3, 30).loaded);
    EXPECT_EQ(map.load(1)->number, 10);
    EXPECT_TRUE(map.visit(2, [](const auto& value) { EXPECT_EQ(value.number, 20); }));
    EXPECT_EQ(map.exchange(1, 11)->number, 10);
    using value = typename Map::mapped_type;
    value expected(11);
    EXPECT_TRUE(map.compare_exchange(1, expected, value(12)));
    std::optional<value> maybe(std::in_place, 12);
    EXPECT_TRUE(map.compare_exchange(1, maybe, value(13)));
    EXPECT_EQ(map.load_or_compute(4, [] { return value(40); }).value.number, 40);
    map.update(4, [](const value* now) { return value(static_cast<int>(now->number) + 1); });
    if constexpr (requires { map.update({1, 4}, [](auto) {}); }) {
        map.update({1, 4}, [](auto both) {
            EXPECT_EQ(both[0].current()->number, 13);
            both[1].assign(value(44));
        });
    }
    EXPECT_EQ(map.erase_if([](const auto&, const value& now) { return now.number == 20; }), 1U);
    value last(13);
    EXPECT_TRUE(map.compare_erase(1, last));
    EXPECT_EQ(map.load_and_erase(4).has_value(), true);
    EXPECT_EQ(map.for_each([](const auto&, const value&) {}), 1U);
}

TYPED_TEST(awkward, values_and_keys_without_an_address_operator) {
    typename TypeParam::template of<hidden<int>, hidden<int>, hash_of_hidden> small;
    use_all_operations(small);
    typename TypeParam::template of<hidden<long double>, hidden<long double>, hash_of_hidden> large;
    use_all_operations(large);
}

TYPED_TEST(awkward, what_is_returned_is_what_is_stored_although_a_template_takes_everything) {
    typename TypeParam::template of<int, greedy> map;
    EXPECT_EQ(map.load_or_store(1, greedy(5)).value.number, 5);
    EXPECT_EQ(map.load(1)->number, 5);
    EXPECT_EQ(map.load_or_compute(2, [] { return greedy(6); }).value.number, 6);
    EXPECT_EQ(map.load(2)->number, 6);
}

TYPED_TEST(awkward, bit_fields_as_keys) {
    typename TypeParam::template of<std::uint64_t, int> map;
    fields f{};
    f.key = 7;
    EXPECT_TRUE(map.store(f.key, 1));
    EXPECT_FALSE(map.insert(f.key, 3));
    EXPECT_EQ(map.exchange(f.key, 5), 1);
    int expected = 5;
    EXPECT_TRUE(map.compare_exchange(f.key, expected, 6));
    EXPECT_TRUE(map.load_or_compute(f.key, [] { return 9; }).loaded);
    map.update(f.key, [](const int* now) { return *now + 1; });
    EXPECT_EQ(map.load(f.key), 7);
    EXPECT_TRUE(map.erase(f.key));
}

#if !defined(__clang__) // Clang binds a reference to the member itself, where it is not aligned
TYPED_TEST(awkward, packed_members_as_keys) {
    typename TypeParam::template of<std::uint64_t, int> map;
    packed p{'a', 8};
    EXPECT_TRUE(map.store(p.key, {2}));
    EXPECT_TRUE(map.load_or_store(p.key, 4).loaded);
    std::optional<int> maybe = 2;
    EXPECT_TRUE(map.compare_exchange(p.key, maybe, 7));
    EXPECT_EQ(map.fetch_add(p.key, 1), 7);
    EXPECT_EQ(map.load(p.key), 8);
    EXPECT_TRUE(map.erase(p.key));
}
#endif

} // namespace test::awkward_types
