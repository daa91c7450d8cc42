// Time in a cache: its clocks, and entries that expire.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

// ---- expiry ----

using timed_cache =
    syncmap::cache<std::string, std::string, syncmap::hash<std::string>, std::equal_to<>, syncmap::manual_clock>;
using options = timed_cache::options_type;

/// All reads agree that the key has this value, or none.
void expect_shown(timed_cache& c, const std::string& key, const std::optional<std::string>& value) {
    EXPECT_EQ(c.peek(key), value);
    EXPECT_EQ(c.contains(key), value.has_value());
    EXPECT_EQ(c.get(key), value);
    EXPECT_EQ(c.visit(key, [](const std::string&) {}), value.has_value());
    EXPECT_EQ(static_cast<bool>(c.pin(key)), value.has_value());
    std::size_t walked = 0;
    c.for_each([&](const std::string& k, const std::string&) { walked += k == key ? 1 : 0; });
    EXPECT_EQ(walked, value.has_value() ? 1U : 0U);
}

TEST(cache_expiry, ends_an_entry_after_its_write) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 10, .expire_after_write = 10s, .clock = clock});
    c.put("a", "1");
    clock.advance(10s - 1ns);
    expect_shown(c, "a", "1");
    clock.advance(1ns);
    expect_shown(c, "a", std::nullopt);
    EXPECT_EQ(c.size(), 1U) << "reads remove nothing";
    EXPECT_EQ(c.stats().misses, 3U) << "get, visit and pin";
    c.put("a", "2");
    expect_shown(c, "a", "2");
    clock.advance(9s);
    c.put("a", "3");
    clock.advance(9s);
    expect_shown(c, "a", "3");
}

TEST(cache_expiry, is_an_absence_for_every_write) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 20, .expire_after_write = 10s, .clock = clock});
    for (const char* key : {"put_if_absent", "replace", "update", "none", "take", "invalidate", "load"}) c.put(key, "old");
    EXPECT_FALSE(c.put_if_absent("put_if_absent", "no"));
    clock.advance(1h);
    EXPECT_TRUE(c.put_if_absent("put_if_absent", "new"));
    EXPECT_EQ(c.get("put_if_absent"), "new");
    EXPECT_FALSE(c.replace("replace", "new"));
    EXPECT_EQ(c.update("update", [](const std::string* now) { return now == nullptr ? "new" : *now; }),
              syncmap::update_result::inserted);
    EXPECT_EQ(c.get("update"), "new");
    EXPECT_EQ(c.update("none", [](const std::string*) { return std::optional<std::string>(); }), syncmap::update_result::kept);
    EXPECT_EQ(c.take("take"), std::nullopt);
    EXPECT_FALSE(c.invalidate("invalidate"));
    EXPECT_EQ(c.get_or_load("load", [] { return std::string("new"); }), "new");
    EXPECT_EQ(c.get_or_load("load", [] { return std::string("newer"); }), "new");
    c.expire_now();
    EXPECT_EQ(c.size(), 3U);
    EXPECT_EQ(c.stats().expirations, 7U) << "each once, whatever ended it";
    for (int i = 0; i < 100; ++i) c.put(std::to_string(i), "x");
    EXPECT_EQ(c.size(), 20U) << "no permit is lost";
}

TEST(cache_expiry, is_an_absence_for_bulk_loads) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 20, .expire_after_write = 10s, .clock = clock});
    c.put("a", "old");
    clock.advance(10s);
    c.put("b", "live");
    EXPECT_FALSE(c.get_all(std::vector<std::string>{"a"}).front());
    std::size_t asked = 0;
    const auto all = c.get_all_or_load(std::vector<std::string>{"a", "b"}, [&](const auto& keys) {
        asked += keys.size();
        return std::map<std::string, std::string>{{"a", "new"}};
    });
    EXPECT_EQ(asked, 1U);
    EXPECT_EQ(all.size(), 2U);
    EXPECT_EQ(c.get("a"), "new");
}

TEST(cache_expiry, prolongs_an_entry_that_is_used) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 10, .expire_after_access = 64s, .clock = clock});
    c.put("a", "1");
    for (int i = 0; i < 5; ++i) {
        clock.advance(60s);
        EXPECT_EQ(c.get("a"), "1");
    }
    clock.advance(63s);
    EXPECT_EQ(c.peek("a"), "1") << "without a trace";
    EXPECT_TRUE(c.contains("a"));
    clock.advance(1s);
    expect_shown(c, "a", std::nullopt);
    c.put("b", "1");
    clock.advance(1s - 1ns);
    EXPECT_EQ(c.get("b"), "1") << "less than a 64th of the lifetime: not prolonged";
    clock.advance(63s + 1ns);
    EXPECT_EQ(c.get("b"), std::nullopt);
}

TEST(cache_expiry, ends_a_used_entry_at_its_write_limit) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 10, .expire_after_write = 100s, .expire_after_access = 60s, .clock = clock});
    clock.advance(1s);
    c.put("a", "1");
    clock.advance(50s);
    EXPECT_EQ(c.get("a"), "1");
    clock.advance(49s);
    EXPECT_EQ(c.get("a"), "1");
    clock.advance(1s);
    EXPECT_EQ(c.get("a"), std::nullopt);
}

TEST(cache_expiry, is_told_by_a_function_for_each_entry) {
    syncmap::manual_clock clock;
    std::string events;
    timed_cache c({.capacity = 10,
                   .expire =
                       [&](const std::string& key, const std::string& value, syncmap::expiry_event event) {
                           events += event == syncmap::expiry_event::inserted   ? 'i'
                                     : event == syncmap::expiry_event::replaced ? 'r'
                                                                                : 'l';
                           return key == "for ever" ? syncmap::unlimited : std::chrono::nanoseconds(std::stoll(value));
                       },
                   .clock = clock});
    c.put("a", "10");
    c.put("b", "20");
    c.put("for ever", "");
    c.put("not at all", "0");
    expect_shown(c, "not at all", std::nullopt);
    clock.advance(10ns);
    expect_shown(c, "a", std::nullopt);
    expect_shown(c, "b", "20");
    c.put("b", "30");
    clock.advance(29ns);
    expect_shown(c, "b", "30");
    clock.advance(1ns);
    expect_shown(c, "b", std::nullopt);
    EXPECT_EQ(c.get_or_load("c", [] { return std::string("7"); }), "7");
    clock.advance(7ns);
    expect_shown(c, "c", std::nullopt);
    clock.advance(24h * 365 * 100);
    expect_shown(c, "for ever", "");
    EXPECT_EQ(events, "iiiirl");
}

TEST(cache_expiry, is_told_by_a_put) {
    syncmap::manual_clock clock;
    for (const bool has_default : {false, true}) {
        timed_cache c(has_default ? options{.capacity = 10, .expire_after_access = 10s, .clock = clock}
                                  : options{.capacity = 10, .clock = clock});
        c.put("plain", "1");
        c.put("short", "1", {.ttl = 1s});
        c.put("long", "1", {.ttl = 2min});
        c.put("for ever", "1", {.ttl = syncmap::unlimited});
        clock.advance(1s);
        expect_shown(c, "short", std::nullopt);
        expect_shown(c, "plain", "1");
        clock.advance(118s);
        EXPECT_EQ(c.get("plain"), has_default ? std::nullopt : std::optional<std::string>("1"));
        expect_shown(c, "long", "1");
        clock.advance(1s);
        expect_shown(c, "long", std::nullopt);
        expect_shown(c, "for ever", "1");
        c.put("long", "2");
        clock.advance(5s);
        expect_shown(c, "long", "2");
        c.expire_now();
        EXPECT_EQ(c.size(), has_default ? 2U : 3U);
        EXPECT_EQ(c.put("late", "1", {.ttl = -1s}), true);
        expect_shown(c, "late", std::nullopt);
    }
}

TEST(cache_expiry, spreads_the_ends_by_the_jitter) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 1'000, .expire_after_write = 100s, .jitter = 0.5, .clock = clock});
    for (int i = 0; i < 1'000; ++i) c.put(std::to_string(i), "1");
    const auto live = [&] {
        std::size_t n = 0;
        c.for_each([&](const std::string&, const std::string&) { ++n; });
        return n;
    };
    clock.advance(50s - 1ms);
    EXPECT_EQ(live(), 1'000U);
    clock.advance(25s);
    EXPECT_GT(live(), 400U);
    EXPECT_LT(live(), 600U);
    clock.advance(25s + 1ms);
    EXPECT_EQ(live(), 0U);
}

// ---- removal ----

TEST(cache_expiry, takes_an_expired_entry_before_all_others) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 100, .clock = clock});
    for (int i = 0; i < 50; ++i) c.put("brief " + std::to_string(i), "1", {.ttl = 10h});
    for (int i = 0; i < 50; ++i) c.put("long " + std::to_string(i), "1", {.ttl = 1'000h});
    const auto use = [&](const std::string& key) {
        for (int times = 0; times < 3; ++times) static_cast<void>(c.get(key));
    };
    for (int i = 0; i < 50; ++i) use("brief " + std::to_string(i)), use("long " + std::to_string(i));
    clock.advance(10h - 1ns);
    for (int i = 0; i < 50; ++i) c.invalidate("none"); // the scrub hand has nothing to do from here on
    clock.advance(1ns);
    for (int i = 0; i < 40; ++i) {
        c.put("new " + std::to_string(i), "1", {.ttl = 1'000h});
        use("new " + std::to_string(i));
    }
    EXPECT_EQ(c.size(), 100U);
    EXPECT_GE(c.stats().expirations, 25U) << "the uses of an expired entry do not count";
    EXPECT_EQ(c.stats().expirations + c.stats().evictions, 40U);
}

TEST(cache_expiry, tells_the_listener_once_of_each_end) {
    syncmap::manual_clock clock;
    std::string told;
    timed_cache c({.capacity = 4,
                   .expire_after_write = 10s,
                   .on_removal = [&](const std::string& key, const std::string&,
                                     syncmap::removal why) { told += key + (why == syncmap::removal::expired ? "! " : "? "); },
                   .clock = clock});
    c.put("a", "1");
    c.put("b", "1");
    c.put("c", "1");
    c.put("d", "1");
    clock.advance(10s);
    c.put("a", "2");
    c.expire_now();
    c.put("a", "3");
    c.invalidate("a");
    for (const char* end : {"a! ", "b! ", "c! ", "d! "}) EXPECT_NE(told.find(end), std::string::npos) << told;
    EXPECT_EQ(told.substr(told.size() - 6), "a? a? ");
    EXPECT_EQ(told.size(), 18U) << told;
}

TEST(cache_expiry, writes_remove_what_has_expired) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 10'000, .expire_after_write = 80s, .clock = clock});
    for (int i = 0; i < 4'000; ++i) c.put(std::to_string(i), "1");
    clock.advance(80s);
    // A round is due in ten seconds.
    int writes = 0;
    for (; c.stats().expirations < 4'000 && writes < 4'000; ++writes) {
        clock.advance(10ms);
        c.invalidate("none");
    }
    EXPECT_LE(c.size(), 0U);
    EXPECT_LE(writes, 2'010) << "two rounds at most: the first begins in the middle";
    const auto before = c.stats().expirations;
    EXPECT_EQ(before, 4'000U);
}

TEST(cache_expiry, a_round_is_never_faster_than_a_second) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 10'000, .expire_after_write = 1ms, .clock = clock});
    for (int i = 0; i < 4'000; ++i) c.put(std::to_string(i), "1");
    clock.advance(1ms);
    for (int i = 0; i < 100; ++i) c.invalidate("none");
    EXPECT_GT(c.size(), 3'000U) << "the time stands still: nothing is due";
}

TEST(cache_expiry, jumps_of_the_clock_do_no_harm) {
    syncmap::manual_clock clock;
    clock.set(syncmap::manual_clock::time_point(24h));
    timed_cache c({.capacity = 10'000, .expire_after_write = 80s, .clock = clock});
    for (int i = 0; i < 1'000; ++i) c.put(std::to_string(i), "1");
    clock.advance(24h * 365);
    for (int i = 0; i < 10; ++i) c.invalidate("none");
    EXPECT_GT(c.size(), 500U) << "four buckets a write";
    expect_shown(c, "999", std::nullopt);
    const std::uint64_t by_writes = c.stats().expirations;
    EXPECT_EQ(c.expire_now() + by_writes, 1'000U) << "each once";
    EXPECT_EQ(c.stats().expirations, 1'000U);
    for (int i = 0; i < 1'000; ++i) c.put(std::to_string(i), "2");
    clock.set(syncmap::manual_clock::time_point(1h));
    expect_shown(c, "1", "2");
    c.put("1", "3");
    clock.advance(80s);
    expect_shown(c, "1", std::nullopt);
    expect_shown(c, "2", "2");
    for (int i = 0; i < 10'000 && c.contains("2"); ++i) {
        clock.advance(1s);
        c.put("1", "4");
    }
    EXPECT_EQ(c.stats().expirations, 1'001U) << "the others live on: the hand goes on, too, and removes the one alone";
}

TEST(cache_expiry, keeps_the_bound_and_all_permits_beside_other_threads) {
    syncmap::manual_clock clock;
    syncmap::cache<int, int, syncmap::hash<int>, std::equal_to<>, syncmap::manual_clock> c(
        {.capacity = 50, .expire_after_write = 20s, .expire_after_access = 10s, .clock = clock});
    std::atomic<bool> is_over{false};
    std::vector<std::thread> all;
    for (int thread = 0; thread < 3; ++thread) {
        all.emplace_back([&, thread] {
            for (int i = 0; i < 3'000; ++i) {
                const int key = (i * 7 + thread) % 97;
                if (i % 50 == 0) c.expire_now();
                if (i % 5 == 0) c.put(key, i, {.ttl = std::chrono::seconds(i % 3)});
                if (i % 11 == 0) static_cast<void>(c.put_if_absent(key, i));
                if (i % 17 == 0) c.invalidate(key);
                static_cast<void>(c.get_or_load(key, [&] { return i; }));
            }
        });
    }
    all.emplace_back([&] {
        while (!is_over) {
            EXPECT_LE(c.size(), 50U);
            clock.advance(1s);
        }
    });
    for (int i = 0; i < 3; ++i) all[static_cast<std::size_t>(i)].join();
    is_over = true;
    all.back().join();
    clock.advance(1h);
    c.expire_now();
    EXPECT_EQ(c.size(), 0U);
    for (int i = 0; i < 200; ++i) c.put(i, i);
    EXPECT_EQ(c.size(), 50U) << "no permit is lost, and none is made from nothing";
}

TEST(cache_expiry, holds_what_it_held_where_the_function_throws) {
    syncmap::manual_clock clock;
    bool throws = false;
    timed_cache c({.capacity = 3,
                   .expire =
                       [&](const std::string&, const std::string&, syncmap::expiry_event) {
                           if (throws) throw std::runtime_error("no lifetime");
                           return std::chrono::nanoseconds(10s);
                       },
                   .clock = clock});
    c.put("a", "1");
    throws = true;
    EXPECT_THROW(c.put("a", "2"), std::runtime_error);
    EXPECT_THROW(c.put("b", "2"), std::runtime_error);
    EXPECT_THROW(static_cast<void>(c.get_or_load("b", [] { return std::string("3"); })), std::runtime_error);
    EXPECT_EQ(c.get("a"), "1");
    EXPECT_EQ(c.size(), 1U);
    throws = false;
    for (int i = 0; i < 10; ++i) c.put(std::to_string(i), "x");
    EXPECT_EQ(c.size(), 3U);
}

// ---- what it costs ----

struct counting_clock {
    using time_point = std::chrono::time_point<std::chrono::steady_clock>;
    static inline std::atomic<std::uint64_t> reads{0};
    static time_point now() {
        ++reads;
        return std::chrono::steady_clock::now();
    }
};

template <class U>
struct counting_allocator {
    using value_type = U;
    explicit counting_allocator(std::size_t* counter) : bytes(counter) {}
    template <class V>
    counting_allocator(const counting_allocator<V>& other) : bytes(other.bytes) {}
    U* allocate(std::size_t n) {
        *bytes += n * sizeof(U);
        return std::allocator<U>().allocate(n);
    }
    void deallocate(U* p, std::size_t n) noexcept {
        *bytes -= n * sizeof(U);
        std::allocator<U>().deallocate(p, n);
    }
    friend bool operator==(const counting_allocator& a, const counting_allocator& b) { return a.bytes == b.bytes; }
    std::size_t* bytes;
};

template <class Key, class T>
struct costs_of_cache {
    using type = syncmap::cache<Key, T, syncmap::hash<Key>, std::equal_to<>, counting_clock,
                                counting_allocator<std::pair<const Key, T>>>;
    static constexpr int entries = 1'000;

    /// Bytes an entry, and how often the clock was read.
    static std::pair<double, std::uint64_t> of(const typename type::options_type& o, const syncmap::put_options& with = {}) {
        std::size_t bytes = 0;
        typename type::allocator_type counted(&bytes);
        const std::uint64_t before = counting_clock::reads;
        type c(o, counted);
        for (int i = 0; i < entries; ++i) c.put(std::to_string(100'000 + i), "1", with);
        c.flush();
        for (int i = 0; i < entries; ++i) {
            EXPECT_TRUE(c.contains(std::to_string(100'000 + i)));
            EXPECT_TRUE(c.get(std::to_string(100'000 + i)));
        }
        return {static_cast<double>(bytes) / entries, counting_clock::reads - before};
    }
};

template <class Key, class T>
void expect_costs() {
    using costs = costs_of_cache<Key, T>;
    const auto plain = costs::of({.capacity = 2'000});
    EXPECT_EQ(plain.second, 0U) << "no time, no clock";
    const auto timed = costs::of({.capacity = 2'000, .expire_after_write = 1h});
    EXPECT_GE(timed.second, 3U * costs::entries);
    // Hashes have a seed of their own in each cache, so tables that were outgrown took some lines more or fewer: 64 bytes each.
    EXPECT_NEAR(timed.first - plain.first, 16, 1);
    const auto by_entry = costs::of({.capacity = 2'000}, {.ttl = 1h});
    EXPECT_NEAR(by_entry.first - plain.first, 16, 1);
}

TEST(cache_expiry, costs_sixteen_bytes_an_entry_that_has_a_lifetime) {
    expect_costs<std::string, std::string>();
    expect_costs<syncmap::text, syncmap::text>();
}

TEST(cache_expiry, mixes_entries_with_and_without_a_lifetime) {
    syncmap::manual_clock clock;
    timed_cache c({.capacity = 100, .clock = clock});
    for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 20; ++i) {
            const std::string key = std::to_string(i);
            if ((i + round) % 3 == 0) {
                c.put(key, key, {.ttl = 10s});
            } else {
                c.put(key, key);
            }
        }
    }
    clock.advance(10s);
    for (int i = 0; i < 20; ++i) {
        const bool had_end = (i + 49) % 3 == 0;
        EXPECT_EQ(c.get(std::to_string(i)).has_value(), !had_end) << i;
    }
}

// ---- the log of deadlines ----

/// The log against a model of it.
TEST(expiry_log, misses_no_end) {
    using syncmap::cache_detail::nanoseconds_t;
    constexpr nanoseconds_t gone = syncmap::cache_detail::never;
    syncmap::cache_detail::expiry_log<syncmap::engine::machine> log;
    std::map<std::uint64_t, nanoseconds_t> live; // when each ends
    std::mt19937_64 random(19);
    nanoseconds_t now = 5'000'000'000;
    std::size_t removed = 0;
    for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t key = random() % 4'096;
        const std::uint64_t name = key * 0x9E3779B97F4A7C15U;
        const auto length = static_cast<nanoseconds_t>(random() >> (random() % 44 + 18)); // from 1 ns to 19 hours
        const auto end_of = [&](std::uint64_t of, std::uint32_t) {
            const auto found = live.find(of);
            return found == live.end() ? gone : found->second;
        };
        const auto remove = [&](std::uint64_t of, std::uint32_t stamp) {
            const nanoseconds_t ends = end_of(of, stamp);
            if (ends == gone || ends > now) return ends;
            live.erase(of);
            ++removed;
            return gone;
        };
        if (step % 3 == 0) {
            now += static_cast<nanoseconds_t>(random() >> (random() % 44 + 19));
            log.take_all_due(now, remove);
            for (const auto& each : live) ASSERT_GT(each.second, now) << "an end that was missed in step " << step;
        } else if (step % 3 == 1 && log.may_be_due(now)) {
            const auto remove_or_fail = [&](std::uint64_t of, std::uint32_t stamp) {
                return random() % 16 == 0 ? throw std::runtime_error("no memory for a snapshot") : remove(of, stamp);
            };
            try {
                log.take_due(now, 3, remove_or_fail);
            } catch (const std::runtime_error&) {
                EXPECT_TRUE(log.may_be_due(now)) << "the next write looks on";
            }
        } else if (const auto found = live.find(name); found != live.end() && step % 2 == 0) {
            found->second += length; // as a hit that prolongs
        } else if (found == live.end()) {
            live[name] = now + length;
            log.add(name, {now + length, 1}, now, end_of);
        }
    }
    EXPECT_GT(removed, 3'000U);
    EXPECT_FALSE(log.forget_lost());
}

TEST(expiry_log, keeps_no_more_than_twice_what_is_valid) {
    syncmap::cache_detail::expiry_log<syncmap::engine::machine> log;
    std::uint32_t valid = 0;
    for (std::uint32_t write = 0; write < 50'000; ++write) {
        valid = write;
        for (std::uint64_t key = 0; key < 2; ++key) {
            log.add(key << 63, {1'000'000'000, write}, 0, [&](std::uint64_t, std::uint32_t stamp) {
                return stamp == valid ? 1'000'000'000 : syncmap::cache_detail::never;
            });
        }
    }
    const auto [bytes, records] = log.bytes_and_records();
    EXPECT_LT(records, 300U);
    EXPECT_LT(bytes, 60'000U);
}

TEST(cache_expiry, is_prompt_with_a_log) {
    const std::uint64_t before = counting_clock::reads;
    std::size_t bytes = 0;
    costs_of_cache<std::string, std::string>::type many({.capacity = 2'000, .prompt_expiry = true},
                                                        counting_allocator<std::pair<const std::string, std::string>>(&bytes));
    for (int i = 0; i < 1'000; ++i) many.put(std::to_string(i), "1", {.ttl = 1h});
    const std::uint64_t filled = counting_clock::reads - before;
    EXPECT_EQ(many.expire_now(), 0U);
    EXPECT_EQ(counting_clock::reads - before, filled + 1) << "it looks at no entry";

    syncmap::manual_clock clock;
    std::size_t told = 0;
    timed_cache c({.capacity = 2'000,
                   .expire_after_access = 1h,
                   .prompt_expiry = true,
                   .on_removal = [&](const std::string&, const std::string&,
                                     syncmap::removal why) { told += why == syncmap::removal::expired ? 1 : 0; },
                   .clock = clock});
    for (int i = 0; i < 1'000; ++i) c.put(std::to_string(i), "1", {.ttl = std::chrono::nanoseconds(i + 1)});
    clock.advance(500ns);
    EXPECT_EQ(c.expire_now(), 500U);
    EXPECT_EQ(c.size(), 500U);
    for (int i = 900; i < 1'000; ++i) c.put(std::to_string(i), "2");
    for (int i = 500; i < 550; ++i) EXPECT_TRUE(c.invalidate(std::to_string(i)));
    clock.advance(2ms);
    for (int i = 0; i < 10; ++i) c.put("a", "1"); // each looks at 64 records
    EXPECT_EQ(c.size(), 101U) << "writes remove what has expired";
    clock.advance(50min);
    EXPECT_TRUE(c.get("950"));
    EXPECT_EQ(told, 500U + 350U);
    clock.advance(30min);
    EXPECT_EQ(c.expire_now(), 100U) << "a hit has prolonged one of them";
    EXPECT_EQ(c.get("950"), "2");
    clock.advance(-2h);
    c.put("b", "1", {.ttl = 1s});
    clock.advance(2s);
    EXPECT_EQ(c.expire_now(), 1U) << "after a jump back, too";
    clock.advance(10h);
    EXPECT_EQ(c.expire_now(), 1U);
    EXPECT_EQ(c.size(), 0U);
}

// ---- options ----

TEST(cache_expiry, refuses_options_that_contradict_themselves) {
    const auto refuses = [](const options& o) { EXPECT_THROW(timed_cache{o}, std::invalid_argument); };
    refuses({.capacity = 1, .expire_after_write = 0s});
    refuses({.capacity = 1, .expire_after_write = -1s});
    refuses({.capacity = 1, .expire_after_access = -1s});
    refuses({.capacity = 1, .jitter = -0.1});
    refuses({.capacity = 1, .jitter = 1.1});
    refuses({.capacity = 1, .jitter = std::numeric_limits<double>::quiet_NaN()});
    const auto always = [](const std::string&, const std::string&, syncmap::expiry_event) { return 1ns; };
    refuses({.capacity = 1, .expire_after_write = 1s, .expire = always});
    refuses({.capacity = 1, .expire_after_access = 1s, .expire = always});
}

} // namespace
