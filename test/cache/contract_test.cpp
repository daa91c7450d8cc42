// What each operation of a cache does.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <syncmap/cache.hpp>

#include <gtest/gtest.h>

namespace {

using text_cache = syncmap::cache<std::string, std::string>;

TEST(cache, gets_what_was_put) {
    text_cache c({.capacity = 10});
    EXPECT_EQ(c.get("a"), std::nullopt);
    EXPECT_TRUE(c.put("a", "1"));
    EXPECT_EQ(c.get("a"), "1");
    EXPECT_TRUE(c.put("a", "2"));
    EXPECT_EQ(c.get("a"), "2");
    EXPECT_EQ(c.size(), 1U);
    EXPECT_EQ(c.capacity(), 10U);
}

TEST(cache, is_looked_up_by_views) {
    text_cache c({.capacity = 10});
    c.put(std::string_view("a"), "1");
    EXPECT_TRUE(c.contains(std::string_view("a")));
    EXPECT_EQ(c.peek(std::string_view("a")), "1");
    EXPECT_TRUE(c.pin(std::string_view("a")));
    EXPECT_EQ(c.get_or_load(std::string_view("b"), [](std::string_view key) { return std::string(key) + "!"; }), "b!");
    EXPECT_TRUE(c.invalidate(std::string_view("a")));
}

TEST(cache, shows_an_entry_in_place) {
    text_cache c({.capacity = 10});
    c.put("a", "1");
    std::string seen;
    EXPECT_TRUE(c.visit("a", [&](const std::string& value) { seen = value; }));
    EXPECT_TRUE(c.visit("a", [&](const std::string& key, const std::string& value) { seen = key + value; }));
    EXPECT_EQ(seen, "a1");
    EXPECT_FALSE(c.visit("b", [](const std::string&) { FAIL(); }));
}

TEST(cache, puts_and_replaces_under_a_condition) {
    text_cache c({.capacity = 10});
    EXPECT_FALSE(c.replace("a", "0"));
    EXPECT_EQ(c.size(), 0U);
    EXPECT_TRUE(c.put_if_absent("a", "1"));
    EXPECT_FALSE(c.put_if_absent("a", "2"));
    EXPECT_EQ(c.get("a"), "1");
    EXPECT_TRUE(c.replace("a", "3"));
    EXPECT_EQ(c.get("a"), "3");
}

TEST(cache, updates_atomically) {
    text_cache c({.capacity = 10});
    const auto longer = [](const std::string* now) { return now == nullptr ? std::string("x") : *now + "x"; };
    EXPECT_EQ(c.update("a", longer), syncmap::update_result::inserted);
    EXPECT_EQ(c.update("a", longer), syncmap::update_result::assigned);
    EXPECT_EQ(c.get("a"), "xx");
    EXPECT_EQ(c.update("a", [](const std::string*) { return syncmap::keep; }), syncmap::update_result::kept);
    EXPECT_EQ(c.update("a", [](const std::string*) { return std::nullopt; }), syncmap::update_result::erased);
    EXPECT_EQ(c.size(), 0U);
    for (int i = 0; i < 100; ++i) c.update(std::to_string(i), longer);
    EXPECT_EQ(c.size(), 10U) << "an erase by update gives its permit back, once";
}

TEST(cache, takes_and_invalidates) {
    text_cache c({.capacity = 10});
    c.put("a", "1");
    EXPECT_EQ(c.take("a"), "1");
    EXPECT_EQ(c.take("a"), std::nullopt);
    c.put("a", "1");
    EXPECT_TRUE(c.invalidate("a"));
    EXPECT_FALSE(c.invalidate("a"));
    EXPECT_EQ(c.size(), 0U);
}

TEST(cache, forgets_all_at_once) {
    text_cache c({.capacity = 100});
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 250; ++i) c.put(std::to_string(i), "v");
        EXPECT_EQ(c.size(), 100U);
        c.invalidate_all();
        EXPECT_EQ(c.size(), 0U);
        EXPECT_EQ(c.get("249"), std::nullopt);
    }
}

TEST(cache, keeps_what_is_pinned_beyond_its_eviction) {
    text_cache c({.capacity = 2});
    c.put("a", "1");
    const auto kept = c.pin("a");
    for (int i = 0; i < 100; ++i) c.put(std::to_string(i), "v");
    EXPECT_FALSE(c.contains("a"));
    EXPECT_EQ(kept.key(), "a");
    EXPECT_EQ(*kept, "1");
    EXPECT_FALSE(c.pin("a"));
}

TEST(cache, walks_over_its_entries) {
    text_cache c({.capacity = 100});
    for (int i = 0; i < 50; ++i) c.put(std::to_string(i), "v");
    std::vector<std::string> keys;
    EXPECT_EQ(c.for_each([&](const std::string& key, const std::string&) { keys.push_back(key); }), 50U);
    std::sort(keys.begin(), keys.end());
    EXPECT_EQ(std::unique(keys.begin(), keys.end()) - keys.begin(), 50);
    EXPECT_EQ(c.for_each([](const std::string&, const std::string&) { return false; }), 1U);
}

TEST(cache, never_evicts_what_it_just_put) {
    for (const std::size_t capacity : {1U, 2U, 3U, 5U, 8U, 13U, 64U, 200U, 11'000U}) {
        syncmap::cache<std::uint64_t, std::uint64_t> c({.capacity = capacity});
        const std::uint64_t keys = 3 * capacity + 100;
        for (std::uint64_t i = 0; i < keys; ++i) {
            ASSERT_TRUE(c.put(i * 7919, i));
            ASSERT_EQ(c.get(i * 7919), i);
            if (i % 3 == 0) static_cast<void>(c.get(i * 7919));
            if (capacity < 1'000 || i % 1'000 == 0) {
                ASSERT_LE(c.size(), capacity);
            }
        }
        EXPECT_EQ(c.size(), capacity) << "nothing is evicted without need";
    }
}

TEST(cache, gives_the_room_of_erased_entries_to_others) {
    syncmap::cache<std::uint64_t, std::uint64_t> c({.capacity = 100});
    std::uint64_t next = 0;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 70; ++i) c.put(next++, 1);
        for (std::uint64_t i = next - 30; i < next; ++i) c.invalidate(i);
    }
    for (int i = 0; i < 300; ++i) c.put(next++, 1);
    EXPECT_EQ(c.size(), 100U);
}

TEST(cache, of_no_entries_stores_nothing) {
    text_cache c({.capacity = 0});
    EXPECT_FALSE(c.put("a", "1"));
    EXPECT_FALSE(c.put_if_absent("a", "1"));
    EXPECT_EQ(c.update("a", [](const std::string*) { return std::string("1"); }), syncmap::update_result::kept);
    EXPECT_EQ(c.get_or_load("a", [] { return std::string("1"); }), "1");
    EXPECT_EQ(c.size(), 0U);
    EXPECT_FALSE(c.contains("a"));
}

TEST(cache, refuses_impossible_capacities) {
    EXPECT_THROW(text_cache({.capacity = -1}), std::length_error);
    EXPECT_THROW(text_cache({.capacity = SIZE_MAX}), std::length_error);
}

TEST(cache, counts_what_happens) {
    text_cache c({.capacity = 10});
    for (int i = 0; i < 25; ++i) c.put(std::to_string(i), "v");
    static_cast<void>(c.get("24"));
    static_cast<void>(c.get("no"));
    static_cast<void>(c.get_or_load("no", [] { return std::string("v"); }));
    EXPECT_THROW(static_cast<void>(c.get_or_load("never", []() -> std::string { throw std::runtime_error("no"); })),
                 std::runtime_error);
    static_cast<void>(c.peek("24"));
    static_cast<void>(c.contains("nothing"));
    const syncmap::cache_stats s = c.stats();
    EXPECT_EQ(s.hits, 1U);
    EXPECT_EQ(s.misses, 3U);
    EXPECT_EQ(s.inserts, 26U);
    EXPECT_EQ(s.evictions, 16U);
    EXPECT_EQ(s.loads, 1U);
    EXPECT_EQ(s.failed_loads, 1U);
    EXPECT_DOUBLE_EQ(s.hit_ratio(), 0.25);

    text_cache silent({.capacity = 10, .statistics = false});
    silent.put("a", "1");
    static_cast<void>(silent.get("a"));
    EXPECT_EQ(silent.stats().hits, 0U);
}

// ---- types ----

TEST(cache_types, values_that_only_move) {
    syncmap::cache<std::string, std::unique_ptr<int>> c({.capacity = 2});
    c.put("a", std::make_unique<int>(1));
    EXPECT_TRUE(c.visit("a", [](const std::unique_ptr<int>& value) { EXPECT_EQ(*value, 1); }));
    const auto loaded = c.pin_or_load("b", [](const std::string& key) { return std::make_unique<int>(int(key.size())); });
    EXPECT_EQ(**loaded, 1);
    EXPECT_EQ(**c.pin("b"), 1);
    c.put("b", std::make_unique<int>(5));
    EXPECT_EQ(**loaded, 1) << "a pin stays what it was";
    const auto absent = c.pin_or_load("c", [] { return std::optional<std::unique_ptr<int>>(); });
    EXPECT_FALSE(absent);
}

TEST(cache_types, texts) {
    syncmap::cache<syncmap::text, syncmap::text> c({.capacity = 3});
    for (int i = 0; i < 20; ++i) c.put("key " + std::to_string(i), "value " + std::to_string(i));
    EXPECT_EQ(c.get("key 19"), "value 19");
    EXPECT_EQ(c.get_or_load("other", [](std::string_view key) { return std::string(key); }), "other");
    EXPECT_EQ(c.size(), 3U);
}

TEST(cache_types, memory_from_a_resource) {
    std::pmr::unsynchronized_pool_resource pool;
    {
        syncmap::pmr::cache<int, std::pmr::string> c({.capacity = 3}, &pool);
        for (int i = 0; i < 20; ++i) c.put(i, "a value that is longer than a short string");
        EXPECT_TRUE(c.visit(19, [&](const std::pmr::string& value) { EXPECT_EQ(value.get_allocator().resource(), &pool); }));
    }
}

/// All keys have one of few hashes: entries are found by hash where several have the same.
struct poor_hash {
    std::size_t operator()(std::uint64_t key) const noexcept { return key % 3; }
};
TEST(cache_types, keys_whose_hashes_collide) {
    syncmap::cache<std::uint64_t, std::uint64_t, poor_hash> c({.capacity = 20});
    for (std::uint64_t i = 0; i < 500; ++i) {
        ASSERT_TRUE(c.put(i, i));
        ASSERT_EQ(c.get(i), i);
        ASSERT_LE(c.size(), 20U);
    }
    EXPECT_EQ(c.size(), 20U);
}

struct few_hashes {
    std::size_t operator()(std::uint64_t key) const noexcept { return key % 64; }
};
TEST(cache_types, keys_whose_hashes_collide_leave_as_others_do) {
    constexpr std::uint64_t capacity = 100, puts = 20'000;
    syncmap::cache<std::uint64_t, std::uint64_t, few_hashes> c({.capacity = capacity});
    for (std::uint64_t i = 0; i != puts; ++i) c.put(i, i);
    std::uint64_t old = 0;
    c.for_each([&](std::uint64_t key, std::uint64_t) { old += key < puts / 2 ? 1U : 0U; });
    EXPECT_LE(old, capacity / 4) << "no entry stays because the small queue has lost its name";
}

// ---- loads ----

/// Calls `first` on a thread of its own, and `second` once `first` has called its loader; `first`'s loader then goes on.
template <class First, class Second>
void load_beside(First first, Second second) {
    std::latch loads(1), goes_on(1);
    std::jthread other([&] {
        first([&] {
            loads.count_down();
            goes_on.wait();
        });
    });
    loads.wait();
    second([&] { goes_on.count_down(); });
}

TEST(cache_loads, that_found_nothing_do_not_answer_loaders_that_must_find) {
    text_cache c({.capacity = 10});
    load_beside(
        [&](auto wait) {
            EXPECT_EQ(c.get_or_load("a",
                                    [&] {
                                        wait();
                                        return std::optional<std::string>();
                                    }),
                      std::nullopt);
        },
        [&](auto go_on) {
            std::jthread later([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(20)); // the call below waits by then, or loads alone
                go_on();
            });
            EXPECT_EQ(c.get_or_load("a", [] { return std::string("found"); }), "found");
        });
}

/// A key that is only moved, made of a view, with a hash that all keys share.
struct one_way_key {
    std::string text;
    explicit(false) one_way_key(std::string_view from) : text(from) {}
    one_way_key(one_way_key&&) = default;
    explicit(false) operator std::string_view() const { return text; }
};
struct same_for_all {
    using is_transparent = void;
    std::size_t operator()(std::string_view) const noexcept { return 7; }
};
struct by_text {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
};
TEST(cache_loads, of_keys_with_one_hash_bring_each_its_own) {
    syncmap::cache<one_way_key, std::string, same_for_all, by_text> c({.capacity = 10});
    load_beside(
        [&](auto wait) {
            EXPECT_EQ(c.get_or_load(std::string_view("a"),
                                    [&](const auto&) {
                                        wait();
                                        return std::string("of a");
                                    }),
                      "of a");
        },
        [&](auto go_on) {
            std::jthread later([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
                go_on();
            });
            EXPECT_EQ(c.get_or_load(std::string_view("b"), [](const auto&) { return std::string("of b"); }), "of b");
        });
}

TEST(cache_loads, are_beaten_by_puts_that_find_no_room) {
    text_cache c({.capacity = 0});
    load_beside(
        [&](auto wait) {
            EXPECT_EQ(c.get_or_load("a",
                                    [&] {
                                        wait();
                                        return std::string("old");
                                    }),
                      "old");
        },
        [&](auto go_on) {
            EXPECT_FALSE(c.put("a", "new"));
            EXPECT_EQ(c.get_or_load("a", [] { return std::string("after the put"); }), "after the put");
            go_on();
        });
}

TEST(cache_loads, bring_what_is_absent) {
    text_cache c({.capacity = 10});
    EXPECT_EQ(c.get_or_load("a", [](const std::string& key) { return key + "1"; }), "a1");
    EXPECT_EQ(c.get_or_load("a", []() -> std::string { throw std::runtime_error("not called"); }), "a1");
    EXPECT_EQ(c.get("a"), "a1");
}

TEST(cache_loads, may_find_nothing) {
    text_cache c({.capacity = 10});
    EXPECT_EQ(c.get_or_load("a", [] { return std::optional<std::string>(); }), std::nullopt);
    EXPECT_FALSE(c.contains("a"));
    EXPECT_EQ(c.get_or_load("a", [] { return std::optional<std::string>("1"); }), "1");
}

TEST(cache_loads, that_throw_are_not_remembered) {
    text_cache c({.capacity = 10});
    EXPECT_THROW(static_cast<void>(c.get_or_load("a", []() -> std::string { throw std::runtime_error("no"); })),
                 std::runtime_error);
    EXPECT_EQ(c.get_or_load("a", [] { return std::string("1"); }), "1");
}

TEST(cache_loads, may_use_the_cache) {
    text_cache c({.capacity = 3});
    const auto value = c.get_or_load("a", [&] {
        return c.get_or_load("b", [&] {
            c.put("c", "3");
            c.invalidate("d");
            return c.get_or_load("e", [] { return std::string("5"); }) + "b";
        }) + "a";
    });
    EXPECT_EQ(value, "5ba");
    EXPECT_LE(c.size(), 3U);
}

TEST(cache_loads, of_their_own_key_are_refused_at_once) {
    text_cache c({.capacity = 3});
    const auto load_again = [&] { return c.get_or_load("a", [] { return std::string("2"); }); };
    EXPECT_THROW(static_cast<void>(c.get_or_load("a", load_again)), syncmap::recursive_load);
    EXPECT_EQ(c.get("a"), std::nullopt);
    // Also where the load has been overtaken, by itself.
    EXPECT_THROW(static_cast<void>(c.get_or_load("a",
                                                 [&] {
                                                     c.invalidate("a");
                                                     return load_again();
                                                 })),
                 syncmap::recursive_load);
    EXPECT_EQ(c.get_or_load("a", [] { return std::string("1"); }), "1");
}

TEST(cache_loads, are_beaten_by_what_their_loader_does) {
    text_cache c({.capacity = 3});
    const auto beaten_by = [&](auto beat) {
        return c.get_or_load("a", [&] {
            beat();
            return std::string("loaded");
        });
    };
    EXPECT_EQ(beaten_by([&] { c.invalidate("a"); }), "loaded");
    EXPECT_FALSE(c.contains("a"));
    EXPECT_EQ(beaten_by([&] { c.invalidate_all(); }), "loaded");
    EXPECT_FALSE(c.contains("a"));
    EXPECT_EQ(beaten_by([&] { c.put("a", "put"); }), "loaded");
    EXPECT_EQ(c.get("a"), "put");
    c.invalidate("a");
    EXPECT_EQ(beaten_by([&] { c.invalidate("b"); }), "loaded");
    EXPECT_EQ(c.get("a"), "loaded") << "other keys do not matter";
}

} // namespace
