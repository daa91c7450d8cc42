// Time in a cache: its clocks, and entries that expire.
#include <chrono>

#include <syncmap/cache.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;

static_assert(syncmap::cache_clock<std::chrono::steady_clock>);
static_assert(syncmap::cache_clock<syncmap::coarse_clock>);
static_assert(syncmap::cache_clock<syncmap::manual_clock>);

TEST(cache_clocks, the_coarse_clock_follows_the_steady_one) {
    const auto time_of = [](auto now) { return std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()); };
    const auto before = time_of(std::chrono::steady_clock::now());
    const auto coarse = time_of(syncmap::coarse_clock::now());
    const auto after = time_of(std::chrono::steady_clock::now());
    EXPECT_LE(coarse, after);
    EXPECT_GE(coarse, before - 1s) << "a tick is a few milliseconds";
}

TEST(cache_clocks, copies_of_a_manual_clock_share_its_time) {
    syncmap::manual_clock one;
    const syncmap::manual_clock other = one;
    one.advance(5s);
    EXPECT_EQ(other.now().time_since_epoch(), 5s);
    one.advance(-2s);
    EXPECT_EQ(other.now().time_since_epoch(), 3s);
    one.set(syncmap::manual_clock::time_point(1h));
    EXPECT_EQ(other.now().time_since_epoch(), 1h);
    EXPECT_EQ(syncmap::manual_clock().now().time_since_epoch(), 0s);
}

} // namespace
