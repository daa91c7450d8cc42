// What the policy is worth: on loops, scans and skewed requests that are made here, and on real traces where
// SYNCMAP_TRACES names a folder that has them.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <syncmap/cache.hpp>
#include <syncmap/plain_caches.hpp>

#include <attacks/keys.hpp>

#include <gtest/gtest.h>

namespace {

using number_cache = syncmap::cache<std::uint64_t, std::uint64_t>;
using requests = std::vector<std::uint64_t>;

bool ask(number_cache& c, std::uint64_t key) {
    bool has_loaded = false;
    (void)c.get_or_load(key, [&](std::uint64_t) {
        has_loaded = true;
        return key;
    });
    return !has_loaded;
}

/// Per cent of the requests that needed no load. Several threads deal the requests out one by one.
double hits_of(const requests& all, std::size_t capacity, unsigned threads = 1) {
    number_cache c({.capacity = capacity});
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> hits{0};
    const auto work = [&] {
        for (;;) {
            const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
            if (i >= all.size()) return;
            if (ask(c, all[i])) hits.fetch_add(1, std::memory_order_relaxed);
        }
    };
    {
        std::vector<std::jthread> others;
        for (unsigned t = 1; t < threads; ++t) others.emplace_back(work);
        work();
    }
    EXPECT_LE(c.size(), capacity);
    return 100.0 * static_cast<double>(hits.load()) / static_cast<double>(all.size());
}

double hits_of_lru(const requests& all, std::size_t capacity) {
    std::list<std::uint64_t> order;
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> places;
    std::size_t hits = 0;
    for (const std::uint64_t key : all) {
        if (const auto found = places.find(key); found != places.end()) {
            ++hits;
            order.splice(order.begin(), order, found->second);
            continue;
        }
        if (places.size() == capacity) {
            places.erase(order.back());
            order.pop_back();
        }
        order.push_front(key);
        places[key] = order.begin();
    }
    return 100.0 * static_cast<double>(hits) / static_cast<double>(all.size());
}

requests skewed(std::uint64_t keys, std::size_t length) {
    std::vector<double> sums(keys);
    double sum = 0;
    for (std::uint64_t i = 0; i < keys; ++i) sums[i] = sum += std::pow(static_cast<double>(i + 1), -0.99);
    std::mt19937_64 chance(1);
    requests all(length);
    for (auto& key : all) {
        const double at = static_cast<double>(chance() >> 11) * 0x1p-53 * sum;
        key = static_cast<std::uint64_t>(std::lower_bound(sums.begin(), sums.end(), at) - sums.begin()) * 2654435761U;
    }
    return all;
}

TEST(cache_hit_ratio, is_better_than_that_of_lru) {
    const requests all = skewed(50'000, 200'000);
    for (const std::size_t capacity : {500U, 2'000U}) EXPECT_GT(hits_of(all, capacity), hits_of_lru(all, capacity) + 1);
}

TEST(cache_hit_ratio, of_a_loop_that_is_larger_than_the_cache) {
    requests all;
    for (int round = 0; round < 100; ++round) {
        for (std::uint64_t key = 0; key < 1'011; ++key) all.push_back(key * 7919);
    }
    EXPECT_GT(hits_of(all, 512), 40); // at most 50.5; LRU has none
}

TEST(cache_hit_ratio, of_a_hot_set_is_not_harmed_by_a_scan) {
    number_cache c({.capacity = 2'000});
    std::mt19937_64 chance(1);
    const auto hot = [&] { return chance() % 1'500; };
    for (int i = 0; i < 60'000; ++i) ask(c, hot());
    int hits = 0;
    constexpr int asked = 60'000;
    for (std::uint64_t i = 0; i < asked; ++i) {
        for (std::uint64_t once = 0; once < 2; ++once) ask(c, 1'000'000 + 2 * i + once);
        hits += ask(c, hot()) ? 1 : 0;
    }
    EXPECT_GT(hits, asked * 98 / 100);
}

TEST(cache_hit_ratio, of_a_hot_set_is_not_harmed_by_keys_that_are_chosen) {
    for (const auto& chosen : test::attacks::integer_families) {
        number_cache c({.capacity = 1'000});
        std::mt19937_64 chance(1);
        const auto hot = [&] { return 7'919 * (chance() % 700) + 1; };
        for (int i = 0; i < 7'000; ++i) ask(c, hot());
        int hits = 0;
        constexpr int asked = 4'000;
        for (std::uint64_t i = 0; i < asked; ++i) {
            ask(c, chosen.key(i + 10'000'000)); // they aim at one place of table, sketch and ghost
            ask(c, chosen.key(i / 2 + 20'000'000)); // and these come twice, so that the ghost knows them
            hits += ask(c, hot()) ? 1 : 0;
        }
        EXPECT_GT(hits, asked * 96 / 100) << chosen.name;
    }
}

TEST(cache_hit_ratio, of_keys_that_come_twice_soon_and_never_again) {
    requests all;
    for (std::uint64_t key = 0; key < 60'000; ++key) {
        all.push_back(key);
        if (key >= 300) all.push_back(key - 300);
    }
    // At most 50, which LRU has; a cache that leans to frequency has 6. Of two: one cache in 150 turns to recency late.
    EXPECT_GT((std::max)(hits_of(all, 1'000), hits_of(all, 1'000)), 38);
}

TEST(cache_hit_ratio, of_a_loop_that_is_a_little_larger_than_the_cache) {
    requests all;
    for (int round = 0; round < 100; ++round) {
        for (std::uint64_t key = 0; key < 1'100; ++key) all.push_back(key * 7919);
    }
    // At most 90.9; 81 where small has a tenth, 72 where returns need no duel. Of two: one cache in 5,000 learns it late.
    EXPECT_GT((std::max)(hits_of(all, 1'000), hits_of(all, 1'000)), 86);
}

TEST(cache_hit_ratio, of_a_loop_that_is_a_third_larger_than_the_cache) {
    requests all;
    for (int round = 0; round < 100; ++round) {
        for (std::uint64_t key = 0; key < 1'300; ++key) all.push_back(key * 7919);
    }
    // At most 76.9; 74 in most runs, 63 in the worst of 6,000; 25 where a cache that leans to recency does not see that it has
    // no hits.
    EXPECT_GT(hits_of(all, 1'000), 55);
}

TEST(cache_hit_ratio, of_a_loop_whose_cache_has_just_become_full) {
    requests all;
    for (int round = 0; round < 12; ++round) {
        for (std::uint64_t key = 0; key < 4'200; ++key) all.push_back(key * 7919);
    }
    EXPECT_GT(hits_of(all, 4'000), 78); // at most 87.3; 84 in most runs, 79.6 in the worst of 3,000; 75 where it stays balanced
}

TEST(cache_hit_ratio, of_a_loop_beside_keys_that_live_shortly) {
    std::mt19937_64 chance(1);
    requests all;
    requests lately;
    std::uint64_t next = 0;
    while (all.size() < 80'000) {
        if (chance() % 2 == 0) {
            all.push_back(next++ % 600);
        } else if (lately.empty() || chance() % 10 < 3) {
            lately.push_back(all.size() + 1'000'000);
            all.push_back(lately.back());
        } else {
            const std::size_t back = chance() % (std::min)(lately.size(), std::size_t{50});
            all.push_back(lately[lately.size() - 1 - back]);
        }
    }
    // LRU has 35. Of three, since another sample of the keys may tell it later.
    EXPECT_GT((std::max)({hits_of(all, 500), hits_of(all, 500), hits_of(all, 500)}), 40);
}

// ---- plain policies: lru_cache and sieve_cache ----

using plain_lru = syncmap::lru_cache<std::uint64_t, std::uint64_t>;
using plain_sieve = syncmap::sieve_cache<std::uint64_t, std::uint64_t>;

/// LRU and SIEVE as their papers have them: a list, the newest in front.
class listed {
public:
    listed(bool is_lru, std::size_t capacity) : is_lru_(is_lru), capacity_(capacity) {}

    bool ask(std::uint64_t key) {
        if (const auto found = all_.find(key); found != all_.end()) {
            found->second.used = true;
            if (is_lru_) order_.splice(order_.begin(), order_, found->second.at);
            return true;
        }
        if (all_.size() == capacity_) evict();
        order_.push_front(key);
        all_[key] = {order_.begin(), false};
        return false;
    }

private:
    using list = std::list<std::uint64_t>;
    struct place {
        list::iterator at;
        bool used;
    };
    void evict() {
        if (hand_ == order_.end() || is_lru_) hand_ = std::prev(order_.end());
        for (; !is_lru_ && all_[*hand_].used; hand_ = hand_ == order_.begin() ? std::prev(order_.end()) : std::prev(hand_))
            all_[*hand_].used = false;
        const auto victim = hand_;
        hand_ = victim == order_.begin() ? order_.end() : std::prev(victim);
        all_.erase(*victim);
        order_.erase(victim);
    }

    bool is_lru_;
    std::size_t capacity_;
    list order_;
    std::unordered_map<std::uint64_t, place> all_;
    list::iterator hand_ = order_.end();
};

template <class Cache>
std::size_t differences(const requests& all, std::size_t capacity, bool is_lru) {
    Cache c({.capacity = capacity});
    listed model(is_lru, capacity);
    std::size_t found = 0;
    for (const std::uint64_t key : all) {
        const bool hit = c.get(key).has_value();
        if (!hit) c.put(key, key);
        found += hit != model.ask(key) ? 1 : 0;
    }
    return found;
}

TEST(cache_plain_policies, hit_and_miss_request_by_request_as_their_models) {
    const requests all = skewed(5'000, 30'000);
    for (const std::size_t capacity : {1U, 7U, 100U, 900U}) {
        EXPECT_EQ(differences<plain_lru>(all, capacity, true), 0U) << capacity;
        EXPECT_EQ(differences<plain_sieve>(all, capacity, false), 0U) << capacity;
    }
}

TEST(cache_plain_policies, count_puts_as_uses_and_tell_their_order) {
    plain_lru c({.capacity = 3});
    for (const std::uint64_t key : {1U, 2U, 3U, 1U}) c.put(key, key);
    EXPECT_EQ(c.coldest(3)[0].key(), 2U);
    EXPECT_EQ(c.hottest(3)[0].key(), 1U);
    static_cast<void>(c.get(2));
    static_cast<void>(c.peek(3)); // no use
    c.put(4, 4);
    EXPECT_FALSE(c.contains(3));
    EXPECT_GT(c.bytes_used(), 0U);
    c.set_capacity(2);
    EXPECT_FALSE(c.contains(1));
    EXPECT_TRUE(c.contains(2));
}

TEST(cache_plain_policies, let_expired_entries_go_first) {
    syncmap::manual_clock clock;
    syncmap::lru_cache<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, std::equal_to<>, syncmap::manual_clock> c(
        {.capacity = 4, .clock = clock});
    for (std::uint64_t key = 0; key < 3; ++key) c.put(key, key);
    c.put(9, 9, {.ttl = std::chrono::seconds(1)});
    clock.advance(std::chrono::seconds(2));
    c.put(10, 10);
    for (std::uint64_t key = 0; key < 3; ++key) EXPECT_TRUE(c.contains(key)) << key;
}

TEST(cache_plain_policies, keep_the_bound_while_threads_put_and_compute) {
    plain_sieve c({.capacity = 40});
    std::atomic<bool> is_exceeded{false};
    {
        std::vector<std::jthread> all;
        for (std::uint64_t t = 0; t < 8; ++t) {
            all.emplace_back([&, t] {
                for (std::uint64_t i = 0; i < 2'000; ++i) {
                    const std::uint64_t key = (i * 7 + t) % 90;
                    if (!c.get(key)) c.put(key, key);
                    if (i % 16 == 0) {
                        c.update(key, [&](const std::uint64_t*) {
                            c.put(1'000 + i * 8 + t, i); // finds a victim beside the entries that are computed
                            return key;
                        });
                    }
                    if (c.size() > 40) is_exceeded = true;
                }
            });
        }
    }
    EXPECT_FALSE(is_exceeded.load());
    for (std::uint64_t i = 0; i < 50; ++i) c.put(100'000 + i, i);
    EXPECT_EQ(c.size(), 40U) << "all permits have come back";
}

// ---- real traces ----

enum class format { words, ranges };

/// Reads a compressed trace by its decompressor. Empty if it is not there.
requests read_trace(const char* file, const char* command, format how) {
    requests all;
    const char* const folder = std::getenv("SYNCMAP_TRACES");
    if (folder == nullptr || !std::filesystem::exists(std::filesystem::path(folder) / file)) return all;
    const std::string call = std::string(command) + " -dc '" + (std::filesystem::path(folder) / file).string() + "'";
    const auto close = [](std::FILE* f) { static_cast<void>(::pclose(f)); };
    const std::unique_ptr<std::FILE, decltype(close)> in(::popen(call.c_str(), "r"), close);
    if (in == nullptr) return all;
    if (how == format::words) {
        unsigned char b[4];
        while (std::fread(b, 1, 4, in.get()) == 4)
            all.push_back(std::uint64_t{b[0]} << 24 | std::uint64_t{b[1]} << 16 | std::uint64_t{b[2]} << 8 | b[3]);
    } else {
        char line[256];
        unsigned long long first = 0;
        unsigned long long count = 0;
        while (std::fgets(line, sizeof line, in.get()) != nullptr) {
            if (std::sscanf(line, "%llu %llu", &first, &count) != 2) continue;
            for (std::uint64_t i = 0; i < count; ++i) all.push_back(first + i);
        }
    }
    return all;
}

struct cell {
    std::size_t capacity;
    double least;
};
void check_trace(const char* file, const char* command, format how, const std::vector<cell>& cells) {
    const requests all = read_trace(file, command, how);
    if (all.empty()) GTEST_SKIP() << "no " << file << ": SYNCMAP_TRACES names no folder that has it";
    for (const cell& each : cells) {
        EXPECT_GE(hits_of(all, each.capacity), each.least - 0.5) << file << ", " << each.capacity;
        EXPECT_GE(hits_of(all, each.capacity, 8), each.least - 0.7) << file << ", " << each.capacity << ", 8 threads";
    }
}

// What this policy reached when it was designed, in per cent; docs/cache.md has the best known policies beside it.
TEST(cache_traces, requests_of_a_shop) {
    check_trace("web12.trace.xz", "xz", format::words, {{275, 52.4}, {1'375, 72.2}, {3'439, 79.5}});
}
TEST(cache_traces, references_of_a_file_system) {
    check_trace("OLTP.lis.zst", "zstd", format::ranges, {{1'000, 40.5}, {5'000, 55.7}, {15'000, 65.9}});
}
TEST(cache_traces, objects_of_a_database) {
    check_trace("orm-night.trace.xz", "xz", format::words, {{1'729, 74.3}, {8'646, 94.3}, {21'616, 96.6}});
}

} // namespace
