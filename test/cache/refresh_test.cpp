// Renewal of cache entries: after a while, early by chance, on demand, and what happens where the loader fails. What the cache
// remembers of loads that brought no value.
#include <chrono>
#include <functional>
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;

using renewed_cache = syncmap::cache<std::string, int, syncmap::hash<std::string>, std::equal_to<>, syncmap::manual_clock>;
using renewed_options = renewed_cache::options_type;

/// A loader that counts its calls, and fails or finds nothing when told to.
struct version_source {
    int version = 0;
    bool fails = false;
    bool finds_nothing = false;
    std::function<void()> before{};
    std::optional<int> operator()(const std::string&) {
        ++version;
        if (before) before();
        if (fails) throw std::runtime_error("no connection");
        if (finds_nothing) return std::nullopt;
        return version;
    }
};

TEST(cache_refresh, renews_an_entry_that_is_found_after_a_while) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .expire_after_write = 100s, .refresh_after_write = 10s, .clock = clock});
    version_source from;
    EXPECT_EQ(c.get_or_load("a", from), 1);
    clock.advance(9s);
    EXPECT_EQ(c.get_or_load("a", from), 1);
    clock.advance(1s);
    EXPECT_EQ(c.get("a"), 1) << "get never loads";
    EXPECT_EQ(c.get_or_load("a", from), 2);
    EXPECT_EQ(c.get("a"), 2);
    clock.advance(9s);
    EXPECT_EQ(c.pin_or_load("a", from).value(), 2);
    clock.advance(1s);
    EXPECT_EQ(c.pin_or_load("a", from).value(), 3);
    EXPECT_EQ(c.stats().misses, 1U);
    EXPECT_EQ(c.stats().loads, 3U);
    EXPECT_EQ(c.size(), 1U);
    clock.advance(99s);
    EXPECT_EQ(c.get("a"), 3) << "a renewed entry has a new lifetime";
    clock.advance(1s);
    EXPECT_EQ(c.get("a"), std::nullopt);
}

TEST(cache_refresh, shows_others_the_old_value_meanwhile) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .refresh_after_write = 10s, .clock = clock});
    c.put("a", 1);
    clock.advance(10s);
    std::latch loading(1);
    std::latch go_on(1);
    std::thread renews([&] {
        EXPECT_EQ(c.get_or_load("a",
                                [&] {
                                    loading.count_down();
                                    go_on.wait();
                                    return 2;
                                }),
                  2);
    });
    loading.wait();
    const auto not_called = [] {
        ADD_FAILURE();
        return 0;
    };
    EXPECT_EQ(c.get_or_load("a", not_called), 1) << "one thread renews; this one does not wait";
    EXPECT_EQ(c.get("a"), 1);
    EXPECT_FALSE(c.refresh("a", not_called));
    go_on.count_down();
    renews.join();
    EXPECT_EQ(c.get("a"), 2);
}

TEST(cache_refresh, shares_what_it_brings_with_calls_that_wait) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .expire_after_write = 100s, .refresh_after_write = 10s, .clock = clock});
    const auto beside = [&](auto loads_meanwhile, auto waits) {
        std::latch loading(1);
        std::latch go_on(1);
        std::thread loads([&] {
            loads_meanwhile([&] {
                loading.count_down();
                go_on.wait();
                return 2;
            });
        });
        loading.wait();
        std::thread goes_on([&] {
            std::this_thread::sleep_for(20ms); // the other call waits by then; if not, it finds the value
            go_on.count_down();
        });
        waits();
        goes_on.join();
        loads.join();
    };
    const auto finds_nothing = [] { return std::optional<int>(); };
    beside([&](auto f) { EXPECT_TRUE(c.refresh("a", f)); }, [&] { EXPECT_EQ(c.get_or_load("a", finds_nothing), 2); });
    c.put("b", 1);
    clock.advance(11s);
    beside([&](auto f) { EXPECT_EQ(c.get_or_load("b", f), 2); },
           [&] {
               clock.advance(100s);
               EXPECT_EQ(c.get_or_load("b", finds_nothing), 2) << "the entry ends while it is renewed";
           });
}

TEST(cache_refresh, is_beaten_by_a_put_and_an_invalidation) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .refresh_after_write = 10s, .clock = clock});
    c.put("a", 1);
    c.put("b", 1);
    clock.advance(10s);
    EXPECT_EQ(c.get_or_load("a",
                            [&] {
                                c.put("a", 7);
                                return 2;
                            }),
              2);
    EXPECT_EQ(c.get("a"), 7);
    EXPECT_EQ(c.get_or_load("b",
                            [&] {
                                c.invalidate("b");
                                return 2;
                            }),
              2);
    EXPECT_EQ(c.get("b"), std::nullopt);
}

TEST(cache_refresh, removes_an_entry_for_which_the_loader_finds_nothing) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .refresh_after_write = 10s, .stale_if_error = 1h, .clock = clock});
    c.put("a", 1);
    clock.advance(10s);
    version_source from{.finds_nothing = true};
    EXPECT_EQ(c.get_or_load("a", from), std::nullopt);
    EXPECT_EQ(c.get("a"), std::nullopt);
    EXPECT_EQ(c.size(), 0U);
    for (int i = 0; i < 20; ++i) c.put(std::to_string(i), i);
    EXPECT_EQ(c.size(), 10U) << "its permit went back";
}

TEST(cache_refresh, gives_a_loader_that_asks_for_its_own_key_the_old_value) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .refresh_after_write = 10s, .clock = clock});
    c.put("a", 1);
    clock.advance(10s);
    EXPECT_EQ(c.get_or_load("a", [&] { return 10 * c.get_or_load("a", [] { return 5; }); }), 10);
    EXPECT_EQ(c.get("a"), 10);
    EXPECT_THROW(c.refresh("a",
                           [&] {
                               c.refresh("a", [] { return 5; });
                               return 6;
                           }),
                 syncmap::recursive_load);
}

TEST(cache_refresh, keeps_the_old_value_where_the_loader_fails_and_rests) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .refresh_after_write = 10s, .clock = clock});
    version_source from;
    EXPECT_EQ(c.get_or_load("a", from), 1);
    clock.advance(10s);
    from.fails = true;
    EXPECT_EQ(c.get_or_load("a", from), 1);
    EXPECT_EQ(from.version, 2);
    EXPECT_EQ(c.get_or_load("a", from), 1);
    EXPECT_EQ(from.version, 2) << "the next try is two milliseconds later";
    clock.advance(2ms + 2us);
    EXPECT_EQ(c.get_or_load("a", from), 1);
    EXPECT_EQ(from.version, 3);
    clock.advance(3ms);
    EXPECT_EQ(c.get_or_load("a", from), 1);
    EXPECT_EQ(from.version, 3) << "then four";
    clock.advance(2ms);
    EXPECT_EQ(c.get_or_load("a", from), 1);
    EXPECT_EQ(from.version, 4);
    for (int i = 0; i < 30; ++i) {
        clock.advance(10s);
        EXPECT_EQ(c.get_or_load("a", from), 1);
    }
    EXPECT_EQ(from.version, 34) << "it never rests longer than refresh_after_write, and always tries again";
    from.fails = false;
    clock.advance(10s);
    EXPECT_EQ(c.get_or_load("a", from), 35);
    EXPECT_EQ(c.stats().failed_loads, 33U);
}

TEST(cache_refresh, answers_after_its_end_where_the_loader_fails) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .expire_after_write = 10s, .stale_if_error = 60s, .clock = clock});
    version_source from;
    EXPECT_EQ(c.get_or_load("a", from), 1);
    clock.advance(10s);
    from.fails = true;
    EXPECT_EQ(c.get("a"), std::nullopt);
    EXPECT_EQ(c.get_or_load("a", from), 1) << "the loader throws: the old value";
    EXPECT_EQ(c.get("a"), std::nullopt) << "and no other operation shows it";
    EXPECT_EQ(c.pin_or_load("a", from).value(), 1);
    EXPECT_EQ(from.version, 2) << "it rests";
    clock.advance(1s);
    EXPECT_EQ(c.get_or_load("a", from), 1);
    EXPECT_EQ(from.version, 3);
    EXPECT_EQ(c.expire_now(), 0U) << "kept for that";
    clock.advance(59s);
    EXPECT_THROW(static_cast<void>(c.get_or_load("a", from)), std::runtime_error) << "not for ever";
    EXPECT_EQ(c.expire_now(), 1U);
    from.fails = false;
    EXPECT_EQ(c.get_or_load("a", from), 5);
    clock.advance(10s);
    from.fails = true;
    EXPECT_FALSE(c.invalidate("a"));
    EXPECT_THROW(static_cast<void>(c.get_or_load("a", from)), std::runtime_error) << "what was invalidated does not come back";
}

TEST(cache_refresh, does_not_answer_for_what_the_source_has_no_more) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .expire_after_write = 10s, .stale_if_error = 60s, .clock = clock});
    version_source from;
    EXPECT_EQ(c.get_or_load("a", from), 1);
    clock.advance(10s);
    from.finds_nothing = true;
    EXPECT_EQ(c.get_or_load("a", from), std::nullopt);
    from.fails = true;
    EXPECT_THROW(static_cast<void>(c.get_or_load("a", from)), std::runtime_error);
}

TEST(cache_refresh, loads_on_demand) {
    syncmap::manual_clock clock;
    int calls = 0;
    renewed_cache c({.capacity = 10, .load = [&](const std::string&) { return ++calls; }, .clock = clock});
    EXPECT_TRUE(c.refresh("a"));
    EXPECT_EQ(c.get("a"), 1);
    EXPECT_TRUE(c.refresh("a"));
    EXPECT_EQ(c.get("a"), 2);
    EXPECT_EQ(c.size(), 1U);
    EXPECT_THROW(c.refresh("a", []() -> int { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_EQ(c.get("a"), 2) << "the old entry stays";
    EXPECT_TRUE(c.refresh("a", [] { return std::optional<int>(); }));
    EXPECT_EQ(c.get("a"), std::nullopt);
    renewed_cache without({.capacity = 10, .clock = clock});
    EXPECT_THROW(without.refresh("a"), syncmap::no_loader);
}

TEST(cache_refresh, renews_early_by_chance) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .expire_after_write = 100s, .early_refresh = 1, .clock = clock});
    int calls = 0;
    const auto slow = [&] {
        clock.advance(1s);
        return ++calls;
    };
    static_cast<void>(c.get_or_load("a", slow));
    clock.advance(50s);
    for (int i = 0; i < 1'000; ++i) static_cast<void>(c.get_or_load("a", slow));
    EXPECT_EQ(calls, 1) << "the end is fifty loads away: never";
    clock.advance(47s);
    int hits = 0;
    while (calls == 1 && hits < 10'000) static_cast<void>(c.get_or_load("a", slow)), ++hits;
    EXPECT_EQ(calls, 2) << "three loads away: each hit with a chance of one in twenty";
    EXPECT_GT(hits, 1);
}

TEST(cache_refresh, draws_once_whether_a_hit_renews) {
    syncmap::manual_clock clock;
    syncmap::cache<int, int, syncmap::hash<int>, std::equal_to<>, syncmap::manual_clock> c(
        {.capacity = 10'000, .expire_after_write = 10s, .early_refresh = 1, .clock = clock});
    int loads = 0;
    const auto slow = [&] {
        clock.advance(1s);
        return ++loads;
    };
    constexpr int keys = 2'000;
    for (int key = 0; key < keys; ++key) {
        static_cast<void>(c.get_or_load(key, slow));
        clock.advance(9s);
        static_cast<void>(c.get_or_load(key, slow)); // one load away from the end: with a chance of 1/e
    }
    EXPECT_GT(loads - keys, keys / 4) << "two draws: one in seven";
    EXPECT_LT(loads - keys, keys / 2);
}

TEST(cache_refresh, does_not_answer_what_a_function_has_invalidated) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .expire_after_write = 10s, .stale_if_error = 60s, .clock = clock});
    c.put("a", 1);
    c.put("b", 2);
    clock.advance(11s);
    EXPECT_EQ(c.invalidate_if([](const std::string& key, int) { return key == "a"; }), 0U) << "it had expired";
    version_source from{.fails = true};
    EXPECT_THROW(static_cast<void>(c.get_or_load("a", from)), std::runtime_error);
    EXPECT_EQ(c.get_or_load("b", from), 2);
}

/// A loader of many keys that fails, finds nothing, or takes a while when told to.
struct many_source {
    syncmap::manual_clock clock;
    bool fails = false;
    bool finds_nothing = false;
    int calls = 0;
    std::vector<std::pair<std::string, int>> operator()(const std::vector<std::string>& keys) {
        ++calls;
        clock.advance(1s);
        if (fails) throw std::runtime_error("no connection");
        std::vector<std::pair<std::string, int>> found;
        for (const std::string& key : keys) {
            if (!finds_nothing) found.emplace_back(key, calls);
        }
        return found;
    }
};
renewed_options options_of(many_source& from) {
    return {.capacity = 10,
            .expire_after_write = 10s,
            .stale_if_error = 600s,
            .load_many = [&from](const std::vector<std::string>& keys) { return from(keys); },
            .clock = from.clock};
}

TEST(cache_refresh, answers_after_its_end_where_a_load_of_many_keys_fails) {
    for (const bool coalesces : {false, true}) {
        many_source from;
        renewed_options options = options_of(from);
        if (coalesces) options.coalesce = {.window = 1us};
        renewed_cache c(options);
        EXPECT_EQ(c.get_or_load("a"), 1);
        from.clock.advance(10s);
        from.fails = true;
        EXPECT_EQ(c.get_or_load("a"), 1);
        EXPECT_EQ(c.get_or_load("a"), 1);
        EXPECT_EQ(c.get_all_or_load({"a"})[0].value(), 1);
        EXPECT_EQ(from.calls, 2) << "it rests";
        from.clock.advance(10s);
        EXPECT_EQ(c.get_all_or_load({"a"})[0].value(), 1);
        EXPECT_EQ(from.calls, 3);
        EXPECT_THROW(static_cast<void>(c.get_all_or_load({"a", "b"})), std::runtime_error) << "nothing answers for b";
        from.fails = false;
        from.finds_nothing = true;
        from.clock.advance(60s);
        EXPECT_EQ(c.get_or_load("a"), std::nullopt);
        from.fails = true;
        EXPECT_THROW(static_cast<void>(c.get_or_load("a")), std::runtime_error) << "the source has it no more";
    }
}

TEST(cache_refresh, forgets_what_a_load_of_many_keys_does_not_find) {
    many_source from;
    renewed_cache c(options_of(from));
    c.put("a", 1);
    from.clock.advance(10s);
    from.finds_nothing = true;
    EXPECT_FALSE(c.get_all_or_load({"a"})[0]);
    EXPECT_EQ(c.size(), 0U);
    from.fails = true;
    EXPECT_THROW(static_cast<void>(c.get_or_load("a")), std::runtime_error);
}

TEST(cache_refresh, renews_early_what_a_load_of_many_keys_has_brought) {
    many_source from;
    renewed_options options = options_of(from);
    options.early_refresh = 1000;
    renewed_cache c(options);
    static_cast<void>(c.get_all_or_load({"a"}));
    from.clock.advance(9s);
    for (int i = 0; i < 20; ++i) static_cast<void>(c.get_or_load("a"));
    EXPECT_GT(from.calls, 1);
}

TEST(cache_refresh, erases_the_old_value_where_the_new_one_is_too_heavy) {
    syncmap::manual_clock clock;
    const auto weigh = [](const std::string&, int value) { return static_cast<std::size_t>(value); };
    std::vector<syncmap::removal> told;
    renewed_cache c({.capacity = 10,
                     .weigh = weigh,
                     .expire_after_write = 100s,
                     .refresh_after_write = 10s,
                     .on_removal = [&](const std::string&, int, syncmap::removal why) { told.push_back(why); },
                     .clock = clock});
    c.put("a", 1);
    clock.advance(10s);
    EXPECT_EQ(c.get_or_load("a", [] { return 11; }), 11);
    EXPECT_EQ(c.get("a"), std::nullopt);
    c.put("b", 1);
    EXPECT_TRUE(c.refresh("b", [] { return 11; }));
    EXPECT_EQ(c.get("b"), std::nullopt);
    EXPECT_EQ(told, std::vector<syncmap::removal>(2, syncmap::removal::erased));
    c.put("a", 1);
    EXPECT_TRUE(c.refresh("a", [&] {
        c.put("a", 2);
        return 11;
    }));
    EXPECT_EQ(c.get("a"), 2) << "a later put beats it";
    EXPECT_EQ(c.weight(), 2U);
}

TEST(cache_refresh, rests_where_the_weigher_fails) {
    syncmap::manual_clock clock;
    bool fails = false;
    const auto weigh = [&](const std::string&, int) -> std::size_t {
        if (fails) throw std::runtime_error("no weight");
        return 1;
    };
    renewed_cache c({.capacity = 10, .weigh = weigh, .refresh_after_write = 10s, .clock = clock});
    version_source from;
    EXPECT_EQ(c.get_or_load("a", from), 1);
    clock.advance(10s);
    fails = true;
    EXPECT_EQ(c.get_or_load("a", from), 1);
    EXPECT_EQ(c.get_or_load("a", from), 1);
    EXPECT_EQ(from.version, 2);
    fails = false;
    clock.advance(10s);
    EXPECT_EQ(c.get_or_load("a", from), 3);
}

TEST(cache_refresh, refuses_options_that_contradict_themselves) {
    const auto refuses = [](const renewed_options& o) { EXPECT_THROW(renewed_cache{o}, std::invalid_argument); };
    refuses({.capacity = 1, .refresh_after_write = 0s});
    refuses({.capacity = 1, .expire_after_write = 10s, .refresh_after_write = 10s});
    refuses({.capacity = 1, .stale_if_error = -1s});
    refuses({.capacity = 1, .early_refresh = -1});
    refuses({.capacity = 1, .negative_ttl = -1s});
    refuses({.capacity = 1, .error_ttl = -1s});
}

// ---- loads that brought no value ----

/// Asks for the key. True: the load throws, or a load before has thrown.
bool throws_for(renewed_cache& c, const std::string& key, version_source& from) {
    try {
        static_cast<void>(c.get_or_load(key, from));
        return false;
    } catch (const std::runtime_error&) {
        return true;
    }
}

TEST(cache_remembering, answers_loads_from_an_absence_until_it_ends) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .negative_ttl = 10s, .clock = clock});
    version_source from;
    from.finds_nothing = true;
    EXPECT_EQ(c.get_or_load("a", from), std::nullopt);
    clock.advance(9s);
    from.finds_nothing = false;
    EXPECT_EQ(c.get_or_load("a", from), std::nullopt);
    EXPECT_FALSE(c.pin_or_load("a", from));
    EXPECT_EQ(from.version, 1);
    EXPECT_EQ(c.stats().remembered, 2U);
    EXPECT_EQ(c.stats().misses, 3U);
    EXPECT_EQ(c.get_or_load("a", [] { return 7; }), 7) << "a loader that must find a value is called";
    EXPECT_EQ(c.get("a"), 7);
    from.finds_nothing = true;
    EXPECT_EQ(c.get_or_load("b", from), std::nullopt);
    clock.advance(10s);
    from.finds_nothing = false;
    EXPECT_EQ(c.get_or_load("b", from), 3);
}

TEST(cache_remembering, shows_other_operations_nothing) {
    std::size_t told = 0;
    renewed_cache c({.capacity = 10,
                     .stale_if_error = 100s,
                     .negative_ttl = 10s,
                     .error_ttl = 10s,
                     .on_removal = [&](const std::string&, int, syncmap::removal) { ++told; }});
    version_source from;
    from.finds_nothing = true;
    for (const char* const key : {"get", "put", "absent", "update", "take"}) static_cast<void>(c.get_or_load(key, from));
    from.fails = true;
    EXPECT_TRUE(throws_for(c, "error", from));
    EXPECT_EQ(c.size(), 6U) << "they count against the capacity";
    EXPECT_EQ(c.get("get"), std::nullopt);
    EXPECT_EQ(c.peek("error"), std::nullopt);
    EXPECT_FALSE(c.contains("get"));
    EXPECT_FALSE(c.pin("error"));
    EXPECT_EQ(c.for_each([](const std::string&, int) { ADD_FAILURE(); }), 0U);
    EXPECT_EQ(c.invalidate_if([](const std::string&, int) { return true; }), 0U);
    EXPECT_TRUE(c.hottest(10).empty());
    for (const auto& each : c.get_all({"get", "error"})) EXPECT_FALSE(each);

    EXPECT_TRUE(c.put("put", 1));
    EXPECT_TRUE(c.put_if_absent("absent", 2));
    EXPECT_FALSE(c.replace("get", 3));
    EXPECT_EQ(c.update("update",
                       [](const int* now) {
                           EXPECT_EQ(now, nullptr);
                           return 4;
                       }),
              syncmap::update_result::inserted);
    EXPECT_EQ(c.take("take"), std::nullopt);
    EXPECT_FALSE(c.invalidate("error"));
    from = {.version = 10};
    EXPECT_EQ(c.get_or_load("error", from), 11) << "an invalidation ends it";
    EXPECT_EQ(c.get_or_load("take", from), 12);
    EXPECT_EQ(c.get_or_load("get", from), std::nullopt) << "a replace that does nothing does not";
    EXPECT_TRUE(c.refresh("get", from)) << "a refresh loads";
    EXPECT_EQ(c.get("get"), 13);
    EXPECT_EQ(c.get("put"), 1);
    EXPECT_EQ(c.size(), 6U);
    EXPECT_EQ(told, 0U) << "no value has left";
    EXPECT_EQ(c.stats().expirations, 0U);
    EXPECT_EQ(c.stats().erased, 0U);
}

TEST(cache_remembering, throws_the_same_exception_again) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .error_ttl = 10s, .clock = clock});
    version_source from;
    from.fails = true;
    EXPECT_TRUE(throws_for(c, "a", from));
    clock.advance(9s);
    from.fails = false;
    from.finds_nothing = true;
    EXPECT_TRUE(throws_for(c, "a", from));
    EXPECT_THROW(static_cast<void>(c.pin_or_load("a", [] { return 7; })), std::runtime_error);
    EXPECT_EQ(c.stats().remembered, 2U);
    EXPECT_EQ(from.version, 1);
    clock.advance(1s);
    EXPECT_EQ(c.get_or_load("a", from), std::nullopt);
    EXPECT_EQ(c.get_or_load("a", from), std::nullopt);
    EXPECT_EQ(from.version, 3) << "that there is nothing is not remembered: negative_ttl is 0";
    from.fails = true;
    EXPECT_TRUE(throws_for(c, "a", from));
    c.invalidate_all();
    EXPECT_TRUE(throws_for(c, "a", from));
    EXPECT_EQ(from.version, 5);
}

TEST(cache_remembering, takes_the_memory_of_entries_that_had_a_lifetime) {
    renewed_cache c({.capacity = 100, .expire_after_write = 10s, .negative_ttl = 10s, .error_ttl = 10s});
    version_source from;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 50; ++i) EXPECT_EQ(c.get_or_load(std::to_string(i), [&] { return i; }), i);
        for (int i = 0; i < 50; ++i) EXPECT_TRUE(c.invalidate(std::to_string(i)));
        c.flush(); // the thread keeps the blocks
        for (int i = 0; i < 50; ++i) {
            from.finds_nothing = i % 2 == 0;
            from.fails = !from.finds_nothing;
            for (int times = 0; times < 2; ++times) EXPECT_EQ(throws_for(c, std::to_string(i), from), i % 2 != 0);
        }
        EXPECT_EQ(from.version, 50 * (round + 1));
        c.invalidate_all();
        c.flush();
    }
}

TEST(cache_remembering, comes_after_an_old_value_that_may_answer) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .expire_after_write = 10s, .stale_if_error = 10s, .error_ttl = 100s, .clock = clock});
    version_source from;
    c.put("a", 1);
    from.fails = true;
    clock.advance(15s);
    EXPECT_EQ(c.get_or_load("a", from), 1);
    EXPECT_THROW(c.refresh("a", from), std::runtime_error);
    EXPECT_EQ(c.get_or_load("a", from), 1);
    clock.advance(5s);
    EXPECT_TRUE(throws_for(c, "a", from));
    const int calls = from.version;
    EXPECT_TRUE(throws_for(c, "a", from));
    EXPECT_EQ(from.version, calls);
    EXPECT_TRUE(c.put("a", 2));
    EXPECT_THROW(c.refresh("a", from), std::runtime_error);
    EXPECT_EQ(c.get_or_load("a", from), 2) << "a refresh that fails leaves the value";
}

TEST(cache_remembering, replaces_a_value_that_a_refresh_does_not_find_any_more) {
    std::vector<syncmap::removal> told;
    renewed_cache c({.capacity = 10, .negative_ttl = 10s, .on_removal = [&](const std::string&, int, syncmap::removal why) {
                         told.push_back(why);
                     }});
    version_source from;
    from.finds_nothing = true;
    c.put("a", 1);
    EXPECT_TRUE(c.refresh("a", from));
    EXPECT_EQ(c.get("a"), std::nullopt);
    EXPECT_EQ(c.get_or_load("a", from), std::nullopt);
    EXPECT_EQ(from.version, 1);
    EXPECT_EQ(told, std::vector{syncmap::removal::erased});
    EXPECT_EQ(c.stats().erased, 1U);
}

TEST(cache_remembering, is_beaten_by_writes_during_the_load) {
    renewed_cache c({.capacity = 10, .negative_ttl = 10s, .error_ttl = 10s});
    version_source found;
    for (const bool fails : {false, true}) {
        const auto load_beside = [&](const std::function<void()>& write) {
            c.invalidate("a");
            version_source from{.fails = fails, .finds_nothing = true, .before = write};
            EXPECT_EQ(throws_for(c, "a", from), fails);
            EXPECT_EQ(from.version, 1);
        };
        load_beside([&] { c.put("a", 7); });
        EXPECT_EQ(c.get("a"), 7);
        load_beside([&] { c.invalidate("a"); });
        EXPECT_NE(c.get_or_load("a", found), std::nullopt);
        load_beside([&] { c.invalidate_all(); });
        EXPECT_NE(c.get_or_load("a", found), std::nullopt);
    }
    EXPECT_EQ(c.stats().stale_dropped, 0U);
    c.invalidate("a");
    version_source late{.before = [&] { c.put("a", 7); }};
    EXPECT_EQ(c.get_or_load("a", late), 1);
    EXPECT_EQ(c.get("a"), 7);
    EXPECT_EQ(c.stats().stale_dropped, 1U);
}

TEST(cache_remembering, is_bounded_and_evicted_as_values_are) {
    const auto weigh = [](const std::string&, int) { return std::size_t{2}; };
    for (const bool weighs : {false, true}) {
        renewed_cache c({.capacity = 100, .negative_ttl = 1h, .error_ttl = 1h});
        renewed_cache weighted({.capacity = 100, .weigh = weigh, .negative_ttl = 1h, .error_ttl = 1h});
        renewed_cache& filled = weighs ? weighted : c;
        version_source from;
        from.finds_nothing = true;
        for (int i = 0; i < 300; ++i) {
            from.fails = i % 2 == 0;
            EXPECT_EQ(throws_for(filled, std::to_string(i), from), from.fails);
            ASSERT_LE(filled.weight(), 100U);
        }
        EXPECT_EQ(filled.size(), 100U) << "without a value an entry weighs one";
        for (int i = 0; i < 300; ++i) filled.put(std::to_string(i), 7);
        EXPECT_EQ(filled.size(), weighs ? 50U : 100U);
        filled.set_capacity(0);
        from.fails = false;
        EXPECT_EQ(filled.get_or_load("none", from), std::nullopt);
        EXPECT_EQ(filled.size(), 0U);
    }
}

TEST(cache_remembering, loads_many_keys_without_those_that_are_known) {
    renewed_cache c({.capacity = 10, .negative_ttl = 10s, .error_ttl = 10s});
    std::vector<std::size_t> asked;
    bool fails = false;
    const auto load_many = [&](const std::vector<std::string>& keys) {
        asked.push_back(keys.size());
        if (fails) throw std::runtime_error("no");
        return std::vector<std::pair<std::string, int>>{{"b", 1}};
    };
    for (int i = 0; i < 2; ++i) {
        const auto all = c.get_all_or_load({"a", "b"}, load_many);
        EXPECT_FALSE(all[0]);
        EXPECT_EQ(*all[1], 1);
    }
    EXPECT_EQ(asked, std::vector<std::size_t>{2});
    fails = true;
    EXPECT_THROW(static_cast<void>(c.get_all_or_load({"a", "c", "d"}, load_many)), std::runtime_error);
    EXPECT_EQ(asked.back(), 2U);
    EXPECT_THROW(static_cast<void>(c.get_all_or_load({"c", "e"}, load_many)), std::runtime_error);
    version_source from;
    EXPECT_TRUE(throws_for(c, "d", from));
    EXPECT_EQ(asked.size(), 2U);
}

TEST(cache_remembering, ends_as_entries_do) {
    syncmap::manual_clock clock;
    renewed_cache c({.capacity = 10, .stale_if_error = 1h, .negative_ttl = 10s, .clock = clock});
    version_source from;
    from.finds_nothing = true;
    static_cast<void>(c.get_or_load("a", from));
    EXPECT_EQ(c.expire_now(), 0U);
    clock.advance(10s);
    EXPECT_EQ(c.expire_now(), 1U);
    EXPECT_EQ(c.size(), 0U);
}

} // namespace
