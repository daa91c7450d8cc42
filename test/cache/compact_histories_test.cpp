// Histories of real threads that use a compact cache: each has an order. And a fault of the cache would be seen.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <syncmap/compact_cache.hpp>

#include <gtest/gtest.h>

#include "cache/history.hpp"
#include "linearizability/clock.hpp"
#include "support/threads.hpp"

namespace test::compact_histories {

using compact_cache = syncmap::compact_cache<std::uint64_t, std::uint32_t>;
using calls = std::vector<cache_call>;
using invalidation = std::function<bool(compact_cache&, std::uint64_t)>;

constexpr key_content value(std::uint32_t number) { return {key_content::value, number}; }

/// What four threads ask at once, of keys from 0 on: 0 is one that has a slot of its own.
class recorded_threads {
public:
    static constexpr std::size_t threads = 4;

    recorded_threads(std::size_t capacity, std::uint32_t keys, std::size_t calls_of_each)
        : cache_({.capacity = capacity}), capacity_(capacity), keys_(keys), calls_of_each_(calls_of_each) {}

    /// `invalidate`: calls that of the cache.
    calls record(const invalidation& invalidate) {
        std::vector<calls> of_thread(threads);
        together(threads, [&](std::size_t thread) {
            random chance(thread + 1);
            calls& mine = of_thread[thread];
            mine.reserve(calls_of_each_);
            while (mine.size() != calls_of_each_) {
                cache_call c{.thread = static_cast<std::uint8_t>(thread),
                             .key = static_cast<std::uint32_t>(chance.below(keys_))};
                ask(c, static_cast<std::uint32_t>(mine.size() * threads + thread + 1), chance.below(32), invalidate);
                mine.push_back(c);
                if (cache_.size() > capacity_) has_exceeded_ = true;
            }
        });
        calls all;
        for (const calls& each : of_thread) all.insert(all.end(), each.begin(), each.end());
        return all;
    }
    const compact_cache& cache() const { return cache_; }
    bool has_exceeded() const { return has_exceeded_; }

private:
    void ask(cache_call& c, std::uint32_t number, std::uint64_t which, const invalidation& invalidate) {
        c.what = which < 10   ? asked::get
                 : which < 18 ? asked::get_or_load
                 : which < 26 ? asked::put
                 : which < 31 ? asked::invalidate
                              : asked::invalidate_all;
        std::optional<std::uint32_t> found;
        c.invoked = clock_.start();
        switch (c.what) {
        case asked::get: found = cache_.get(c.key); break;
        case asked::get_or_load:
            found = cache_.get_or_load(c.key, [&] {
                c.began = clock_.start();
                std::this_thread::yield();
                return number;
            });
            break;
        case asked::put: cache_.put(c.key, number); break;
        case asked::invalidate:
            if (which < 28) {
                c.answer = invalidate(cache_, c.key);
            } else {
                found = cache_.take(c.key);
                c.answer = found.has_value();
            }
            break;
        default: cache_.invalidate_all(); break;
        }
        c.responded = clock_.end();
        if (c.what == asked::put) c.shown = value(number);
        if (found) c.shown = value(*found);
    }

    compact_cache cache_;
    linearizability::common_clock clock_{};
    const std::size_t capacity_;
    const std::uint32_t keys_;
    const std::size_t calls_of_each_;
    std::atomic<bool> has_exceeded_{false};
};

bool invalidate_right(compact_cache& c, std::uint64_t key) { return c.invalidate(key); }

TEST(compact_cache_histories, have_an_order) {
    recorded_threads recorded(100, 2, 1'500);
    EXPECT_EQ(trouble_of(recorded.record(invalidate_right), 2, false), "");
    EXPECT_EQ(recorded.cache().stats().evictions, 0U);
    EXPECT_GT(recorded.cache().stats().loads, 0U);
}

TEST(compact_cache_histories, with_evictions_have_an_order) {
    for (const std::size_t capacity : {1U, 2U, 3U}) {
        recorded_threads recorded(capacity, 5, 1'500);
        EXPECT_EQ(trouble_of(recorded.record(invalidate_right), 5, true), "");
        EXPECT_GT(recorded.cache().stats().evictions, 0U);
        EXPECT_FALSE(recorded.has_exceeded());
    }
}

TEST(compact_cache_histories, show_an_invalidate_that_leaves_loads) {
    bool is_shown = false;
    for (int attempt = 0; attempt != 10 && !is_shown; ++attempt) { // one in a hundred shows nothing
        recorded_threads recorded(100, 2, 1'500);
        const calls all =
            recorded.record([](compact_cache& c, std::uint64_t key) { return c.contains(key) && c.invalidate(key); });
        is_shown = !trouble_of(all, 2, false).empty();
    }
    EXPECT_TRUE(is_shown);
}

TEST(compact_cache_histories, show_an_invalidate_that_leaves_the_value) {
    recorded_threads recorded(2, 4, 1'500);
    const calls all = recorded.record([](compact_cache& c, std::uint64_t key) { return c.contains(key); });
    EXPECT_NE(trouble_of(all, 4, true), "");
}

TEST(compact_cache_histories, are_refused_where_a_take_shows_another_value) {
    const cache_call put{.what = asked::put, .shown = value(1), .invoked = 10, .responded = 20};
    cache_call take{.what = asked::invalidate, .answer = true, .shown = value(1), .invoked = 30, .responded = 40};
    EXPECT_EQ(trouble_of(calls{put, take}, 1, true), "");
    take.shown = value(2);
    EXPECT_NE(trouble_of(calls{put, take}, 1, true), "");
}

} // namespace test::compact_histories
