// The default hash of what is made of parts.
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/any_map.hpp>
#include <syncmap/map.hpp>

namespace test {
namespace {

struct place {
    int x, y;
    bool operator==(const place&) const = default;
    friend auto syncmap_members(const place& p) { return std::tie(p.x, p.y); }
};
struct segment {
    place from, to;
    std::optional<std::string> name{};
    bool operator==(const segment&) const = default;
    friend auto syncmap_members(const segment& l) { return std::tie(l.from, l.to, l.name); }
};

const syncmap::hash_seed one{0x123456789ABCDEF1U, 0xFEDCBA9876543211U};
const syncmap::hash_seed other_seed{0x0F1E2D3C4B5A6978U, 0x8796A5B4C3D2E1F1U};

template <class Key>
std::uint64_t hash_of(const Key& key, const syncmap::hash_seed& seed = one) {
    return syncmap::detail::seeded_hash(syncmap::hash<Key>(), key, seed);
}

} // namespace

TEST(hash_parts, keys_of_every_kind_are_found) {
    syncmap::map<std::pair<std::string, int>, int> pairs;
    pairs.store({"a", 1}, 1);
    EXPECT_EQ(pairs.load({"a", 1}), 1);
    EXPECT_FALSE(pairs.contains(std::pair<std::string, int>("a", 2)));
    syncmap::map<std::tuple<int, std::string, bool>, int> tuples;
    tuples.store({1, "a", true}, 2);
    EXPECT_EQ(tuples.load({1, "a", true}), 2);
    syncmap::map<std::array<std::string, 2>, int> arrays;
    arrays.store({"a", "b"}, 3);
    EXPECT_EQ(arrays.load({"a", "b"}), 3);
    syncmap::map<std::optional<std::string>, int> optionals;
    optionals.store(std::nullopt, 4);
    optionals.store("a", 5);
    EXPECT_EQ(optionals.load(std::nullopt), 4);
    EXPECT_EQ(optionals.load("a"), 5);
    syncmap::map<std::vector<std::string>, int> vectors;
    vectors.store({"a", "b"}, 3);
    EXPECT_EQ(vectors.load({"a", "b"}), 3);
    EXPECT_FALSE(vectors.contains({"a"}));
    EXPECT_NE(hash_of(std::vector<int>{}), hash_of(std::vector<int>{0}));
    syncmap::map<std::chrono::sys_seconds, std::chrono::seconds> times;
    times.store(std::chrono::sys_seconds(std::chrono::minutes(1)), std::chrono::seconds(4));
    EXPECT_EQ(times.load(std::chrono::sys_seconds(std::chrono::seconds(60))), std::chrono::seconds(4));
    EXPECT_NE(hash_of(std::chrono::seconds(1)), hash_of(std::chrono::seconds(2)));
    syncmap::map<std::variant<int, std::string>, int> variants;
    variants.store(1, 6);
    variants.store("a", 7);
    EXPECT_EQ(variants.load(1), 6);
    EXPECT_EQ(variants.load("a"), 7);
    syncmap::map<segment, int> lines;
    lines.store({{1, 2}, {3, 4}, "a"}, 8);
    EXPECT_EQ(lines.load({{1, 2}, {3, 4}, "a"}), 8);
    EXPECT_FALSE(lines.contains({{1, 2}, {3, 4}, std::nullopt}));
}

TEST(hash_parts, any_can_hold_them_as_keys) {
    syncmap::any_map map;
    map.store(std::pair<std::string, int>("a", 1), 1);
    map.store(place{1, 2}, 2);
    EXPECT_EQ((map.load(std::pair<std::string, int>("a", 1))->as<int>()), 1);
    EXPECT_EQ(map.load(place{1, 2})->as<int>(), 2);
    EXPECT_FALSE(map.contains(place{2, 1}));
}

TEST(hash_parts, order_place_and_presence_are_parts_of_the_key) {
    EXPECT_NE(hash_of(std::pair(1, 2)), hash_of(std::pair(2, 1)));
    EXPECT_NE(hash_of(std::array{1, 2, 0}), hash_of(std::array{1, 0, 2}));
    EXPECT_NE((hash_of(std::pair<std::string, std::string>("ab", "c"))),
              (hash_of(std::pair<std::string, std::string>("a", "bc"))));
    EXPECT_NE(hash_of(std::optional<int>()), hash_of(std::optional<int>(0)));
    EXPECT_NE((hash_of(std::variant<int, unsigned>(1))), (hash_of(std::variant<int, unsigned>(1U))));
    EXPECT_NE(hash_of(place{1, 2}), hash_of(place{2, 1}));
}

TEST(hash_parts, the_secret_decides) {
    EXPECT_NE(hash_of(std::pair(1, 2)), hash_of(std::pair(1, 2), other_seed));
    EXPECT_NE((hash_of(std::optional<std::string>("a"))), (hash_of(std::optional<std::string>("a"), other_seed)));
    EXPECT_NE(hash_of(std::optional<int>()), hash_of(std::optional<int>(), other_seed));
    EXPECT_NE(hash_of(place{1, 2}), hash_of(place{1, 2}, other_seed));
}

TEST(hash_parts, grids_of_small_numbers_collide_nowhere) {
    std::set<std::uint64_t> of_pairs;
    std::set<std::uint64_t> low_bits;
    for (int x = 0; x < 100; ++x) {
        for (int y = 0; y < 100; ++y) {
            of_pairs.insert(hash_of(std::pair(x, y)));
            low_bits.insert(hash_of(place{x, y}) & 0xFFFF);
        }
    }
    EXPECT_EQ(of_pairs.size(), 10'000U);
    EXPECT_GT(low_bits.size(), 9'000U); // 9,273 of 10,000 thrown into 65,536 on average
}

} // namespace test
