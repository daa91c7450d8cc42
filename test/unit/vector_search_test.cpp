// Looking through a line with vector instructions gives what a look slot by slot gives.
#include <atomic>
#include <cstdint>

#include <gtest/gtest.h>

#include <syncmap/sync/vector_search.hpp>

#if defined(__x86_64__)

namespace {

using syncmap::sync::vector_search::copy_pairs;
using syncmap::sync::vector_search::find_pair;
using syncmap::sync::vector_search::match_pair_tags;
using syncmap::sync::vector_search::match_pairs;
using syncmap::sync::vector_search::match_tags;

struct alignas(64) line {
    std::uint64_t words[8];
};

TEST(vector_search, finds_the_value_beside_a_key_in_every_slot) {
    const line l{{10, 1, 20, 2, 30, 3, 40, 4}};
    for (std::uint64_t i = 0; i < 4; ++i) {
        std::uint64_t value = 0;
        EXPECT_TRUE(find_pair(l.words, 10 * (i + 1), value));
        EXPECT_EQ(value, i + 1);
        EXPECT_EQ(match_pairs(l.words, 10 * (i + 1)), 1U << i);
    }
    std::uint64_t value = 0;
    EXPECT_FALSE(find_pair(l.words, 1, value)) << "a value is no key";
    EXPECT_EQ(match_pairs(l.words, 1), 0U);
}

TEST(vector_search, takes_one_value_of_a_key_that_it_sees_twice) {
    // As when the key is erased in one slot and inserted in a later one between two loads.
    for (std::size_t first = 0; first < 4; ++first) {
        for (std::size_t second = first + 1; second < 4; ++second) {
            line l{};
            l.words[2 * first] = l.words[2 * second] = 7;
            l.words[2 * first + 1] = 5;
            l.words[2 * second + 1] = 9;
            std::uint64_t value = 0;
            EXPECT_TRUE(find_pair(l.words, 7, value));
            EXPECT_EQ(value, 5U) << first << " and " << second;
        }
    }
}

TEST(vector_search, tells_words_apart_that_share_a_half) {
    const std::uint64_t high = std::uint64_t{1} << 32;
    const line l{{high, 1, 1, 2, high | 1, 3, 0, 4}};
    std::uint64_t value = 0;
    EXPECT_TRUE(find_pair(l.words, high | 1, value));
    EXPECT_EQ(value, 3U);
    EXPECT_FALSE(find_pair(l.words, high | 2, value));
}

TEST(vector_search, takes_no_halves_of_key_and_value_for_a_key) {
    const std::uint64_t low = 5;
    const std::uint64_t high = std::uint64_t{9} << 32;
    const std::uint64_t wanted = high | low;
    // The upper half is the key's, the lower one stands beside it: in the value, and in the next pair's key.
    const line l{{high, low, low, high, high, wanted, low, wanted}};
    std::uint64_t value = 0;
    EXPECT_FALSE(find_pair(l.words, wanted, value));
    EXPECT_EQ(match_pairs(l.words, wanted), 0U);
}

constexpr std::uint64_t sentinel = ~std::uint64_t{1};

TEST(vector_search, copies_the_pairs_that_have_a_key_in_their_order) {
    for (unsigned used = 0; used != 16; ++used) {
        line l{{0, 91, 0, 92, 0, 93, 0, 94}};
        line expected{};
        std::size_t count = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            if ((used >> i & 1) == 0) continue;
            l.words[2 * i] = expected.words[2 * count] = 10 + i;
            expected.words[2 * count++ + 1] = l.words[2 * i + 1];
        }
        line copy{};
        ASSERT_EQ(copy_pairs(l.words, sentinel, copy.words), copy.words + 2 * count) << used;
        for (std::size_t i = 0; i < 2 * count; ++i) EXPECT_EQ(copy.words[i], expected.words[i]) << used;
    }
}

TEST(vector_search, copies_no_line_with_a_key_twice) {
    for (std::size_t first = 0; first < 4; ++first) {
        for (std::size_t second = first + 1; second < 4; ++second) {
            for (const bool others : {false, true}) {
                line l{};
                if (others) l = {{1, 0, 2, 0, 3, 0, 4, 0}};
                l.words[2 * first] = l.words[2 * second] = 7;
                line copy{};
                EXPECT_EQ(copy_pairs(l.words, sentinel, copy.words), nullptr) << first << " and " << second;
            }
        }
    }
    const line equal_values{{1, 5, 2, 5, 3, 5, 4, 5}};
    line copy{};
    EXPECT_NE(copy_pairs(equal_values.words, sentinel, copy.words), nullptr);
}

TEST(vector_search, copies_no_line_that_ends_with_a_sentinel) {
    line l{{1, 0, 2, 0, 3, 0, sentinel, 0}};
    line copy{};
    EXPECT_EQ(copy_pairs(l.words, sentinel, copy.words), nullptr);
    l.words[6] = sentinel + 1;
    EXPECT_EQ(copy_pairs(l.words, sentinel, copy.words), nullptr);
    l.words[6] = sentinel - 1;
    EXPECT_EQ(copy_pairs(l.words, sentinel, copy.words), copy.words + 8);
}

TEST(vector_search, matches_the_upper_sixteen_bits_only) {
    const std::uint64_t tag = 0xBEEF;
    const line l{{tag << 48 | 16, tag, 0, tag << 48 | 32, tag << 32, 0, (tag ^ 1) << 48, tag << 48}};
    EXPECT_EQ(match_tags(l.words, tag), 0b10001001U);
    EXPECT_EQ(match_pair_tags(l.words, tag), 0b0001U);
}

} // namespace

#endif
