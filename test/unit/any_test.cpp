#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/any.hpp>

#include "support/allocations.hpp"

namespace test {
namespace {

using syncmap::any;
using syncmap::nil;

struct point {
    int x;
    int y;
};

/// Can be made from an any, and says so in a way that asks whether it can be copied.
template <class T>
struct box {
    box(std::optional<T> inside) : value(std::move(inside)) {}
    std::optional<T> value;
};

/// Counts its objects; too big to lie inside.
struct counted {
    static inline int alive = 0;
    std::array<char, 100> room{};
    counted() { ++alive; }
    counted(const counted& other) : room(other.room) { ++alive; }
    counted& operator=(const counted&) = default;
    ~counted() { --alive; }
};

/// Would fit, but moving it may fail.
struct moves_by_copy {
    static inline bool refuses = false;
    static inline int alive = 0;
    moves_by_copy() { ++alive; }
    moves_by_copy(const moves_by_copy&) {
        if (refuses) throw std::runtime_error("refused");
        ++alive;
    }
    moves_by_copy& operator=(const moves_by_copy&) = default;
    ~moves_by_copy() { --alive; }
};

template <class E, class F>
std::string message(F&& f) {
    try {
        f();
    } catch (const E& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(any, holds_nil_when_it_was_given_nothing) {
    const any value;
    EXPECT_TRUE(value.is_nil());
    EXPECT_EQ(value.type_name(), "nil");
    EXPECT_EQ(value.type(), typeid(void));
    EXPECT_TRUE(any(nil).is_nil());
    EXPECT_FALSE(any(0).is_nil());
    EXPECT_EQ(value.get_if<int>(), nullptr);
}

TEST(any, gives_back_what_it_was_given) {
    EXPECT_EQ(any(1).as<int>(), 1);
    EXPECT_EQ(any(2.5).as<double>(), 2.5);
    EXPECT_EQ(any(true).as<bool>(), true);
    EXPECT_EQ(any(std::vector<int>{1, 2}).as<std::vector<int>>(), (std::vector<int>{1, 2}));
    EXPECT_EQ(any(point{1, 2}).as<point>().y, 2);
    EXPECT_EQ(any(std::in_place_type<std::string>, 3U, 'x').as<std::string>(), "xxx");
    EXPECT_EQ(any(std::in_place_type<int>).as<int>(), 0);
}

TEST(any, holds_every_form_of_text_as_a_string) {
    char array[] = "abc";
    char* const pointer = array;
    const std::string_view view = array;
    for (const any& value : {any("abc"), any(array), any(pointer), any(view), any(std::string("abc"))}) {
        EXPECT_EQ(value.as<std::string>(), "abc");
    }
}

TEST(any, names_both_types_when_an_assertion_is_wrong) {
    EXPECT_EQ(message<syncmap::bad_assertion>([] { return any(1).as<std::string>(); }),
              "interface conversion: value is int, not std::string");
    EXPECT_EQ(message<syncmap::bad_assertion>([] { return any("x").as<int>(); }),
              "interface conversion: value is std::string, not int");
    EXPECT_EQ(message<syncmap::bad_assertion>([] { return any().as<bool>(); }), "interface conversion: value is nil, not bool");
    const any constant = 1L;
    EXPECT_EQ(message<syncmap::bad_assertion>([&] { return constant.as<unsigned long long>(); }),
              "interface conversion: value is long, not unsigned long long");
}

TEST(any, names_types_as_one_writes_them) {
    EXPECT_EQ(any(std::string()).type_name(), "std::string");
    EXPECT_EQ(any(1UL).type_name(), "unsigned long");
    EXPECT_EQ(any(std::uint8_t{1}).type_name(), "unsigned char");
    EXPECT_EQ(any(static_cast<short>(1)).type_name(), "short");
    EXPECT_EQ(any(std::vector<std::string>()).type_name(), "std::vector<std::string>");
    EXPECT_EQ(any(std::vector<std::vector<std::string>>()).type_name(), "std::vector<std::vector<std::string>>");
    EXPECT_EQ(any(std::optional<std::string_view>()).type_name(), "std::optional<std::string_view>");
    EXPECT_EQ(any(static_cast<int*>(nullptr)).type_name(), "int*");
    EXPECT_EQ(any(point{}).type_name(), "test::(anonymous namespace)::point");
}

TEST(any, is_exactly_of_one_type) {
    const any value = 1;
    EXPECT_TRUE(value.is<int>());
    EXPECT_FALSE(value.is<long>());
    EXPECT_FALSE(value.is<unsigned>());
    EXPECT_EQ(value.get_if<long>(), nullptr);
    ASSERT_NE(value.get_if<int>(), nullptr);
    EXPECT_EQ(*value.get_if<int>(), 1);
}

TEST(any, can_be_changed_in_place) {
    any value = "abc";
    value.as<std::string>() += "d";
    *value.get_if<std::string>() += "e";
    EXPECT_EQ(value, "abcde");
    value = 7;
    EXPECT_EQ(value, any(7));
    const any& same = value;
    value = same;
    EXPECT_EQ(value, any(7));
    value = nil;
    EXPECT_TRUE(value.is_nil());
}

TEST(any, compares_type_and_value) {
    EXPECT_EQ(any(1), any(1));
    EXPECT_NE(any(1), any(2));
    EXPECT_NE(any(1), any(1L));
    EXPECT_NE(any(1), any(1U));
    EXPECT_NE(any(1), any(true));
    EXPECT_NE(any(0), any());
    EXPECT_NE(any(), any(0));
    EXPECT_EQ(any(), any(nil));
    EXPECT_EQ(any("a"), any(std::string("a")));
    EXPECT_EQ(any(0.0), any(-0.0));
    EXPECT_TRUE(any("a") == "a");
    EXPECT_TRUE("a" == any("a"));
    EXPECT_TRUE(any("a") != std::string_view("b"));
    EXPECT_FALSE(any(1) == "1");
}

TEST(any, names_the_type_that_cannot_be_compared) {
    const any a = point{1, 2};
    EXPECT_EQ(message<syncmap::incomparable_type>([&] { return a == any(point{1, 2}); }),
              "syncmap: comparing incomparable type test::(anonymous namespace)::point: it has no operator==");
    EXPECT_FALSE(a == any(1)) << "different types differ, whatever they can";
    EXPECT_FALSE(a == any());
}

TEST(any, knows_that_a_container_of_what_cannot_be_compared_cannot_be_compared) {
    const auto throws = [](const any& a) { return message<syncmap::incomparable_type>([&] { return a == any(a); }); };
    EXPECT_NE(throws(std::vector<point>(1)), "nothing was thrown");
    EXPECT_NE(throws(std::vector<std::vector<point>>(1)), "nothing was thrown");
    EXPECT_NE(throws(std::optional<std::vector<point>>()), "nothing was thrown");
    EXPECT_NE(throws(std::pair<int, point>()), "nothing was thrown");
    EXPECT_NE(throws(std::tuple<int, std::vector<point>>()), "nothing was thrown");
    EXPECT_NE(throws(std::variant<int, point>()), "nothing was thrown");
    EXPECT_NE(throws(std::unordered_map<int, point>()), "nothing was thrown");
    const any comparable = std::unordered_map<std::string, std::vector<int>>{{"a", {1}}};
    EXPECT_EQ(comparable, any(comparable));
}

TEST(any, hashes_equal_values_alike_and_others_not) {
    const syncmap::hash<any> hash;
    const syncmap::hash_seed seed{123, 457};
    EXPECT_EQ(hash(any("a"), seed), hash(any(std::string("a")), seed));
    EXPECT_EQ(hash(any("a"), seed), hash("a", seed));
    EXPECT_EQ(hash(any("a"), seed), hash(std::string_view("a"), seed));
    EXPECT_EQ(hash(any("a")), hash("a"));
    EXPECT_EQ(hash(any(1), seed), hash(any(1), seed));
    EXPECT_EQ(hash(any(), seed), hash(any(nil), seed));
    EXPECT_EQ(hash(any(0.0), seed), hash(any(-0.0), seed));
    EXPECT_NE(hash(any(1), seed), hash(any(2), seed));
    EXPECT_NE(hash(any(1), seed), hash(any(1), {99, 457}));
    EXPECT_NE(hash(any("a"), seed), hash(any("b"), seed));
}

TEST(any, names_the_type_that_cannot_be_hashed) {
    const syncmap::hash<any> hash;
    EXPECT_EQ(message<syncmap::unhashable_type>([&] { return hash(any(std::list<int>{1})); }),
              "syncmap: hash of unhashable type std::list<int>: a key needs std::hash and operator==");
    EXPECT_NE(message<syncmap::unhashable_type>([&] { return hash(any(point{})); }), "nothing was thrown");
}

TEST(any, holds_small_values_without_allocation) {
    const std::size_t before = allocations();
    any values[] = {1,
                    2.5,
                    "short",
                    std::string_view("text"),
                    nil,
                    point{1, 2},
                    static_cast<int*>(nullptr),
                    std::array<std::uint64_t, 4>{}};
    const any copy = values[2];
    const any moved = std::move(values[0]);
    EXPECT_EQ(allocations(), before);
    EXPECT_EQ(moved, any(1));
    EXPECT_EQ(copy, "short");
}

TEST(any, copies_and_moves_its_value) {
    counted::alive = 0;
    {
        any a = counted();
        EXPECT_EQ(counted::alive, 1);
        any b = a;
        EXPECT_EQ(counted::alive, 2);
        const any c = std::move(a);
        EXPECT_EQ(counted::alive, 2);
        EXPECT_TRUE(a.is_nil()); // NOLINT(bugprone-use-after-move): promised
        b = c;
        EXPECT_EQ(counted::alive, 2);
        b = 1;
        EXPECT_EQ(counted::alive, 1);
    }
    EXPECT_EQ(counted::alive, 0);
}

TEST(any, moves_without_failing_what_may_fail_to_move) {
    {
        any a = moves_by_copy();
        moves_by_copy::refuses = true;
        any b = std::move(a);
        EXPECT_TRUE(b.is<moves_by_copy>());
        EXPECT_THROW((void)any{b}, std::runtime_error);
        any c;
        EXPECT_THROW(c = b, std::runtime_error);
        EXPECT_TRUE(c.is_nil());
        moves_by_copy::refuses = false;
    }
    EXPECT_EQ(moves_by_copy::alive, 0);
    static_assert(std::is_nothrow_move_constructible_v<any> && std::is_nothrow_move_assignable_v<any>);
}

TEST(any, holds_what_is_made_of_anys) {
    const any value = box<any>(any(1));
    EXPECT_EQ(value.as<box<any>>().value, any(1));
    EXPECT_THROW((void)(value == any(value)), syncmap::incomparable_type) << "a box is not compared as an any of it";
    EXPECT_EQ(any(std::vector<any>{1, "a"}), any(std::vector<any>{1, "a"}));
}

TEST(any, gives_a_temporary_s_value_away) {
    std::string text = any(std::string(100, 'x')).as<std::string>();
    EXPECT_EQ(text, std::string(100, 'x'));
    static_assert(std::is_same_v<decltype(any(1).as<int>()), int>);
}

} // namespace
} // namespace test
