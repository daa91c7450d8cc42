// Keys chosen against the table cost at most twice what random keys cost, in lines looked through and keys compared.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "attacks/counting.hpp"
#include "attacks/keys.hpp"
#include "support/scale.hpp"

namespace test::attacks {
namespace {

constexpr std::size_t million = 1'000'000;

/// A million keys in one map of a full run; else 100,000.
std::size_t many() { return std::min(million, scaled(100'000)); }

/// Inserts `count` keys, and looks for each, and for as many that are not there: steps per operation.
template <class Map, class Key>
double cost(const family<Key>& keys, std::size_t count) {
    Map map;
    counters::reset();
    for (std::size_t i = 0; i < count; ++i) map.store(keys.key(i), i);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) wrong += map.load(keys.key(i)) != i;
    for (std::size_t i = count; i < 2 * count; ++i) wrong += map.contains(keys.key(i));
    EXPECT_EQ(wrong, 0U) << keys.name;
    EXPECT_EQ(map.size(), count) << keys.name;
    return static_cast<double>(counters::both()) / static_cast<double>(3 * count);
}

struct ratios {
    double mean = 0;
    double median = 0;
    double worst = 0;
};
/// Over maps of several seeds.
template <class Map, class Key>
ratios against_random(const family<Key>& keys, const family<Key>& random, std::size_t count, std::size_t maps) {
    const double usual = cost<Map>(random, count);
    std::vector<double> all;
    ratios r;
    for (std::size_t i = 0; i < maps; ++i) all.push_back(cost<Map>(keys, count) / usual);
    std::sort(all.begin(), all.end());
    for (const double one : all) r.mean += one / static_cast<double>(maps);
    r.median = all[all.size() / 2];
    r.worst = all.back();
    return r;
}

template <class Map, class Families, class Key>
void attack(const char* which, const Families& families, const family<Key>& random, std::size_t count, std::size_t maps) {
    for (const family<Key>& keys : families) {
        const ratios r = against_random<Map>(keys, random, count, maps);
        std::printf("%s, %zu keys, %zu maps, %s: %.2f of random keys (median %.2f, worst map %.2f)\n", which, count, maps,
                    keys.name, r.mean, r.median, r.worst);
        EXPECT_LE(r.mean, 2.0) << keys.name;
    }
}

} // namespace

TEST(chosen_keys, of_integers_cost_no_more_than_twice) {
    attack<inline_map>("integers", integer_families, random_integers, many(), 3);
    attack<inline_map>("integers", integer_families, random_integers, 2000, 40);
}

TEST(chosen_keys, of_texts_cost_no_more_than_twice) {
    attack<text_map>("texts", text_families, random_texts, many() / (many() == million ? 1 : 4), 1);
    attack<text_map>("texts", text_families, random_texts, 1000, 10);
}

TEST(chosen_keys, of_texts_cost_no_more_than_twice_behind_a_lock) {
    attack<locked_text_map>("texts behind a lock", text_families, random_texts, many() / 4, 1);
}

/// Each family of texts is what its name says: distinct, and a family of collisions collides where it should.
TEST(chosen_keys, are_what_they_are_taken_for) {
    for (const family<std::string>& keys : text_families) {
        std::unordered_set<std::string> seen;
        for (std::uint64_t i = 0; i < 5000; ++i) EXPECT_TRUE(seen.insert(keys.key(i)).second) << keys.name;
    }
#if defined(__GLIBCXX__) && defined(__x86_64__)
    EXPECT_EQ(std::hash<std::string>{}(murmur(0)), std::hash<std::string>{}(murmur(12'345)));
#endif
    const auto by_31 = [](const std::string& s) {
        std::uint32_t h = 0;
        for (const char c : s) h = 31 * h + static_cast<unsigned char>(c);
        return h;
    };
    EXPECT_EQ(by_31(java(0)), by_31(java(54'321)));
    const auto crc32c = [](const std::string& s) {
        std::uint32_t r = 0xFFFFFFFFU;
        for (const char c : s) {
            r ^= static_cast<unsigned char>(c);
            for (int bit = 0; bit < 8; ++bit) r = r >> 1 ^ (0x82F63B78U & (0U - (r & 1U)));
        }
        return r;
    };
    EXPECT_EQ(crc32c(crc(0)), crc32c(crc(777'777)));
}

/// No two texts of a family have one hash of 64 bits, whatever the seed.
TEST(chosen_keys, of_texts_do_not_collide_in_whole_hashes) {
    const syncmap::hash<std::string> hash;
    for (int s = 0; s < 8; ++s) {
        const syncmap::hash_seed seed{counted::random_word(), counted::random_word() | 1};
        for (const family<std::string>& keys : text_families) {
            std::unordered_set<std::uint64_t> seen;
            for (std::uint64_t i = 0; i < 2000; ++i) EXPECT_TRUE(seen.insert(hash(keys.key(i), seed)).second) << keys.name;
        }
    }
}

/// Texts of wider characters, which std::hash takes with a known seed.
TEST(chosen_keys, of_wide_texts_do_not_collide) {
    const auto widened = [](const std::string& s) {
        std::u16string wide(s.size() / 2, u'\0');
        std::memcpy(wide.data(), s.data(), s.size());
        return wide;
    };
    ASSERT_NE(widened(murmur(1)), widened(murmur(2)));
    const syncmap::hash_seed seed{counted::random_word(), counted::random_word() | 1};
    EXPECT_NE(syncmap::hash<std::u16string>{}(widened(murmur(1)), seed),
              syncmap::hash<std::u16string>{}(widened(murmur(2)), seed));
}

} // namespace test::attacks
