// What a cache counts: removals by their reason, how long loads take; and the text that Prometheus reads.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include <syncmap/cache.hpp>
#include <syncmap/cache/prometheus.hpp>

#include <gtest/gtest.h>

#include "support/counted_resource.hpp"

namespace {

using measured_cache = syncmap::cache<int, int, syncmap::hash<int>, std::equal_to<>, syncmap::manual_clock>;

TEST(cache_statistics, count_removals_by_their_reason) {
    syncmap::cache<int, int> c({.capacity = 10});
    for (int i = 0; i < 30; ++i) c.put(i, i);
    c.put(29, 1);
    c.replace(29, 2);
    c.update(29, [](const int*) { return 3; });
    EXPECT_TRUE(c.invalidate(29));
    EXPECT_FALSE(c.invalidate(29));
    c.put(29, 4);
    EXPECT_EQ(c.take(29), 4);
    c.put(29, 5);
    c.update(29, [](const int*) { return std::optional<int>(); });
    c.update(29, [](const int*) { return syncmap::keep; });
    const auto before = c.stats();
    EXPECT_EQ(before.entries, c.size());
    c.invalidate_all();
    EXPECT_EQ(c.stats().entries, 0U);
    c.flush();
    const auto now = c.stats();
    EXPECT_EQ(now.inserts, 32U);
    EXPECT_EQ(now.evictions, 20U);
    EXPECT_EQ(now.replaced, 3U);
    EXPECT_EQ(now.erased, 3U);
    EXPECT_EQ(now.invalidated, before.entries);
    EXPECT_EQ(now.inserts, now.evictions + now.erased + now.invalidated);
    EXPECT_EQ(now.entries, 0U);
    EXPECT_EQ(now.capacity, 10U);
}

TEST(cache_statistics, measure_loads) {
    using namespace std::chrono_literals;
    syncmap::manual_clock clock;
    measured_cache c({.capacity = 10, .clock = clock});
    const auto load = [&](int key, std::chrono::nanoseconds time) {
        return c.get_or_load(key, [&] {
            clock.advance(time);
            return key;
        });
    };
    load(1, 999ns);
    load(2, 1us);
    load(3, 3us);
    load(3, 1h); // a hit
    load(4, 2h); // longer than all but the last range
    EXPECT_THROW(static_cast<void>(c.get_or_load(5,
                                                 [&]() -> int {
                                                     clock.advance(3us);
                                                     throw std::runtime_error("no");
                                                 })),
                 std::runtime_error);
    const auto now = c.stats();
    EXPECT_EQ(now.loads, 4U);
    EXPECT_EQ(now.failed_loads, 1U);
    EXPECT_EQ(now.load_times[0], 1U);
    EXPECT_EQ(now.load_times[1], 1U);
    EXPECT_EQ(now.load_times[2], 2U);
    EXPECT_EQ(now.load_times[31], 1U);
    EXPECT_EQ(now.load_nanoseconds, 999U + 7000U + 7'200'000'000'000U);

    measured_cache silent({.capacity = 10, .clock = clock, .statistics = false});
    EXPECT_EQ(silent.get_or_load(1,
                                 [&] {
                                     clock.advance(1us);
                                     return 1;
                                 }),
              1);
    EXPECT_EQ(silent.stats().load_nanoseconds, 0U);
}

TEST(cache_statistics, are_text_for_prometheus) {
    syncmap::cache_stats a;
    a.hits = 12;
    a.evictions = 3;
    a.load_times[0] = 1;
    a.load_times[2] = 2;
    a.load_times[31] = 1;
    a.load_nanoseconds = 1'500'000'000;
    const std::string one = syncmap::prometheus("a \"b\"\\\n", a);
    EXPECT_NE(one.find("# TYPE syncmap_cache_hits_total counter\nsyncmap_cache_hits_total{cache=\"a \\\"b\\\"\\\\\\n\"} 12\n"),
              std::string::npos)
        << one;
    EXPECT_NE(one.find("removals_total{cache=\"a \\\"b\\\"\\\\\\n\",reason=\"size\"} 3\n"), std::string::npos) << one;

    const std::string two = syncmap::prometheus({{"a", a}, {"b", syncmap::cache_stats{}}});
    const auto holds = [&](const std::string& line) { return two.find(line + '\n') != std::string::npos; };
    EXPECT_TRUE(holds("# TYPE syncmap_cache_load_duration_seconds histogram"));
    EXPECT_TRUE(holds("syncmap_cache_load_duration_seconds_bucket{cache=\"a\",le=\"1e-06\"} 1"));
    EXPECT_TRUE(holds("syncmap_cache_load_duration_seconds_bucket{cache=\"a\",le=\"2e-06\"} 1"));
    EXPECT_TRUE(holds("syncmap_cache_load_duration_seconds_bucket{cache=\"a\",le=\"4e-06\"} 3"));
    EXPECT_TRUE(holds("syncmap_cache_load_duration_seconds_bucket{cache=\"a\",le=\"+Inf\"} 4"));
    EXPECT_TRUE(holds("syncmap_cache_load_duration_seconds_sum{cache=\"a\"} 1.5"));
    EXPECT_TRUE(holds("syncmap_cache_load_duration_seconds_count{cache=\"a\"} 4"));
    EXPECT_TRUE(holds("syncmap_cache_hits_total{cache=\"a\"} 12\nsyncmap_cache_hits_total{cache=\"b\"} 0"));
    std::size_t heads = 0;
    for (std::size_t at = two.find("# TYPE"); at != std::string::npos; at = two.find("# TYPE", at + 1)) ++heads;
    EXPECT_EQ(heads, 12U); // each metric once
    if (testing::Test::HasFailure()) std::fputs(two.c_str(), stderr);
}

// ---- bytes_used ----

void expect_same_bytes(std::size_t told, const test::counted_resource& memory, const char* when) {
    EXPECT_GE(static_cast<double>(told), 0.95 * static_cast<double>(memory.bytes())) << when;
    EXPECT_LE(static_cast<double>(told), 1.05 * static_cast<double>(memory.bytes())) << when;
}

TEST(cache_bytes_used, is_what_the_allocator_counts) {
    test::counted_resource memory;
    syncmap::pmr::cache<int, int> c({.capacity = 50'000}, &memory);
    expect_same_bytes(c.bytes_used(), memory, "empty");
    for (int i = 0; i < 10'000; ++i) c.put(i, i);
    expect_same_bytes(c.bytes_used(), memory, "while it grows");
    c.invalidate_all();
    expect_same_bytes(c.bytes_used(), memory, "cleared");
    c.flush();
    expect_same_bytes(c.bytes_used(), memory, "taken apart");
    for (int i = 0; i < 120'000; ++i) {
        if (i % 2 == 0)
            c.put(i, i);
        else
            c.put(i, i, {.ttl = std::chrono::hours(1)}); // with times in front of the node
    }
    expect_same_bytes(c.bytes_used(), memory, "full");
}

TEST(cache_bytes_used, counts_what_values_own) {
    test::counted_resource memory;
    syncmap::pmr::cache<int, std::pmr::string> c({.capacity = 20'000}, &memory);
    std::uint64_t draw = 1;
    for (int i = 0; i < 30'000; ++i) {
        draw = draw * 6364136223846793005 + 1442695040888963407;
        c.put(i, std::pmr::string(20 + (draw >> 33) % 500, 'x', &memory));
    }
    expect_same_bytes(c.bytes_used(), memory, "strings");
    c.set_capacity(1'000);
    c.flush();
    expect_same_bytes(c.bytes_used(), memory, "with a smaller capacity");
}

} // namespace
