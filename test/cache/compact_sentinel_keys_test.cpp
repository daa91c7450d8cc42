// Keys whose values mean something else in a slot: they lie in a bucket of their own, and are found and evicted as others.
#include <cstddef>
#include <cstdint>

#include <syncmap/compact_cache.hpp>

#include <gtest/gtest.h>

namespace test {
namespace {

using compact_cache = syncmap::compact_cache<std::uint64_t, std::uint32_t>;

constexpr std::uint64_t sentinel_keys[] = {0, ~std::uint64_t{0}, ~std::uint64_t{1}};

TEST(compact_cache_sentinel_keys, are_evicted_as_others) {
    for (const std::size_t capacity : {1U, 2U, 10U}) {
        compact_cache cache({.capacity = capacity});
        std::uint32_t number = 0;
        for (std::uint64_t round = 1; round != 200; ++round) {
            for (const std::uint64_t key : {sentinel_keys[0], round, sentinel_keys[1], sentinel_keys[2], round + 1'000}) {
                ASSERT_TRUE(cache.put(key, ++number));
                ASSERT_EQ(cache.get(key), number) << key << ": a put does not evict its own entry";
                ASSERT_LE(cache.size(), capacity);
            }
        }
        EXPECT_EQ(cache.size(), capacity);
        EXPECT_GT(cache.stats().evictions, 0U);
    }
}

TEST(compact_cache_sentinel_keys, leave_the_main_queue_as_others) {
    compact_cache cache({.capacity = 4});
    const auto put_and_use = [&](std::uint64_t key) {
        cache.put(key, 1);
        for (unsigned i = 0; i != 3; ++i) static_cast<void>(cache.get(key)); // main, when it leaves the small queue
    };
    for (const std::uint64_t key : sentinel_keys) put_and_use(key);
    for (std::uint64_t key = 1; key != 100; ++key) put_and_use(key);
    for (const std::uint64_t key : sentinel_keys) EXPECT_FALSE(cache.contains(key)) << key;
}

TEST(compact_cache_sentinel_keys, fill_a_cache_alone) {
    compact_cache cache({.capacity = 1});
    for (std::uint32_t round = 0; round != 100; ++round) {
        const std::uint64_t key = sentinel_keys[round % 3];
        ASSERT_TRUE(cache.put(key, round));
        ASSERT_EQ(cache.get(key), round);
        ASSERT_EQ(cache.size(), 1U);
    }
    EXPECT_TRUE(cache.invalidate(sentinel_keys[0]));
    EXPECT_EQ(cache.size(), 0U);
    EXPECT_EQ(cache.get_or_load(0, [] { return 5U; }), 5U);
    cache.invalidate_all();
    EXPECT_FALSE(cache.contains(0));
    EXPECT_TRUE(cache.put(1, 1));
    EXPECT_TRUE(cache.put(0, 2));
    EXPECT_EQ(cache.get(0), 2U);
}

} // namespace
} // namespace test
