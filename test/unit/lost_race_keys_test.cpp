// A writer that finds another state than the one for which it made its node: which key object and which value it publishes.
// The other writer is the conversion of the value that is stored, which runs between the two looks.
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/map.hpp>
#include <syncmap/text.hpp>

#include "support/allocators.hpp"

namespace {

struct shared_key {
    std::string name;
    int identity = 0;
    shared_key(std::string n, int i) : name(std::move(n)), identity(i) {}
    friend bool operator==(const shared_key& a, const shared_key& b) noexcept { return a.name == b.name; }
};
struct moved_key {
    std::string name;
    int identity = 0;
    moved_key(std::string n, int i) : name(std::move(n)), identity(i) {}
    moved_key(moved_key&&) noexcept = default;
    friend bool operator==(const moved_key& a, const moved_key& b) noexcept { return a.name == b.name; }
};
struct copied_key {
    int number = 0;
    int identity = 0;
    copied_key(const std::string& n, int i) : number(static_cast<int>(n.size())), identity(i) {}
    friend bool operator==(const copied_key& a, const copied_key& b) noexcept { return a.number == b.number; }
};

struct name_hash {
    std::size_t operator()(const shared_key& k) const noexcept { return std::hash<std::string>()(k.name); }
    std::size_t operator()(const moved_key& k) const noexcept { return std::hash<std::string>()(k.name); }
    std::size_t operator()(const copied_key& k) const noexcept { return static_cast<std::size_t>(k.number); }
};

/// A string is equal to one of the same first letter, and a longer one is another object of the same key.
struct first_letter {
    using is_transparent = void;
    static char of(std::string_view s) noexcept { return s.empty() ? '\0' : s[0]; }
    std::size_t operator()(std::string_view s) const noexcept { return static_cast<std::size_t>(of(s)); }
    bool operator()(std::string_view a, std::string_view b) const noexcept { return of(a) == of(b); }
};

struct value {
    std::string text;
    value(std::string t) : text(std::move(t)) {}
};

/// Becomes a value, and does something else before that.
struct meddling {
    std::string text;
    std::function<void()> first;
    operator value() const {
        first();
        return value(text);
    }
};
/// The same of a text.
struct meddling_text {
    std::string_view text;
    std::function<void()> first;
    operator std::string_view() const {
        if (first) first();
        return text;
    }
};

template <class Key, class T = value>
using map_of = syncmap::map<Key, T, name_hash, std::equal_to<>, test::booked<std::pair<const Key, T>>>;

template <class Key>
class lost_race_keys : public ::testing::Test {
protected:
    test::ledger books{};
    map_of<Key> map_{test::booked<std::pair<const Key, value>>(books)};
    int identity() {
        int seen = 0;
        map_.for_each([&](const Key& key, const value&) { seen = key.identity; });
        return seen;
    }
    std::string text() {
        std::string seen;
        map_.for_each([&](const Key&, const value& v) { seen = v.text; });
        return seen;
    }
};
using keys = ::testing::Types<shared_key, moved_key, copied_key>;
TYPED_TEST_SUITE(lost_race_keys, keys);

TYPED_TEST(lost_race_keys, are_those_of_an_entry_that_came_first) {
    auto& map = this->map_;
    map.store(TypeParam("a", 2), meddling{"late", [&] { map.store(TypeParam("a", 1), value("early")); }});
    EXPECT_EQ(this->identity(), 1);
    EXPECT_EQ(this->text(), "late");
    for (int i = 3; i < 2'000; ++i) map.store(TypeParam("a", i), value("again"));
    EXPECT_EQ(this->identity(), 1);
}

TYPED_TEST(lost_race_keys, are_given_ones_where_the_entry_has_gone) {
    auto& map = this->map_;
    map.store(TypeParam("a", 1), value("early"));
    map.store(TypeParam("a", 2), meddling{"late", [&] { map.erase(TypeParam("a", 1)); }});
    EXPECT_EQ(this->identity(), 2);
    EXPECT_EQ(this->text(), "late");
}

TYPED_TEST(lost_race_keys, are_those_of_an_entry_that_came_in_place_of_another) {
    auto& map = this->map_;
    map.store(TypeParam("a", 1), value("early"));
    map.store(TypeParam("a", 3), meddling{"late", [&] {
                                              map.erase(TypeParam("a", 1));
                                              map.store(TypeParam("a", 2), value("between"));
                                          }});
    EXPECT_EQ(this->identity(), 2);
    EXPECT_EQ(this->text(), "late");
}

TYPED_TEST(lost_race_keys, leave_no_memory_behind) {
    {
        map_of<TypeParam> map{test::booked<std::pair<const TypeParam, value>>(this->books)};
        for (int i = 0; i < 1'000; ++i) {
            const auto key = [&](int identity) {
                return TypeParam(std::string(static_cast<std::size_t>(i % 7), 'k'), identity);
            };
            map.store(key(1), meddling{"late", [&] {
                                           if (i % 3 == 0) map.erase(key(0));
                                           if (i % 2 == 0) map.store(key(2), value("early"));
                                       }});
            if (i % 11 == 0) map.clear();
            if (i % 5 == 0) map.flush();
        }
    }
    EXPECT_EQ(this->books.live_blocks.load(), 0U);
}

TEST(lost_race_texts, are_those_of_an_entry_that_came_first) {
    syncmap::map<syncmap::text, syncmap::text, first_letter, first_letter> map;
    const auto show = [&] {
        std::string all;
        map.for_each([&](std::string_view k, std::string_view v) { all = std::string(k) + "=" + std::string(v); });
        return all;
    };
    map.store("abc", meddling_text{"late", [&] { map.store("a long key that begins with the same letter", "early"); }});
    EXPECT_EQ(show(), "a long key that begins with the same letter=late");
    map.store("a", "again");
    EXPECT_EQ(show(), "a long key that begins with the same letter=again");
    map.store("abc", meddling_text{"last", [&] { map.erase("a"); }});
    EXPECT_EQ(show(), "abc=last");
}

TEST(lost_race_texts, keep_their_values) {
    syncmap::map<syncmap::text, value, first_letter, first_letter> map;
    map.store("abc", meddling{"late", [&] { map.store("axyz", value("early")); }});
    map.for_each([&](std::string_view k, const value& v) {
        EXPECT_EQ(k, "axyz");
        EXPECT_EQ(v.text, "late");
    });
}

} // namespace
