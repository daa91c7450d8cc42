// Which key object an entry keeps, and how often keys are copied and moved.
#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>

#include "support/maps.hpp"

namespace test {

namespace {

/// Equal by its name; the number tells which object it is. A copy counts.
struct named_key {
    std::string name;
    int identity = 0;
    static inline int copies = 0;
    static inline int moves = 0;

    named_key(std::string n, int i) : name(std::move(n)), identity(i) {}
    named_key(const named_key& other) : name(other.name), identity(other.identity) { ++copies; }
    named_key(named_key&& other) noexcept : name(std::move(other.name)), identity(other.identity) { ++moves; }
    named_key& operator=(const named_key&) = delete;
    friend bool operator==(const named_key& a, const named_key& b) noexcept { return a.name == b.name; }
};

/// The same of a type that is copied as bytes.
struct numbered_key {
    int number = 0;
    int identity = 0;
    friend bool operator==(const numbered_key& a, const numbered_key& b) noexcept { return a.number == b.number; }
};

/// The same of a type that can only be moved.
struct owned_key {
    std::string name;
    int identity = 0;

    owned_key(std::string n, int i) : name(std::move(n)), identity(i) {}
    owned_key(owned_key&&) noexcept = default;
    owned_key& operator=(owned_key&&) = delete;
    friend bool operator==(const owned_key& a, const owned_key& b) noexcept { return a.name == b.name; }
};

struct identity_hash {
    std::size_t operator()(const named_key& k) const noexcept { return std::hash<std::string>()(k.name); }
    std::size_t operator()(const numbered_key& k) const noexcept { return static_cast<std::size_t>(k.number); }
    std::size_t operator()(const owned_key& k) const noexcept { return std::hash<std::string>()(k.name); }
    std::size_t operator()(double) const noexcept { return 0; }
};

/// Letters of either case are equal.
struct caseless {
    static char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
    std::size_t operator()(const std::string& s) const noexcept {
        std::size_t sum = 0;
        for (const char c : s) sum = sum * 31 + static_cast<unsigned char>(lower(c));
        return sum;
    }
    bool operator()(const std::string& a, const std::string& b) const noexcept {
        if (a.size() != b.size()) return false;
        for (std::size_t i = 0; i < a.size(); ++i) {
            if (lower(a[i]) != lower(b[i])) return false;
        }
        return true;
    }
};

struct large {
    std::string text;
    large(const char* t) : text(t) {}
    friend bool operator==(const large&, const large&) = default;
};

template <class Map>
int identity_in(const Map& map) {
    int seen = -1;
    map.for_each([&](const auto& key, const auto&) { seen = key.identity; });
    return seen;
}

/// Every write that can find the key there.
template <class Map, class MakeKey, class Value>
void overwrite_in_all_ways(Map& map, MakeKey key, const Value& one, const Value& two) {
    map.store(key(2), one);
    EXPECT_EQ(identity_in(map), 1);
    EXPECT_FALSE(map.insert(key(3), two));
    static_cast<void>(map.exchange(key(4), two));
    EXPECT_EQ(identity_in(map), 1);
    static_cast<void>(map.load_or_store(key(5), one));
    Value expected = two;
    EXPECT_TRUE(map.compare_exchange(key(6), expected, one));
    EXPECT_EQ(identity_in(map), 1);
    {
        map.update(key(7), [&](const Value*) { return two; });
        EXPECT_EQ(identity_in(map), 1);
        map.update(key(8), [&](const Value*) { return one; });
        EXPECT_EQ(identity_in(map), 1);
        static_cast<void>(map.load_or_compute(key(9), [&] { return two; }));
    }
    for (int i = 0; i < 100; ++i) map.store(key(10 + i), one);
    EXPECT_EQ(identity_in(map), 1);
    EXPECT_EQ(map.size(), 1U);
    map.erase(key(200));
    EXPECT_EQ(map.size(), 0U);
}

template <class Map>
void update_several(Map& map, const std::vector<typename Map::key_type>& keys, const typename Map::mapped_type& value) {
    map.update(keys, [&](std::span<syncmap::update_slot<typename Map::mapped_type>> slots) { slots[0].assign(value); });
}

} // namespace

template <class Family>
class key_objects : public ::testing::Test {
protected:
    template <class Key, class T>
    using map_of = typename Family::template of<Key, T, identity_hash, std::equal_to<>>;
};
TYPED_TEST_SUITE(key_objects, families, names);

TYPED_TEST(key_objects, stay_when_large_values_are_replaced) {
    const auto named = [](int identity) { return named_key("one", identity); };
    typename TestFixture::template map_of<named_key, large> map;
    map.store(named(1), "first");
    overwrite_in_all_ways(map, named, large("one"), large("two"));
}

TYPED_TEST(key_objects, stay_when_small_values_are_replaced) {
    const auto named = [](int identity) { return named_key("one", identity); };
    typename TestFixture::template map_of<named_key, int> map;
    map.store(named(1), 0);
    overwrite_in_all_ways(map, named, 1, 2);
}

TYPED_TEST(key_objects, stay_that_are_copied_as_bytes) {
    const auto numbered = [](int identity) { return numbered_key{5, identity}; };
    typename TestFixture::template map_of<numbered_key, large> map;
    map.store(numbered(1), "first");
    overwrite_in_all_ways(map, numbered, large("one"), large("two"));
}

TYPED_TEST(key_objects, stay_that_can_only_be_moved) {
    const auto owned = [](int identity) { return owned_key("one", identity); };
    typename TestFixture::template map_of<owned_key, large> map;
    map.store(owned(1), "first");
    overwrite_in_all_ways(map, owned, large("one"), large("two"));
}

TYPED_TEST(key_objects, stay_that_are_strings_of_another_equality) {
    typename TypeParam::template of<std::string, large, caseless, caseless> map;
    map.store("Key", "first");
    for (const char* const again : {"KEY", "key", "kEY"}) {
        map.store(again, "next");
        map.for_each([](const std::string& key, const large&) { EXPECT_EQ(key, "Key"); });
        map.update(again, [](const large*) { return large("later"); });
        map.for_each([](const std::string& key, const large&) { EXPECT_EQ(key, "Key"); });
    }
}

TYPED_TEST(key_objects, stay_that_are_numbers) {
    typename TestFixture::template map_of<double, large> map;
    map.store(-0.0, "first");
    map.store(0.0, "next");
    map.for_each([](double key, const large&) { EXPECT_TRUE(std::signbit(key)); });
}

TYPED_TEST(key_objects, stay_in_updates_of_several_keys) {
    if constexpr (syncmap::multi_key_map<typename TestFixture::template map_of<named_key, large>>) {
        typename TestFixture::template map_of<named_key, large> map;
        map.store(named_key("one", 1), "first");
        for (int i = 2; i < 5; ++i) {
            update_several(map, {named_key("one", i)}, "next");
            EXPECT_EQ(identity_in(map), 1);
        }
    }
}

TYPED_TEST(key_objects, are_neither_copied_nor_moved_from_where_the_key_is_present) {
    typename TestFixture::template map_of<named_key, large> map;
    const named_key first("one", 1);
    const named_key again("one", 2);
    map.store(first, "first");
    named_key::copies = named_key::moves = 0;
    map.store(again, "next");
    map.store(named_key(std::string("one"), 3), "next");
    static_cast<void>(map.exchange(again, "next"));
    large expected("next");
    EXPECT_TRUE(map.compare_exchange(again, expected, "last"));
    static_cast<void>(map.load_or_store(again, "none"));
    EXPECT_EQ(named_key::copies, 0);
    EXPECT_EQ(named_key::moves, 0);
}

TYPED_TEST(key_objects, are_copied_once_or_moved_once_by_an_insert) {
    typename TestFixture::template map_of<named_key, large> map;
    map.reserve(16);
    const named_key one("one", 1);
    named_key::copies = named_key::moves = 0;
    map.store(one, "first");
    EXPECT_EQ(named_key::copies, 1);
    EXPECT_EQ(named_key::moves, 0);
    named_key::copies = 0;
    map.store(named_key("two", 1), "first");
    EXPECT_EQ(named_key::copies, 0);
    EXPECT_EQ(named_key::moves, 1);
    // Of a key that is computed the flight has a copy, since equality runs with nothing locked. (Behind a lock there is none.)
    named_key::moves = 0;
    map.update(named_key("three", 1), [](const large*) { return large("first"); });
    EXPECT_EQ(named_key::copies, (std::is_same_v<TypeParam, flagship> ? 1 : 0));
    EXPECT_EQ(named_key::moves, 1);
}

TYPED_TEST(key_objects, of_a_new_entry_are_new) {
    typename TestFixture::template map_of<named_key, large> map;
    map.store(named_key("one", 1), "first");
    map.store(named_key("one", 2), "next");
    map.erase(named_key("one", 3));
    map.store(named_key("two", 0), "makes a dirty map");
    map.erase(named_key("two", 0));
    map.clear();
    map.store(named_key("one", 4), "first");
    EXPECT_EQ(identity_in(map), 4);
}

} // namespace test
