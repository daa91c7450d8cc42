// Loads by the loaders that a cache is made with.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>
#include <syncmap/text.hpp>

#include <gtest/gtest.h>

namespace {

using page_cache = syncmap::cache<std::string, std::string>;

TEST(cache_loaders, bring_what_is_absent) {
    int calls = 0;
    page_cache pages({.capacity = 10, .load = [&](const std::string& url) -> std::optional<std::string> {
                          ++calls;
                          if (url.empty()) return std::nullopt;
                          return "the page of " + url;
                      }});
    EXPECT_EQ(pages.get_or_load("a"), "the page of a");
    EXPECT_EQ(pages.get_or_load(std::string_view("a")), "the page of a");
    EXPECT_EQ(pages.pin_or_load("b").value(), "the page of b");
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(pages.get_or_load(""), std::nullopt);
    EXPECT_FALSE(pages.pin_or_load(""));
    EXPECT_EQ(calls, 4) << "that there is nothing is not remembered";
    EXPECT_EQ(pages.get_or_load("c", [] { return std::string("another's"); }), "another's")
        << "a function of the call is first";
    EXPECT_EQ(pages.stats().loads, 5U);
}

TEST(cache_loaders, may_return_plain_values_and_ignore_the_key) {
    page_cache pages({.capacity = 10, .load = [] { return std::string("page"); }});
    EXPECT_EQ(pages.get_or_load("a"), "page");
    EXPECT_EQ(pages.get("a"), "page");
}

TEST(cache_loaders, may_own_what_is_only_moved) {
    syncmap::cache<int, std::unique_ptr<int>> c(
        {.capacity = 10, .load = [base = std::make_unique<int>(10)](int key) { return std::make_unique<int>(*base + key); }});
    EXPECT_EQ(*c.pin_or_load(3).value(), 13);
}

TEST(cache_loaders, of_texts_see_views) {
    syncmap::cache<syncmap::text, syncmap::text> c(
        {.capacity = 10, .load = [](std::string_view key) { return std::string(key) + "!"; }});
    EXPECT_EQ(c.get_or_load("a"), "a!");
}

TEST(cache_loaders, that_throw_or_are_missing) {
    page_cache failing({.capacity = 10, .load = [](const std::string&) -> std::string { throw std::runtime_error("no"); }});
    EXPECT_THROW(static_cast<void>(failing.get_or_load("a")), std::runtime_error);
    page_cache without({.capacity = 10});
    EXPECT_THROW(static_cast<void>(without.get_or_load("a")), syncmap::no_loader);
    EXPECT_THROW(static_cast<void>(without.pin_or_load("a")), syncmap::no_loader);
    without.put("a", "1");
    EXPECT_EQ(without.get_or_load("a"), "1");
}

TEST(cache_loaders, may_ask_for_other_keys_but_not_for_their_own) {
    syncmap::cache<std::uint64_t, std::uint64_t>* self = nullptr;
    syncmap::cache<std::uint64_t, std::uint64_t> numbers(
        {.capacity = 50, .load = [&](std::uint64_t n) -> std::uint64_t {
             if (n == 99) return *self->get_or_load(n);
             return n < 2 ? n : *self->get_or_load(n - 1) + *self->get_or_load(n - 2);
         }});
    self = &numbers;
    EXPECT_EQ(numbers.get_or_load(30), 832'040U);
    EXPECT_THROW(static_cast<void>(numbers.get_or_load(99)), syncmap::recursive_load);
}

using text_list = std::vector<std::string>;

/// The values of entries, "-" for each that is empty.
template <class Entries>
text_list values_of(const Entries& entries) {
    text_list all;
    for (const auto& each : entries) all.push_back(each ? each.value() : "-");
    return all;
}

/// A bulk loader that writes down what it was asked for, and finds nothing for keys that begin with "no".
struct bulk_source {
    std::vector<text_list>& asked;
    std::unordered_map<std::string, std::string> operator()(const text_list& keys) const {
        asked.push_back(keys);
        std::sort(asked.back().begin(), asked.back().end());
        std::unordered_map<std::string, std::string> found;
        for (const std::string& key : keys) {
            if (!key.starts_with("no")) found.emplace(key, key + "!");
        }
        return found;
    }
};

TEST(cache_bulk_loads, get_what_is_there) {
    page_cache c({.capacity = 10});
    c.put("a", "1");
    c.put("b", "2");
    EXPECT_EQ(values_of(c.get_all(text_list{"b", "x", "a", "b"})), (text_list{"2", "-", "1", "2"}));
    EXPECT_EQ(values_of(c.get_all({"a"})), (text_list{"1"}));
    const std::string_view a = "a", b = "b";
    EXPECT_EQ(values_of(c.get_all({b, a})), (text_list{"2", "1"}));
    EXPECT_EQ(values_of(c.get_all(std::set<std::string_view>{"a", "b"})), (text_list{"1", "2"}));
    EXPECT_EQ(c.stats().hits, 8U);
    EXPECT_EQ(c.stats().misses, 1U);
    std::vector<text_list> asked;
    EXPECT_EQ(values_of(c.get_all_or_load({b, std::string_view("c")}, bulk_source{asked})), (text_list{"2", "c!"}));
}

TEST(cache_bulk_loads, ask_once_for_all_that_is_absent) {
    std::vector<text_list> asked;
    page_cache c({.capacity = 10, .load_many = bulk_source{asked}});
    c.put("b", "2");
    EXPECT_EQ(values_of(c.get_all_or_load({"a", "b", "none", "a", "c"})), (text_list{"a!", "2", "-", "a!", "c!"}));
    EXPECT_EQ(asked, (std::vector<text_list>{{"a", "c", "none"}}));
    EXPECT_EQ(c.stats().loads, 1U);
    EXPECT_EQ(c.get("a"), "a!");
    EXPECT_EQ(values_of(c.get_all_or_load({"a", "b", "c"})), (text_list{"a!", "2", "c!"}));
    EXPECT_EQ(asked.size(), 1U);
    EXPECT_EQ(values_of(c.get_all_or_load({"none"})), (text_list{"-"}));
    EXPECT_EQ(asked.size(), 2U) << "that there is nothing is not remembered";
    EXPECT_EQ(c.get_or_load("d"), "d!") << "one key by the loader of many";
    EXPECT_EQ(c.get_or_load("none"), std::nullopt);
    EXPECT_EQ(values_of(c.get_all_or_load(text_list())), text_list());
}

TEST(cache_bulk_loads, by_a_function_of_the_call_or_the_loader_of_one_key) {
    page_cache c({.capacity = 10, .load = [](const std::string& key) { return key + "?"; }});
    const auto pairs = [](const text_list& keys) {
        std::vector<std::pair<std::string_view, std::optional<std::string>>> found;
        for (const std::string& key : keys) found.emplace_back(key, key == "none" ? std::nullopt : std::optional(key + "!"));
        found.emplace_back("unasked", "x");
        found.emplace_back("a", "twice");
        return found;
    };
    EXPECT_EQ(values_of(c.get_all_or_load({"a", "none", "b"}, pairs)), (text_list{"a!", "-", "b!"}));
    EXPECT_FALSE(c.contains("unasked"));
    EXPECT_EQ(c.get("a"), "a!") << "the first value of a key counts";
    EXPECT_EQ(values_of(c.get_all_or_load({"a", "c"})), (text_list{"a!", "c?"}));
    page_cache without({.capacity = 10});
    without.put("a", "1");
    EXPECT_EQ(values_of(without.get_all_or_load({"a"})), (text_list{"1"}));
    EXPECT_THROW(static_cast<void>(without.get_all_or_load({"a", "b"})), syncmap::no_loader);
}

TEST(cache_bulk_loads, of_more_keys_than_the_capacity_bring_all) {
    syncmap::cache<int, int> c({.capacity = 10});
    std::vector<int> keys(5'000);
    for (int i = 0; i < 5'000; ++i) keys[static_cast<std::size_t>(i)] = i;
    const auto all = c.get_all_or_load(keys, [](const std::vector<int>& absent) {
        std::vector<std::pair<int, int>> found;
        for (const int key : absent) found.emplace_back(key, 2 * key);
        return found;
    });
    for (const int key : keys) ASSERT_EQ(all[static_cast<std::size_t>(key)].value(), 2 * key);
    EXPECT_EQ(c.size(), 10U);
}

TEST(cache_bulk_loads, of_values_that_only_move_and_of_texts) {
    syncmap::cache<int, std::unique_ptr<int>> owners({.capacity = 10});
    const auto all = owners.get_all_or_load({1, 2}, [](const std::vector<int>& keys) {
        std::map<int, std::unique_ptr<int>> found;
        for (const int key : keys) found.emplace(key, std::make_unique<int>(10 * key));
        return found;
    });
    EXPECT_EQ(*all[1].value(), 20);
    syncmap::cache<syncmap::text, syncmap::text> texts({.capacity = 10, .load_many = [](const text_list& keys) {
                                                            return std::map<std::string, std::string>{{keys[0], "found"}};
                                                        }});
    EXPECT_EQ(texts.get_all_or_load({"a"})[0].value(), "found");
}

TEST(cache_bulk_loads, that_throw_leave_what_was_there) {
    page_cache c({.capacity = 10});
    c.put("a", "1");
    const auto fails = [](const text_list&) -> std::map<std::string, std::string> { throw std::runtime_error("no"); };
    EXPECT_THROW(static_cast<void>(c.get_all_or_load({"a", "b", "c"}, fails)), std::runtime_error);
    EXPECT_EQ(c.stats().failed_loads, 1U);
    EXPECT_EQ(c.get_or_load("b", [] { return std::string("2"); }), "2") << "no flight is left over";
    EXPECT_EQ(c.get("a"), "1");
}

TEST(cache_bulk_loads, are_refused_their_own_keys_alone) {
    page_cache c({.capacity = 10});
    const auto none = [](const text_list&) { return std::map<std::string, std::string>(); };
    const auto asks_for = [&](const char* key) {
        return values_of(c.get_all_or_load({"a", "b"}, [&, key](const text_list& keys) {
            static_cast<void>(c.get_all_or_load({key}, none));
            return std::map<std::string, std::string>{{keys[0], "x"}};
        }));
    };
    EXPECT_THROW(asks_for("b"), syncmap::recursive_load);
    EXPECT_EQ(asks_for("c").size(), 2U);
}

TEST(cache_bulk_loads, are_beaten_key_by_key) {
    page_cache c({.capacity = 10});
    const auto all = c.get_all_or_load({"a", "b", "c"}, [&](const text_list& keys) {
        c.invalidate("a");
        c.put("b", "put");
        std::map<std::string, std::string> found;
        for (const auto& key : keys) found.emplace(key, "loaded");
        return found;
    });
    EXPECT_EQ(values_of(all), (text_list{"loaded", "loaded", "loaded"}));
    EXPECT_FALSE(c.contains("a"));
    EXPECT_EQ(c.get("b"), "put");
    EXPECT_EQ(c.get("c"), "loaded");
}

TEST(cache_bulk_loads, that_overlap_share_what_each_brings) {
    // Each loader returns when the other thread's has begun: each thread then waits for a key of the other one.
    page_cache c({.capacity = 10});
    std::latch both(2);
    std::atomic<int> asked{0};
    const auto load = [&](const text_list& keys) {
        asked += static_cast<int>(keys.size());
        both.arrive_and_wait();
        std::map<std::string, std::string> found;
        for (const auto& key : keys) found.emplace(key, key + "!");
        return found;
    };
    text_list first;
    text_list second;
    {
        std::jthread a([&] { first = values_of(c.get_all_or_load({"a", "b", "x"}, load)); });
        std::jthread b([&] { second = values_of(c.get_all_or_load({"y", "b", "a"}, load)); });
    }
    EXPECT_EQ(first, (text_list{"a!", "b!", "x!"}));
    EXPECT_EQ(second, (text_list{"y!", "b!", "a!"}));
    EXPECT_EQ(asked.load(), 4) << "each key by one of them";
}

// ---- loads beside updates ----

TEST(cache_loads_and_updates, an_update_may_get_its_key_from_a_load_that_ends_beside_it) {
    page_cache c({.capacity = 10});
    std::latch loading(1);
    std::latch updating(1);
    std::string loaded;
    std::jthread loader([&] {
        loaded = c.get_or_load("a", [&] {
            loading.count_down();
            updating.wait();
            return std::string("loaded");
        });
    });
    loading.wait();
    // The write of the load finds the key owned by this update, which waits for the load, or loads by itself.
    const auto result = c.update("a", [&](const std::string*) {
        updating.count_down();
        return c.get_or_load("a", [] { return std::string("loaded"); }) + ", updated";
    });
    loader.join();
    EXPECT_EQ(loaded, "loaded");
    EXPECT_EQ(result, syncmap::update_result::inserted);
    EXPECT_EQ(c.get("a"), "loaded, updated");
}

TEST(cache_loads_and_updates, a_load_is_stored_beside_updates_of_other_keys) {
    // Nested updates of many keys: some share the counter by which writers of "a" notice computations.
    syncmap::cache<int, int> c({.capacity = 1'000});
    const std::function<void(int)> update_from = [&](int key) {
        c.update(key, [&](const int*) {
            if (key < 600) {
                update_from(key + 1);
            } else {
                EXPECT_EQ(c.get_or_load(0, [] { return 7; }), 7);
            }
            return key;
        });
    };
    update_from(1);
    EXPECT_EQ(c.get(0), 7);
}

/// An equality that waits in the middle, in threads that ask for it.
struct slow_equality {
    static inline thread_local std::function<void()>* in_comparison = nullptr;
    bool operator()(int a, int b) const {
        if (in_comparison != nullptr) (*in_comparison)();
        return a == b;
    }
};

TEST(cache_loads_of_keys, that_are_compared_while_their_load_is_overtaken_are_made_once) {
    syncmap::cache<int, int, syncmap::hash<int>, slow_equality> c({.capacity = 10});
    std::latch first_loads(1), first_ends(1), second_loads(1), second_ends(1), compares(1), goes_on(1), decided(1);
    std::atomic<int> loads_at_once{0};
    const auto load_counted = [&](std::latch& begun, std::latch& ends) {
        return c.get_or_load(1, [&] {
            EXPECT_EQ(++loads_at_once, 1);
            begun.count_down();
            ends.wait();
            --loads_at_once;
            return 1;
        });
    };
    std::jthread first([&] {
        static_cast<void>(c.get_or_load(1, [&] {
            first_loads.count_down();
            first_ends.wait();
            return 0;
        }));
    });
    first_loads.wait();
    std::jthread slow([&] {
        int comparisons = 0;
        std::function<void()> wait = [&] {
            if (++comparisons == 1) {
                compares.count_down();
                goes_on.wait();
            } else if (comparisons == 2) {
                decided.count_down();
            }
        };
        slow_equality::in_comparison = &wait;
        static_cast<void>(c.get_or_load(1, [&] {
            EXPECT_EQ(++loads_at_once, 1);
            if (comparisons < 2) decided.count_down();
            --loads_at_once;
            return 1;
        }));
        slow_equality::in_comparison = nullptr;
    });
    compares.wait(); // with the key of the first load
    c.invalidate(1);
    first_ends.count_down();
    first.join();
    std::jthread second([&] { static_cast<void>(load_counted(second_loads, second_ends)); });
    second_loads.wait();
    goes_on.count_down();
    decided.wait(); // it compares again, with the key of the second load; or it loads by itself
    second_ends.count_down();
}

// ---- waiting no longer than load_timeout ----

/// Loads "a" in another thread, until `meanwhile` has returned.
template <class Meanwhile>
std::string beside_a_slow_load(page_cache& c, Meanwhile meanwhile) {
    std::latch loading(1);
    std::latch goes_on(1);
    std::string loaded;
    std::jthread slow([&] {
        loaded = c.get_or_load("a", [&] {
            loading.count_down();
            goes_on.wait();
            return std::string("slow");
        });
    });
    loading.wait();
    meanwhile();
    goes_on.count_down();
    slow.join();
    return loaded;
}

TEST(cache_load_timeout, ends_the_wait_and_not_the_load) {
    page_cache c({.capacity = 10, .load_timeout = std::chrono::milliseconds(1)});
    const auto load = [] { return std::string("another"); };
    EXPECT_EQ(beside_a_slow_load(c,
                                 [&] {
                                     EXPECT_THROW(static_cast<void>(c.get_or_load("a", load)), syncmap::load_timeout);
                                     const auto none = [](const text_list&) { return std::map<std::string, std::string>(); };
                                     EXPECT_THROW(static_cast<void>(c.get_all_or_load({"a", "b"}, none)),
                                                  syncmap::load_timeout);
                                     EXPECT_EQ(c.get_or_load("c", load), "another") << "other keys are loaded";
                                 }),
              "slow");
    EXPECT_EQ(c.get("a"), "slow");
}

TEST(cache_load_timeout, then_may_load_alone) {
    page_cache c({.capacity = 10, .load_timeout = std::chrono::milliseconds(1), .then_load_alone = true});
    EXPECT_EQ(beside_a_slow_load(
                  c,
                  [&] {
                      EXPECT_EQ(c.get_or_load("a", [] { return std::optional<std::string>(); }), std::nullopt);
                      EXPECT_EQ(c.get_or_load("a", [] { return std::string("alone"); }), "alone");
                      EXPECT_EQ(c.get("a"), "alone") << "it is stored";
                      c.invalidate("a");
                      EXPECT_EQ(values_of(c.get_all_or_load(
                                    {"a"}, [](const text_list&) { return std::map<std::string, std::string>{{"a", "many"}}; })),
                                (text_list{"many"}));
                  }),
              "slow");
    EXPECT_EQ(c.get("a"), "many") << "the slow load was beaten";
}

TEST(cache_load_timeout, loads_alone_are_refused_their_own_key_and_are_beaten) {
    page_cache c({.capacity = 10, .load_timeout = std::chrono::nanoseconds(0), .then_load_alone = true});
    static_cast<void>(beside_a_slow_load(c, [&] {
        const auto again = [&] { return c.get_or_load("a", [] { return std::string("inner"); }); };
        EXPECT_THROW(static_cast<void>(c.get_or_load("a", again)), syncmap::recursive_load);
        EXPECT_EQ(c.get_or_load("a",
                                [&] {
                                    c.invalidate("a");
                                    return std::string("old");
                                }),
                  "old");
        EXPECT_FALSE(c.contains("a"));
    }));
}

TEST(cache_load_timeout, of_many_waiters_beside_loads_that_end) {
    page_cache c({.capacity = 10, .load_timeout = std::chrono::microseconds(20)});
    std::atomic<int> ends{0};
    {
        std::vector<std::jthread> all;
        for (int t = 0; t < 20; ++t) {
            all.emplace_back([&] {
                for (int i = 0; i < 100; ++i) {
                    try {
                        EXPECT_EQ(c.get_or_load("a",
                                                [] {
                                                    std::this_thread::sleep_for(std::chrono::microseconds(20));
                                                    return std::string("1");
                                                }),
                                  "1");
                        c.invalidate("a");
                    } catch (const syncmap::load_timeout&) {}
                    ++ends;
                }
            });
        }
    }
    EXPECT_EQ(ends.load(), 2'000);
}

TEST(cache_load_timeout, that_is_impossible_is_refused) {
    EXPECT_THROW(page_cache({.capacity = 10, .load_timeout = std::chrono::seconds(-1)}), std::invalid_argument);
    EXPECT_THROW(page_cache({.capacity = 10, .then_load_alone = true}), std::invalid_argument);
    page_cache longest({.capacity = 10, .load_timeout = (std::chrono::nanoseconds::max)()});
    EXPECT_EQ(longest.get_or_load("a", [] { return std::string("1"); }), "1");
}

// ---- misses that are loaded together ----

TEST(cache_coalesced_misses, are_loaded_by_one_call) {
    std::vector<text_list> asked;
    page_cache c({.capacity = 10, .load_many = bulk_source{asked}, .coalesce = {.window = std::chrono::hours(1), .most = 3}});
    std::vector<std::optional<std::string>> got(3);
    const text_list keys{"a", "none", "c"};
    {
        std::vector<std::jthread> all;
        for (std::size_t i = 0; i < 3; ++i) all.emplace_back([&, i] { got[i] = c.get_or_load(keys[i]); });
    }
    EXPECT_EQ(asked, (std::vector<text_list>{{"a", "c", "none"}})) << "no call waited for the window";
    EXPECT_EQ(got, (std::vector<std::optional<std::string>>{"a!", std::nullopt, "c!"}));
    EXPECT_EQ(c.get_or_load("a"), "a!") << "hits do not wait";
    EXPECT_EQ(c.get_or_load("b", [] { return std::string("own"); }), "own") << "nor do functions of the call";
    EXPECT_EQ(values_of(c.get_all_or_load({"d", "e"})), (text_list{"d!", "e!"})) << "nor do many keys";
}

TEST(cache_coalesced_misses, are_loaded_when_the_window_is_over) {
    std::vector<text_list> asked;
    page_cache c({.capacity = 10, .load_many = bulk_source{asked}, .coalesce = {.window = std::chrono::microseconds(10)}});
    EXPECT_EQ(c.get_or_load("a"), "a!");
    EXPECT_EQ(c.pin_or_load("b").value(), "b!");
    EXPECT_EQ(asked.size(), 2U);
}

TEST(cache_coalesced_misses, of_one_key_are_one_key_of_the_load) {
    std::vector<text_list> asked;
    page_cache c({.capacity = 10, .load_many = bulk_source{asked}, .coalesce = {.window = std::chrono::hours(1), .most = 2}});
    {
        std::jthread one([&] { EXPECT_EQ(c.get_or_load("a"), "a!"); });
        std::jthread two([&] { EXPECT_EQ(c.get_or_load("a"), "a!"); });
    }
    EXPECT_EQ(asked, (std::vector<text_list>{{"a"}}));
}

TEST(cache_coalesced_misses, share_an_exception) {
    page_cache c({.capacity = 10,
                  .load_many = [](const text_list&) -> std::map<std::string, std::string> { throw std::runtime_error("no"); },
                  .coalesce = {.window = std::chrono::hours(1), .most = 2}});
    {
        std::jthread one([&] { EXPECT_THROW(static_cast<void>(c.get_or_load("a")), std::runtime_error); });
        std::jthread two([&] { EXPECT_THROW(static_cast<void>(c.get_or_load("b")), std::runtime_error); });
    }
    EXPECT_EQ(c.stats().failed_loads, 1U);
}

TEST(cache_coalesced_misses, inside_of_loaders_and_updates_do_not_wait) {
    page_cache* self = nullptr;
    page_cache c({.capacity = 10,
                  .load_many =
                      [&](const text_list& keys) {
                          std::map<std::string, std::string> found;
                          for (const auto& key : keys)
                              found.emplace(key, key.size() == 1 ? key : self->get_or_load(key.substr(1)).value() + key);
                          return found;
                      },
                  .coalesce = {.window = std::chrono::hours(1), .most = 2}});
    self = &c;
    {
        std::jthread one([&] { EXPECT_EQ(c.get_or_load("cba"), "abacba"); });
        std::jthread two([&] { EXPECT_EQ(c.get_or_load("fed"), "dedfed"); });
    }
    EXPECT_EQ(c.update("x", [&](const std::string*) { return c.get_or_load("y").value(); }), syncmap::update_result::inserted);
}

TEST(cache_coalesced_misses, wait_no_longer_than_load_timeout) {
    std::atomic<bool> goes_on{false};
    const auto go_on = [&] {
        goes_on = true;
        goes_on.notify_all();
    };
    std::atomic<int> late{0};
    page_cache c({.capacity = 10,
                  .load_many =
                      [&](const text_list& keys) {
                          std::map<std::string, std::string> found;
                          if (keys.size() == 1) { // of a thread that has given up before the other one's load began
                              ++late;
                              go_on();
                          }
                          goes_on.wait(false);
                          for (const auto& key : keys) found.emplace(key, "slow");
                          return found;
                      },
                  .coalesce = {.window = std::chrono::hours(1), .most = 2},
                  .load_timeout = std::chrono::milliseconds(1)}); // long before the window's end
    const auto load = [&](const char* key) {
        try {
            EXPECT_EQ(c.get_or_load(key), "slow");
        } catch (const syncmap::load_timeout&) {
            ++late;
            go_on();
        }
    };
    {
        std::jthread one([&] { load("a"); });
        std::jthread two([&] { load("b"); });
    }
    EXPECT_GE(late.load(), 1) << "a thread that does not load for both gives up";
}

TEST(cache_coalesced_misses, that_are_impossible_are_refused) {
    const auto one = [](const std::string& key) { return key; };
    EXPECT_THROW(page_cache({.capacity = 1, .load = one, .coalesce = {.window = std::chrono::seconds(1)}}),
                 std::invalid_argument);
    std::vector<text_list> asked;
    const bulk_source many{asked};
    EXPECT_THROW(page_cache({.capacity = 1, .load_many = many, .coalesce = {.window = std::chrono::seconds(-1)}}),
                 std::invalid_argument);
    EXPECT_THROW(page_cache({.capacity = 1, .load_many = many, .coalesce = {.window = std::chrono::seconds(1), .most = 0}}),
                 std::invalid_argument);
}

/// A policy whose process may be "forked": mutexes that were made before that may be held by threads that the child lacks.
struct forked_sync : syncmap::engine::machine {
    static inline std::uint32_t process = 0;
    struct mutex {
        const std::uint32_t made_in = process;
        void lock() { EXPECT_EQ(made_in, process) << "would wait for a thread that the child lacks"; }
        void unlock() {}
    };
    struct condition {
        void wait(std::unique_lock<mutex>&) { ADD_FAILURE() << "waits for a thread that the child lacks"; }
        bool wait_until(std::unique_lock<mutex>&, const deadline&) { return false; }
        void notify_all() noexcept {}
    };
};

TEST(cache_coalescing, begins_anew_in_the_child_of_a_fork) {
    using coalescing = syncmap::cache_detail::coalescing<forked_sync, int, int>;
    forked_sync::atomic<std::uint32_t> forks{0};
    static auto& all = *new coalescing(1, 2); // never destroyed: it keeps the room that it has left
    const auto load = [](auto& batch) { batch.each_key([&](int) { batch.tell(7, nullptr); }); };
    const auto waits = std::make_shared<coalescing::wish>(1);
    all.join(waits, nullptr, forks, [&](auto& batch) { // this load goes on in the child
        ++forked_sync::process;
        forks.store(1);
        load(batch);
    });
    EXPECT_EQ(all.outcome_of(*waits, forks), 7);
    const auto later = std::make_shared<coalescing::wish>(2);
    all.join(later, nullptr, forks, load);
    EXPECT_EQ(all.outcome_of(*later, forks), 7);
}

} // namespace
