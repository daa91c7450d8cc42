// Listeners: each entry that leaves is told once, with the reason, by the thread that has taken it out; and what a listener may
// do.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>

#include <gtest/gtest.h>

namespace {

using syncmap::removal;
using listened_cache = syncmap::cache<int, std::string>;

struct told_removal {
    int key;
    std::string value;
    removal why;
    friend bool operator==(const told_removal&, const told_removal&) = default;
};
using told_list = std::vector<told_removal>;

syncmap::cache_options<int, std::string> telling(told_list& list, std::size_t capacity = 10) {
    return {.capacity = capacity, .on_removal = [&list](const int& key, const std::string& value, removal why) {
                list.push_back({key, value, why});
            }};
}

TEST(listeners, are_told_the_reason) {
    told_list told;
    listened_cache c(telling(told));
    c.put(1, "a");
    EXPECT_TRUE(told.empty());
    c.put(1, "b");
    c.replace(1, "c");
    c.update(1, [](const std::string*) { return std::string("d"); });
    EXPECT_EQ(std::exchange(told, {}),
              (told_list{{1, "a", removal::replaced}, {1, "b", removal::replaced}, {1, "c", removal::replaced}}));
    c.update(1, [](const std::string*) { return std::optional<std::string>(); });
    c.put(2, "e");
    c.invalidate(2);
    c.put(3, "f");
    EXPECT_EQ(c.take(3), "f");
    EXPECT_EQ(std::exchange(told, {}),
              (told_list{{1, "d", removal::erased}, {2, "e", removal::erased}, {3, "f", removal::erased}}));

    EXPECT_FALSE(c.invalidate(4));
    EXPECT_FALSE(c.replace(4, "x"));
    c.put(5, "g");
    EXPECT_FALSE(c.put_if_absent(5, "x"));
    EXPECT_EQ(c.get_or_load(5, [] { return std::string("x"); }), "g");
    EXPECT_TRUE(told.empty());
    c.invalidate_all();
    EXPECT_EQ(told, (told_list{{5, "g", removal::invalidated}}));
}

TEST(listeners, are_told_of_each_eviction) {
    told_list told;
    listened_cache c(telling(told, 20));
    for (int i = 0; i < 100; ++i) c.put(i, std::to_string(i));
    for (int i = 100; i < 200; ++i) EXPECT_EQ(c.get_or_load(i, [&] { return std::to_string(i); }), std::to_string(i));
    EXPECT_EQ(told.size(), 180U);
    EXPECT_EQ(c.stats().evictions, 180U);
    std::vector<int> seen(200);
    c.for_each([&](int key, const std::string&) { ++seen[static_cast<std::size_t>(key)]; });
    for (const told_removal& each : told) {
        EXPECT_EQ(each.why, removal::size);
        EXPECT_EQ(each.value, std::to_string(each.key));
        ++seen[static_cast<std::size_t>(each.key)];
    }
    EXPECT_EQ(seen, std::vector<int>(200, 1));
}

TEST(listeners, see_the_entry_that_others_hold) {
    const std::string* shown = nullptr;
    listened_cache c({.capacity = 10, .on_removal = [&](const int&, const std::string& value, removal) { shown = &value; }});
    c.put(1, "a");
    const auto pin = c.pin(1);
    c.invalidate(1);
    EXPECT_EQ(shown, &*pin);
}

TEST(listeners, are_not_told_by_the_destructor_nor_of_what_was_not_stored) {
    told_list told;
    {
        listened_cache c(telling(told));
        c.put(1, "a");
        // Overtaken by the put: what is loaded is in no table.
        EXPECT_EQ(c.get_or_load(2,
                                [&] {
                                    c.put(2, "b");
                                    return std::string("in vain");
                                }),
                  "in vain");
    }
    EXPECT_TRUE(told.empty());
    listened_cache none(telling(told, 0));
    EXPECT_FALSE(none.put(1, "a"));
    EXPECT_EQ(none.get_or_load(1, [] { return std::string("b"); }), "b");
    EXPECT_TRUE(told.empty());
}

TEST(listeners, may_throw) {
    std::string error;
    listened_cache c({.capacity = 10,
                      .on_removal = [](const int&, const std::string& value, removal) { throw std::runtime_error(value); },
                      .on_error =
                          [&](std::exception_ptr thrown) {
                              try {
                                  std::rethrow_exception(std::move(thrown));
                              } catch (const std::runtime_error& e) {
                                  error += e.what();
                              }
                              throw std::logic_error("swallowed");
                          },
                      .statistics = false});
    c.put(1, "a");
    EXPECT_TRUE(c.put(1, "b"));
    EXPECT_TRUE(c.invalidate(1));
    EXPECT_EQ(error, "ab");
    EXPECT_EQ(c.stats().failed_listeners, 2U);
    EXPECT_EQ(c.size(), 0U);

    listened_cache silent({.capacity = 10, .on_removal = [](const int&, const std::string&, removal) { throw 1; }});
    silent.put(1, "a");
    EXPECT_TRUE(silent.invalidate(1));
    EXPECT_EQ(silent.stats().failed_listeners, 1U);
}

// ---- a listener that uses its cache ----

TEST(listeners, may_use_the_cache) {
    listened_cache* cache = nullptr;
    int nested = 0;
    told_list told;
    listened_cache c({.capacity = 4, .on_removal = [&](const int& key, const std::string& value, removal why) {
                          told.push_back({key, value, why});
                          if (nested >= 3) return;
                          ++nested;
                          EXPECT_NE(cache->get(key), value); // it has left
                          cache->put(100 + nested, "nested");
                          cache->invalidate(key + 1);
                          EXPECT_LE(cache->size(), 4U);
                      }});
    cache = &c;
    for (int i = 0; i < 20; ++i) c.put(i, std::to_string(i));
    EXPECT_EQ(nested, 3);
    EXPECT_LE(c.size(), 4U);
    EXPECT_EQ(told.size() + c.size(), 23U);
    c.invalidate_all();
    EXPECT_EQ(told.size(), 23U);
}

/// It is called when the thread has no key any more: neither the one that it updates nor the one that it loads.
TEST(listeners, may_write_the_key_of_the_operation) {
    listened_cache* cache = nullptr;
    std::size_t calls = 0;
    bool active = true;
    listened_cache c({.capacity = 2, .on_removal = [&](const int&, const std::string&, removal) {
                          if (!std::exchange(active, false)) return;
                          ++calls;
                          cache->update(1, [](const std::string*) { return std::string("by the listener"); });
                          EXPECT_EQ(cache->get_or_load(3, [] { return std::string("anew"); }), "anew");
                      }});
    cache = &c;
    c.put(1, "a");
    c.update(1, [](const std::string*) { return std::string("b"); });
    EXPECT_EQ(c.get(1), "by the listener");
    EXPECT_EQ(calls, 1U);

    // A load that evicts for its insert.
    c.invalidate(3);
    c.put(2, "b");
    EXPECT_EQ(c.size(), 2U);
    active = true;
    EXPECT_EQ(c.get_or_load(3, [] { return std::string("anew"); }), "anew");
    EXPECT_EQ(calls, 2U);
    EXPECT_EQ(c.stats().failed_listeners, 0U);
}

TEST(listeners, may_invalidate_all_in_an_invalidate_all) {
    listened_cache* cache = nullptr;
    int calls = 0;
    listened_cache c({.capacity = 10, .on_removal = [&](const int& key, const std::string&, removal) {
                          ++calls;
                          if (key < 5) cache->put(key + 100, "again");
                          cache->invalidate_all();
                      }});
    cache = &c;
    for (int i = 0; i < 10; ++i) c.put(i, "a");
    c.invalidate_all();
    EXPECT_EQ(calls, 15);
    EXPECT_EQ(c.size(), 0U);
}

// ---- several threads ----

/// Each value has a number of its own: it is told once, or it is there in the end.
TEST(listeners, are_told_once_beside_all_writers) {
    constexpr std::size_t threads = 4, operations = 4000;
    std::vector<std::atomic<unsigned char>> told(threads * operations);
    std::atomic<bool> was_twice{false};
    syncmap::cache<std::size_t, std::size_t> c(
        {.capacity = 32, .on_removal = [&](const std::size_t&, const std::size_t& number, removal) {
             if (told[number].fetch_add(1) != 0) was_twice = true;
         }});
    std::vector<std::vector<std::size_t>> stored(threads);
    std::vector<std::thread> team;
    for (std::size_t t = 0; t < threads; ++t) {
        team.emplace_back([&, t] {
            std::uint64_t random = 88172645463325252U + t;
            for (std::size_t i = 0; i < operations; ++i) {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                const std::size_t key = random % 64, number = t * operations + i;
                switch (random / 64 % 16) {
                case 0: c.invalidate(key); break;
                case 1: static_cast<void>(c.take(key)); break;
                case 2:
                    if (i % 64 == 0) c.invalidate_all();
                    break;
                case 3:
                case 4: // an `invalidate_all` meanwhile is ordered after: the value may never have been in the table
                    c.update(key, [&](const std::size_t* now) {
                        return now == nullptr || *now % 2 == 0 ? std::optional(number) : std::nullopt;
                    });
                    break;
                default: c.put(key, number); stored[t].push_back(number);
                }
            }
        });
    }
    for (std::thread& each : team) each.join();
    std::vector<unsigned char> there(threads * operations);
    c.for_each([&](std::size_t, std::size_t number) { there[number] = 1; });
    EXPECT_FALSE(was_twice.load());
    std::size_t wrong = 0;
    for (const auto& of_one : stored)
        for (const std::size_t number : of_one) wrong += told[number].load() + there[number] == 1 ? 0 : 1;
    EXPECT_EQ(wrong, 0U);
}

// ---- in order ----

TEST(listeners, in_order_are_told_the_removals_of_each_key_in_their_order) {
    constexpr int keys = 4;
    std::array<int, keys> stored{}; // each is written by updates of its key alone
    std::array<std::atomic<int>, keys> last{};
    std::atomic<int> told{0};
    std::atomic<int> wrong{0};
    listened_cache c({.capacity = 3, .on_removal_in_order = [&](const int& key, const std::string& value, removal) {
                          const int number = std::stoi(value);
                          if (last[static_cast<std::size_t>(key)].exchange(number) >= number) ++wrong;
                          ++told;
                          if (number % 16 == 0) c.invalidate((key + 1) % keys); // it may use the cache
                      }});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 1'500; ++i) {
                const int key = (i + t * i / 3) % keys;
                c.update(key, [&](const std::string*) { return std::to_string(++stored[static_cast<std::size_t>(key)]); });
                if (i % 7 == t) c.invalidate(key);
                if (i % 400 == t) c.invalidate_all();
            }
        });
    }
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(wrong, 0);
    const int all = stored[0] + stored[1] + stored[2] + stored[3];
    EXPECT_EQ(all, 4 * 1'500);
    EXPECT_EQ(told + static_cast<int>(c.size()), all) << "each value is told once, or it is there";
}

TEST(listeners, in_order_are_told_the_reason) {
    told_list told;
    listened_cache c({.capacity = 2, .on_removal_in_order = [&](const int& key, const std::string& value, removal why) {
                          told.push_back({key, value, why});
                          if (value == "a") c.put(1, "c"); // told after this call
                      }});
    c.put(1, "a");
    c.put(1, "b");
    EXPECT_EQ(told, (told_list{{1, "a", removal::replaced}, {1, "b", removal::replaced}}));
    c.put(2, "d");
    c.put(3, "e");
    EXPECT_EQ(told.back().why, removal::size);
    EXPECT_TRUE(c.invalidate(c.contains(2) ? 2 : 1));
    EXPECT_EQ(told.back().why, removal::erased);
    c.put(4, "f", {.ttl = std::chrono::nanoseconds(0)});
    c.expire_now();
    EXPECT_EQ(told.back(), (told_removal{4, "f", removal::expired}));
    c.invalidate_all();
    EXPECT_EQ(told.back(), (told_removal{3, "e", removal::invalidated}));
    EXPECT_EQ(c.size(), 0U);
    EXPECT_EQ(c.stats().invalidated, 1U);
    EXPECT_EQ(told.size(), 6U);
    const auto ignore = [](const int&, const std::string&, removal) {};
    EXPECT_THROW(listened_cache({.capacity = 1, .on_removal = ignore, .on_removal_in_order = ignore}), std::invalid_argument);
    const std::function<void(const int&, const std::string&, removal)> none; // an empty function is none
    EXPECT_NO_THROW(listened_cache({.capacity = 1, .weigh = nullptr, .on_removal = none, .on_removal_in_order = ignore}));
}

/// An entry, for the order alone.
struct ordered_entry {
    std::uint64_t next_label = 0;
    std::uint64_t number = 0;
    static std::uint64_t hash() { return 7; }
};
TEST(listeners, in_order_wait_for_what_was_removed_before) {
    syncmap::cache_detail::removal_order<ordered_entry, syncmap::engine::machine> order;
    std::uint64_t next = 0;
    const auto expect_next = [&](const ordered_entry& e, removal why) {
        EXPECT_EQ(e.number, next);
        ++next;
        EXPECT_EQ(why, removal::replaced);
    };
    for (std::uint64_t round = 0; round < 30'000; ++round) { // the tickets go round
        std::array<ordered_entry, 4> entries{};
        std::array<std::uint64_t, 4> tickets{};
        for (std::size_t i = 0; i < entries.size(); ++i) {
            tickets[i] = order.draw(7);
            entries[i].number = 4 * round + i;
        }
        for (const std::size_t i : {2U, 3U, 1U, 0U}) {
            EXPECT_EQ(next, 4 * round);
            order.tell(order.hand_in(entries[i], removal::replaced, tickets[i]), expect_next);
        }
        ASSERT_EQ(next, 4 * round + 4);
    }
}

} // namespace
