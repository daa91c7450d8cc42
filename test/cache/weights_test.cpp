// Entries with weights: the bound, what is refused, and what each kind of write does to the sum.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>

#include <gtest/gtest.h>

namespace {

/// A value says what it weighs.
using weighty_cache = syncmap::cache<std::uint64_t, std::uint64_t>;
std::size_t own_weight(std::uint64_t, std::uint64_t value) { return value; }

std::size_t sum_of(const weighty_cache& c) {
    std::size_t sum = 0;
    c.for_each([&](std::uint64_t, std::uint64_t value) { sum += value; });
    return sum;
}

TEST(cache_weights, count_for_the_capacity) {
    weighty_cache c({.capacity = 100, .weigh = own_weight});
    EXPECT_TRUE(c.put(1, 60));
    EXPECT_TRUE(c.put(2, 40));
    EXPECT_EQ(c.weight(), 100U);
    EXPECT_EQ(c.size(), 2U);
    EXPECT_TRUE(c.put(3, 30));
    EXPECT_EQ(c.get(3), 30U);
    EXPECT_LE(c.weight(), 100U);
    EXPECT_EQ(c.weight(), sum_of(c));
    EXPECT_TRUE(c.put(4, 100)) << "all of it";
    EXPECT_EQ(c.size(), 1U);
    EXPECT_EQ(c.weight(), 100U);
    c.invalidate(4);
    EXPECT_EQ(c.weight(), 0U);
    for (std::uint64_t key = 0; key < 500; ++key) EXPECT_TRUE(c.put(key, key % 7 + 1));
    EXPECT_EQ(c.weight(), sum_of(c));
    EXPECT_GT(c.weight(), 90U);
    c.invalidate_all();
    c.flush();
    EXPECT_EQ(c.weight(), 0U);
    EXPECT_EQ(c.size(), 0U);
    for (std::uint64_t key = 0; key < 100; ++key) c.put(key, 1);
    EXPECT_EQ(c.size(), 100U) << "all permits have come back";
}

TEST(cache_weights, of_a_new_value_replace_those_of_the_old_one) {
    weighty_cache c({.capacity = 100, .weigh = own_weight});
    c.put(1, 50);
    c.put(2, 50);
    EXPECT_TRUE(c.put(1, 20));
    EXPECT_EQ(c.weight(), 70U);
    EXPECT_TRUE(c.put(1, 50)) << "the room that it left";
    EXPECT_TRUE(c.contains(2));
    EXPECT_TRUE(c.replace(1, 70)) << "one that grows evicts others, and not itself";
    EXPECT_EQ(c.get(1), 70U);
    EXPECT_FALSE(c.contains(2));
    EXPECT_EQ(c.update(1, [](const std::uint64_t* now) { return *now + 30; }), syncmap::update_result::assigned);
    EXPECT_EQ(c.weight(), 100U);
    EXPECT_EQ(c.take(1), 100U);
    EXPECT_EQ(c.weight(), 0U);
}

TEST(cache_weights, above_the_capacity_are_refused) {
    weighty_cache c({.capacity = 100, .weigh = own_weight});
    c.put(1, 10);
    c.put(2, 10);
    EXPECT_FALSE(c.put(3, 101));
    EXPECT_EQ(c.size(), 2U) << "nothing is evicted for it";
    EXPECT_FALSE(c.put(1, 101));
    EXPECT_FALSE(c.contains(1)) << "an old value that was to be replaced is not shown any more";
    EXPECT_EQ(c.weight(), 10U);
    EXPECT_EQ(c.update(2, [](const std::uint64_t*) { return std::uint64_t{1'000}; }), syncmap::update_result::erased);
    EXPECT_EQ(c.update(2, [](const std::uint64_t*) { return std::uint64_t{1'000}; }), syncmap::update_result::kept);
    EXPECT_FALSE(c.put(4, std::numeric_limits<std::uint64_t>::max()));
    EXPECT_EQ(c.get_or_load(5, [] { return std::uint64_t{500}; }), 500U) << "it is given to the caller";
    EXPECT_FALSE(c.contains(5));
    EXPECT_EQ(c.weight(), 0U);
    EXPECT_TRUE(c.put(1, 100));
}

TEST(cache_weights, above_the_capacity_do_not_replace_what_has_expired) {
    syncmap::manual_clock time;
    syncmap::cache<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, std::equal_to<>, syncmap::manual_clock> c(
        {.capacity = 100, .weigh = own_weight, .clock = time});
    const auto expires = [&](std::uint64_t key) {
        c.put(key, 10, {.ttl = std::chrono::seconds(1)});
        time.advance(std::chrono::seconds(2));
    };
    expires(1);
    EXPECT_FALSE(c.put(1, 500));
    expires(2);
    EXPECT_FALSE(c.put_if_absent(2, 500));
    expires(3);
    EXPECT_EQ(c.update(3, [](const std::uint64_t*) { return std::uint64_t{500}; }), syncmap::update_result::kept);
    EXPECT_EQ(c.size(), 0U);
    EXPECT_EQ(c.weight(), 0U);
    EXPECT_EQ(c.stats().expirations, 3U);
    EXPECT_TRUE(c.put(4, 100)) << "all permits have come back";
}

/// Two keys each have one hash. `before_comparison` runs before two keys are compared.
struct hash_of_pairs {
    using is_avalanching = void;
    std::size_t operator()(std::uint64_t key) const { return syncmap::hash<std::uint64_t>()(key / 2); }
};
struct watched_equality {
    inline static std::function<void()> before_comparison;
    bool operator()(std::uint64_t a, std::uint64_t b) const {
        if (before_comparison) before_comparison();
        return a == b;
    }
};
using paired_cache = syncmap::cache<std::uint64_t, std::uint64_t, hash_of_pairs, watched_equality>;

TEST(cache_weights, above_the_capacity_erase_only_the_value_that_they_were_to_replace) {
    std::vector<std::uint64_t> erased;
    paired_cache c(
        {.capacity = 100, .weigh = own_weight, .on_removal = [&](std::uint64_t, std::uint64_t value, syncmap::removal why) {
             if (why == syncmap::removal::erased) erased.push_back(value);
         }});
    c.put(1, 10);
    int comparisons = 0;
    const auto outcome = c.update(1, [&](const std::uint64_t*) {
        watched_equality::before_comparison = [&] {
            // The first is that of the write. A second one would be that of an erase of its own.
            if (++comparisons == 2) std::jthread([&] { c.put(1, 20); }).join();
        };
        return std::uint64_t{500};
    });
    watched_equality::before_comparison = nullptr;
    EXPECT_EQ(outcome, syncmap::update_result::erased);
    EXPECT_EQ(erased, std::vector<std::uint64_t>{10});
    c.put(1, 10);
    EXPECT_FALSE(c.put_if_absent(1, 500));
    EXPECT_EQ(c.get(1), 10U) << "a key that is there is none of its business";
    EXPECT_FALSE(c.put(1, 500));
    EXPECT_EQ(c.weight(), 0U);
    EXPECT_TRUE(c.put(1, 100)) << "all permits have come back";
}

/// Calls `put`, which may wait for ever: false, if it had to be given a larger capacity to return.
template <class Cache>
bool returns_by_itself(Cache& c, std::function<void()> put) {
    std::promise<void> ended;
    std::jthread other([&] {
        put();
        ended.set_value();
    });
    const bool has_ended = ended.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    if (!has_ended) c.set_capacity(1'000'000);
    return has_ended;
}

/// Shows what a put does before it replaces an entry.
struct opened_cache : weighty_cache {
    using weighty_cache::engine_;
    using weighty_cache::eviction_;
    using weighty_cache::eviction_type;
    using weighty_cache::weighty_cache;
};

TEST(cache_weights, that_grow_wait_for_no_more_than_a_capacity_that_has_become_smaller) {
    opened_cache c({.capacity = 10'000, .weigh = own_weight});
    c.put(1, 5'000);
    c.set_capacity(6'000);
    ASSERT_TRUE(c.contains(1));
    std::size_t held = 0;
    ASSERT_TRUE(returns_by_itself(c, [&] { // a put of 9,000 that has looked at the capacity before
        opened_cache::eviction_type::visitor by(c.engine_, nullptr);
        opened_cache::eviction_type::sighting seen(by);
        ASSERT_TRUE(c.engine_.find(c.engine_.hash_of_key(std::uint64_t{1}), seen));
        opened_cache::eviction_type::admission mine;
        mine.need = 9'000;
        c.eviction_.admit_more(by, c.eviction_.lane_of(by), std::addressof(*seen), mine, 4'000);
        held = mine.held;
        c.eviction_.give_back(mine);
        c.eviction_.leave(mine);
        c.eviction_.finish(by, mine);
    }));
    EXPECT_LE(held, 1'000U) << "not what the entry itself has";
    EXPECT_FALSE(c.put(1, 9'000));
    EXPECT_EQ(c.weight(), 0U);
}

TEST(cache_weights, that_grow_evict_another_entry_with_the_same_hash) {
    paired_cache c({.capacity = 10, .weigh = own_weight});
    for (const std::uint64_t key : {2U, 3U}) {
        c.put(2, 5);
        c.put(3, 5);
        ASSERT_EQ(c.size(), 2U);
        ASSERT_TRUE(returns_by_itself(c, [&] { c.put(key, 6); }));
        EXPECT_EQ(c.get(key), 6U);
        EXPECT_EQ(c.weight(), 6U);
        EXPECT_EQ(c.stats().evictions, key - 1) << "the other one alone";
        c.invalidate(key);
    }
}

TEST(cache_weights, of_zero_are_never_evicted) {
    weighty_cache c({.capacity = 10, .weigh = own_weight});
    for (std::uint64_t key = 0; key < 50; ++key) EXPECT_TRUE(c.put(key, 0));
    for (std::uint64_t key = 100; key < 1'000; ++key) EXPECT_TRUE(c.put(key, 1 + key % 3));
    for (std::uint64_t key = 0; key < 50; ++key) EXPECT_TRUE(c.contains(key));
    EXPECT_LE(c.weight(), 10U);
    c.put(0, 5);
    for (std::uint64_t key = 100; key < 400; ++key) c.put(key, 10);
    EXPECT_FALSE(c.contains(0)) << "an entry that weighs something again is one as others";
    c.put(1, 4);
    c.put(1, 0);
    for (std::uint64_t key = 100; key < 400; ++key) c.put(key, 10);
    EXPECT_TRUE(c.contains(1));
    EXPECT_EQ(c.weight(), sum_of(c));
}

TEST(cache_weights, of_cleared_entries_return_before_one_that_is_there_is_evicted) {
    weighty_cache c({.capacity = 20'000, .weigh = own_weight});
    for (std::uint64_t key = 0; key < 20'000; ++key) c.put(key, 1);
    c.invalidate_all();
    for (std::uint64_t key = 0; key < 3; ++key) c.put(key, 2'100); // heavy enough to be main at once
    EXPECT_TRUE(c.put(3, 10'000));
    EXPECT_EQ(c.stats().evictions, 0U);
    EXPECT_EQ(c.size(), 4U);
}

TEST(cache_weights, of_zero_come_first_among_those_that_stay) {
    weighty_cache c({.capacity = 100, .weigh = own_weight});
    c.put(1, 0);
    for (std::uint64_t key = 2; key < 20; ++key) c.put(key, 1);
    for (int uses = 0; uses < 3; ++uses) EXPECT_TRUE(c.get(2));
    EXPECT_EQ(c.hottest(1).front().key(), 1U);
    EXPECT_EQ(c.coldest(100).back().key(), 1U);
}

TEST(cache_weights, that_throw_lose_nothing) {
    bool throws = false;
    weighty_cache c({.capacity = 100, .weigh = [&](std::uint64_t, std::uint64_t value) {
                         if (throws) throw std::runtime_error("no scales");
                         return value;
                     }});
    c.put(1, 40);
    c.put(2, 60);
    throws = true;
    EXPECT_THROW(c.put(1, 5), std::runtime_error);
    EXPECT_THROW(c.put(3, 5), std::runtime_error);
    EXPECT_THROW(c.update(2, [](const std::uint64_t*) { return std::uint64_t{5}; }), std::runtime_error);
    EXPECT_THROW(static_cast<void>(c.get_or_load(4, [] { return std::uint64_t{5}; })), std::runtime_error);
    throws = false;
    EXPECT_EQ(c.get(1), 40U);
    EXPECT_EQ(c.get(2), 60U);
    EXPECT_EQ(c.weight(), 100U);
    c.invalidate_all();
    c.flush();
    EXPECT_TRUE(c.put(1, 100));
}

TEST(cache_weights, go_down_with_the_capacity) {
    weighty_cache c({.capacity = 1'000, .weigh = own_weight});
    for (std::uint64_t key = 0; key < 300; ++key) c.put(key, 1 + key % 9);
    c.set_capacity(50);
    EXPECT_LE(c.weight(), 50U);
    EXPECT_EQ(c.weight(), sum_of(c));
    c.set_capacity(5'000);
    for (std::uint64_t key = 0; key < 300; ++key) c.put(key, 1 + key % 9);
    EXPECT_EQ(c.size(), 300U);
    EXPECT_EQ(c.weight(), sum_of(c));
}

TEST(cache_weights, are_bounded_at_every_instant) {
    for (const std::size_t capacity : {40U, 3'000U}) {
        weighty_cache c({.capacity = capacity, .weigh = own_weight});
        std::atomic<bool> ended{false};
        std::size_t most = 0;
        std::jthread watcher([&] {
            while (!ended.load()) {
                const std::size_t n = c.weight();
                if (n > most) most = n;
            }
        });
        {
            std::vector<std::jthread> workers;
            for (unsigned t = 0; t < 8; ++t) {
                workers.emplace_back([&, t] {
                    std::minstd_rand chance(t + 1);
                    for (int i = 0; i < 2'500; ++i) {
                        const std::uint64_t key = chance() % (capacity / 4);
                        const std::uint64_t weight = chance() % (i % 50 == 0 ? capacity + 2 : 20);
                        switch (chance() % 8) {
                        case 0: c.invalidate(key); break;
                        case 1: c.replace(key, weight); break;
                        case 2: c.update(key, [&](const std::uint64_t* now) { return now == nullptr ? 1 : *now + 1; }); break;
                        case 3: static_cast<void>(c.get_or_load(key, [&] { return weight; })); break;
                        case 4:
                            if (i % 512 == 0) c.invalidate_all();
                            break;
                        default: EXPECT_EQ(c.put(key, weight), weight <= capacity);
                        }
                    }
                });
            }
        }
        ended = true;
        watcher.join();
        EXPECT_LE(most, capacity);
        EXPECT_EQ(c.weight(), sum_of(c));
        c.invalidate_all();
        c.flush();
        for (std::uint64_t key = 0; key < 2 * capacity; ++key) c.put(key, 1);
        EXPECT_EQ(c.size(), capacity) << "all permits have come back";
    }
}

TEST(cache_weights, in_bytes) {
    syncmap::cache<std::string, std::string> c({.capacity = 100'000, .weigh = syncmap::bytes_of});
    c.put("a", std::string(1'000, 'x'));
    EXPECT_GT(c.weight(), 1'000U + 2 * sizeof(std::string));
    EXPECT_LT(c.weight(), 1'000U + 4 * sizeof(std::string));
    for (int i = 0; i < 500; ++i) c.put(std::to_string(i), std::string(1'000, 'x'));
    EXPECT_LE(c.weight(), 100'000U);
    EXPECT_GT(c.size(), 80U);
    EXPECT_LT(c.size(), 100U);
    syncmap::cache<int, std::shared_ptr<int>> unknown({.capacity = 100'000, .weigh = syncmap::bytes_of});
    EXPECT_THROW(unknown.put(1, std::make_shared<int>(1)), std::invalid_argument);
    EXPECT_EQ(unknown.weight(), 0U);
}

/// Hits of an LRU whose entries have weights.
class weighted_lru {
public:
    explicit weighted_lru(std::size_t capacity) : free_(capacity) {}
    bool ask(std::uint64_t key, std::size_t weight) {
        if (const auto found = places_.find(key); found != places_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return true;
        }
        for (; free_ < weight; order_.pop_back()) {
            free_ += order_.back().second;
            places_.erase(order_.back().first);
        }
        free_ -= weight;
        order_.emplace_front(key, weight);
        places_[key] = order_.begin();
        return false;
    }

private:
    std::size_t free_;
    std::list<std::pair<std::uint64_t, std::size_t>> order_;
    std::unordered_map<std::uint64_t, std::list<std::pair<std::uint64_t, std::size_t>>::iterator> places_;
};

TEST(cache_weights, hit_more_often_than_least_recently_used) {
    // Skewed requests, weights 1 to 64 by the key.
    constexpr std::size_t capacity = 36'000;
    const auto weight = [](std::uint64_t key) { return std::size_t{1} << (key >> 3) % 7; };
    weighty_cache c({.capacity = capacity, .weigh = [&](std::uint64_t key, std::uint64_t) { return weight(key); }});
    weighted_lru lru(capacity);
    std::mt19937_64 chance(1);
    int hits = 0;
    int hits_of_lru = 0;
    constexpr int asked = 100'000;
    for (int i = 0; i < asked; ++i) {
        const double u = static_cast<double>(chance() >> 11) * 0x1p-53;
        const std::uint64_t key = static_cast<std::uint64_t>(std::pow(20'000.0, u)) * 2654435761U; // about Zipf
        hits_of_lru += lru.ask(key, weight(key)) ? 1 : 0;
        if (c.visit(key, [](std::uint64_t) {})) {
            ++hits;
        } else {
            c.put(key, key);
        }
    }
    EXPECT_GT(c.weight(), capacity * 9 / 10) << "most of the capacity is used";
    EXPECT_GT(100.0 * hits / asked, 100.0 * hits_of_lru / asked + 1);
}

} // namespace
