// Renewal of cache entries: after a while, early by chance, on demand, and what happens where the loader fails.
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
    std::optional<int> operator()(const std::string&) {
        ++version;
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
}

} // namespace
