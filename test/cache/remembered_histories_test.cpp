// Histories of real threads that use a cache which remembers what loads did not bring: each has an order. And the checker can
// say no.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <syncmap/cache.hpp>

#include <gtest/gtest.h>

#include "cache/history.hpp"
#include "linearizability/clock.hpp"
#include "support/threads.hpp"

namespace test::remembered_histories {

using content = key_content;
using remembering_cache = syncmap::cache<int, int, syncmap::hash<int>, std::equal_to<>, syncmap::manual_clock>;
using calls = std::vector<cache_call>;

constexpr content nothing{content::nothing};
constexpr content value(std::uint32_t number) { return {content::value, number}; }
constexpr content error(std::uint32_t number) { return {content::error, number}; }

/// Thrown by its address. The thread that lets go of an exception last frees it, in the language's library, where the thread
/// sanitizer does not see that the others have read it before.
struct source_failure {
    std::uint32_t number = 0;
};

/// A loader that brings what it is told to, in a while, and notes when it was called.
struct recorded_source {
    linearizability::common_clock& clock;
    content brings;
    const source_failure& failure;
    std::optional<std::uint64_t> began{};
    std::optional<int> operator()() {
        began = clock.start();
        std::this_thread::yield();
        if (brings.kind == content::error) throw &failure;
        if (brings.kind == content::nothing) return std::nullopt;
        return static_cast<int>(brings.number);
    }
};

/// What four threads ask at once. `invalidate`: calls that of the cache.
class recorded_threads {
public:
    static constexpr std::size_t threads = 4;
    using invalidation = std::function<bool(remembering_cache&, int)>;

    recorded_threads(std::size_t capacity, std::uint32_t keys, std::size_t calls_of_each)
        : cache_({.capacity = capacity,
                  .negative_ttl = std::chrono::minutes(1),
                  .error_ttl = std::chrono::minutes(1),
                  .clock = time_}),
          keys_(keys), calls_of_each_(calls_of_each), failures_(threads * (calls_of_each + 1)) {
        for (std::size_t i = 0; i != failures_.size(); ++i) failures_[i].number = static_cast<std::uint32_t>(i);
    }

    calls record(const invalidation& invalidate) {
        std::vector<calls> of_thread(threads);
        together(threads, [&](std::size_t thread) {
            random chance(thread + 1);
            calls& mine = of_thread[thread];
            mine.reserve(calls_of_each_);
            while (mine.size() != calls_of_each_) {
                cache_call c{.thread = static_cast<std::uint8_t>(thread),
                             .key = static_cast<std::uint32_t>(chance.below(keys_))};
                const auto number = static_cast<std::uint32_t>(mine.size() * threads + thread + 1);
                ask(c, number, chance, invalidate);
                mine.push_back(c);
            }
        });
        calls all;
        for (const calls& each : of_thread) all.insert(all.end(), each.begin(), each.end());
        return all;
    }
    syncmap::cache_stats stats() const { return cache_.stats(); }

private:
    void ask(cache_call& c, std::uint32_t number, random& chance, const invalidation& invalidate) {
        const int key = static_cast<int>(c.key);
        const std::uint64_t which = chance.below(32);
        c.what = which < 9    ? asked::get
                 : which < 25 ? asked::get_or_load
                 : which < 27 ? asked::put
                 : which < 30 ? asked::invalidate
                 : which < 31 ? asked::invalidate_all
                              : asked::tick;
        const content brought = chance.below(3) == 0 ? value(number) : chance.below(2) == 0 ? nothing : error(number);
        recorded_source source{clock_, brought, failures_[number]};
        std::optional<int> found;
        c.invoked = clock_.start();
        switch (c.what) {
        case asked::get: found = cache_.get(key); break;
        case asked::get_or_load:
            c.shown = nothing;
            try {
                found = cache_.get_or_load(key, source);
            } catch (const source_failure* e) {
                c.shown = error(e->number);
            }
            break;
        case asked::put: cache_.put(key, static_cast<int>(number)); break;
        case asked::invalidate: c.answer = invalidate(cache_, key); break;
        case asked::invalidate_all: cache_.invalidate_all(); break;
        case asked::tick: time_.advance(std::chrono::hours(1)); break;
        }
        c.responded = clock_.end();
        c.began = source.began;
        if (c.what == asked::put) c.shown = value(number);
        if (found) c.shown = value(static_cast<std::uint32_t>(*found));
    }

    syncmap::manual_clock time_{};
    remembering_cache cache_;
    linearizability::common_clock clock_{};
    const std::uint32_t keys_;
    const std::size_t calls_of_each_;
    std::vector<source_failure> failures_;
};

bool invalidate_right(remembering_cache& c, int key) { return c.invalidate(key); }

TEST(cache_histories, with_remembered_outcomes_have_an_order) {
    recorded_threads recorded(100, 2, 1'500);
    EXPECT_EQ(trouble_of(recorded.record(invalidate_right), 2, false), "");
    EXPECT_GT(recorded.stats().remembered, 0U);
    EXPECT_EQ(recorded.stats().evictions, 0U);
}

TEST(cache_histories, with_evictions_and_remembered_outcomes_have_an_order) {
    recorded_threads recorded(2, 4, 1'500);
    EXPECT_EQ(trouble_of(recorded.record(invalidate_right), 4, true), "");
    EXPECT_GT(recorded.stats().evictions, 0U);
}

TEST(cache_histories, show_an_invalidate_that_leaves_what_is_remembered) {
    recorded_threads recorded(100, 2, 1'500);
    const calls all = recorded.record([](remembering_cache& c, int key) { return c.contains(key) && c.invalidate(key); });
    EXPECT_NE(trouble_of(all, 2, false), "");
}

// ---- the checker: the same history by hand, right and wrong ----

cache_call load(content shown, std::uint64_t invoked, std::uint64_t responded, std::optional<std::uint64_t> began = {}) {
    return {.what = asked::get_or_load, .shown = shown, .began = began, .invoked = invoked, .responded = responded};
}
cache_call call(asked what, std::uint64_t invoked, std::uint64_t responded, content shown = {}) {
    return {.what = what, .shown = shown, .invoked = invoked, .responded = responded};
}
bool has_order(const calls& all, bool evicts = false) { return trouble_of(all, 1, evicts).empty(); }

TEST(cache_histories, are_refused_where_a_remembered_outcome_outlives_a_write) {
    for (const content outcome : {nothing, error(7)}) {
        for (const bool evicts : {false, true}) {
            for (const cache_call& end : {call(asked::invalidate, 30, 40), call(asked::invalidate_all, 30, 40),
                                          call(asked::put, 30, 40, value(1)), call(asked::tick, 30, 40)}) {
                const cache_call first = load(outcome, 10, 20, 11);
                EXPECT_TRUE(has_order({first, load(outcome, 25, 50), end}, evicts)) << "it may come before the write";
                EXPECT_FALSE(has_order({first, end, load(outcome, 45, 50)}, evicts)) << text_of(end);
                EXPECT_EQ(has_order({first, end, load(outcome, 45, 50, 46)}, evicts), evicts || end.what != asked::put)
                    << "a load of its own, unless there is a value";
            }
        }
    }
}

TEST(cache_histories, are_refused_where_a_load_that_was_beaten_is_remembered) {
    const cache_call beaten = load(nothing, 10, 60, 11);
    const cache_call write = call(asked::invalidate, 20, 30);
    EXPECT_TRUE(has_order({beaten, write, load(nothing, 15, 60)})) << "a call from before the write shares it";
    EXPECT_FALSE(has_order({beaten, write, load(nothing, 40, 50)})) << "a call from after it does not";
    EXPECT_FALSE(has_order({beaten, write, load(nothing, 70, 80)}));
    EXPECT_TRUE(has_order({load(nothing, 10, 60, 21), write, load(nothing, 70, 80)})) << "its loader began later";
}

TEST(cache_histories, are_refused_where_an_outcome_is_of_no_load_or_hides_a_value) {
    EXPECT_FALSE(has_order({load(nothing, 10, 20)}));
    EXPECT_FALSE(has_order({load(error(1), 10, 20, 11), load(error(2), 30, 40)}));
    EXPECT_TRUE(has_order({load(error(1), 10, 20, 11), call(asked::get, 30, 40), load(error(1), 50, 60)}));
    const cache_call stored = call(asked::put, 10, 20, value(1));
    EXPECT_FALSE(has_order({stored, call(asked::get, 30, 40)}));
    EXPECT_TRUE(has_order({stored, call(asked::get, 30, 40)}, true)) << "it was evicted";
    EXPECT_FALSE(has_order({stored, call(asked::get, 30, 40), call(asked::get, 50, 60, value(1))}, true)) << "for good";
}

} // namespace test::remembered_histories
