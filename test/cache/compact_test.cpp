// What each operation of a compact cache does.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <limits>
#include <memory_resource>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/compact_cache.hpp>
#include <syncmap/map.hpp>

#include <gtest/gtest.h>

namespace {

using compact = syncmap::compact_cache<std::uint64_t, std::uint32_t>;

TEST(compact_cache, gets_what_was_put) {
    compact c({.capacity = 10});
    EXPECT_EQ(c.get(1), std::nullopt);
    EXPECT_TRUE(c.put(1, 10U));
    EXPECT_EQ(c.get(1), 10U);
    EXPECT_TRUE(c.put(1, 11U));
    EXPECT_EQ(c.peek(1), 11U);
    EXPECT_TRUE(c.contains(1));
    EXPECT_FALSE(c.contains(2));
    EXPECT_EQ(c.size(), 1U);
    EXPECT_EQ(c.capacity(), 10U);
    std::uint64_t shown = 0;
    EXPECT_TRUE(c.visit(1, [&](std::uint64_t key, std::uint32_t value) { shown = 100 * key + value; }));
    EXPECT_EQ(shown, 111U);
    EXPECT_FALSE(c.visit(2, [](std::uint32_t) { FAIL(); }));
}

TEST(compact_cache, puts_under_a_condition) {
    compact c({.capacity = 10});
    EXPECT_FALSE(c.replace(1, 1U));
    EXPECT_EQ(c.size(), 0U);
    EXPECT_TRUE(c.put_if_absent(1, 2U));
    EXPECT_FALSE(c.put_if_absent(1, 3U));
    EXPECT_EQ(c.get(1), 2U);
    EXPECT_TRUE(c.replace(1, 4U));
    EXPECT_EQ(c.take(1), 4U);
    EXPECT_EQ(c.take(1), std::nullopt);
    EXPECT_FALSE(c.invalidate(1));
}

TEST(compact_cache, updates) {
    compact c({.capacity = 10});
    const auto add = [](const std::uint32_t* now) { return now == nullptr ? 1U : *now + 1U; };
    EXPECT_EQ(c.update(1, add), syncmap::update_result::inserted);
    EXPECT_EQ(c.update(1, add), syncmap::update_result::assigned);
    EXPECT_EQ(c.get(1), 2U);
    EXPECT_EQ(c.update(1, [](const std::uint32_t*) { return syncmap::keep; }), syncmap::update_result::kept);
    EXPECT_EQ(c.update(1, [](const std::uint32_t*) { return std::optional<std::uint32_t>(); }), syncmap::update_result::erased);
    EXPECT_EQ(c.update(1, [](const std::uint32_t*) { return std::optional<std::uint32_t>(); }), syncmap::update_result::kept);
    EXPECT_THROW(c.update(1, [](const std::uint32_t*) -> std::uint32_t { throw std::runtime_error("no"); }),
                 std::runtime_error);
    EXPECT_EQ(c.size(), 0U);
}

TEST(compact_cache, loses_no_update) {
    compact c({.capacity = 100});
    constexpr std::uint32_t each = 20'000;
    const auto add = [&] {
        for (std::uint32_t i = 0; i != each; ++i) {
            c.update(7, [](const std::uint32_t* now) { return now == nullptr ? 1U : *now + 1U; });
            static_cast<void>(c.get(7)); // its use changes the same word
        }
    };
    {
        const std::jthread other(add);
        add();
    }
    EXPECT_EQ(c.get(7), 2 * each);
}

template <class T>
void keeps(std::initializer_list<T> values) {
    syncmap::compact_cache<std::uint16_t, T> c({.capacity = 100});
    std::uint16_t key = 0;
    for (const T value : values) {
        c.put(key, value);
        for (int i = 0; i != 5; ++i) EXPECT_EQ(c.get(key), value);
        EXPECT_TRUE(c.replace(key, value));
        EXPECT_EQ(c.take(key++), value);
    }
}
struct pair_of_shorts {
    std::int16_t first;
    std::int16_t second;
    bool operator==(const pair_of_shorts&) const = default;
};
enum class colour : std::uint8_t { red = 0, blue = 255 };

TEST(compact_cache, keeps_each_bit_of_a_value) {
    keeps<std::int32_t>({0, -1, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()});
    keeps<std::uint32_t>({0U, ~0U, 0x8000'0000U});
    keeps<std::int8_t>({0, -1, -128, 127});
    keeps<bool>({false, true});
    keeps<float>({0.0F, -1.5F, std::numeric_limits<float>::infinity()});
    keeps<colour>({colour::red, colour::blue});
    keeps<pair_of_shorts>({{-1, 1}, {32767, -32768}});
}

template <class Key>
void has_keys(std::initializer_list<Key> keys) {
    syncmap::compact_cache<Key, std::uint32_t> c({.capacity = keys.size()});
    std::uint32_t value = 0;
    for (const Key key : keys) c.put(key, ++value);
    value = 0;
    for (const Key key : keys) EXPECT_EQ(c.get(key), ++value);
    EXPECT_EQ(c.for_each([&](const Key& key, std::uint32_t) { EXPECT_NE(std::ranges::find(keys, key), keys.end()); }),
              keys.size());
    for (const Key key : keys) EXPECT_TRUE(c.invalidate(key));
    EXPECT_EQ(c.size(), 0U);
}

TEST(compact_cache, has_all_kinds_of_keys) {
    has_keys<std::uint64_t>({0, 1, ~std::uint64_t{0}, ~std::uint64_t{1}, ~std::uint64_t{2}});
    has_keys<std::int64_t>({0, -1, -2, -3, std::numeric_limits<std::int64_t>::min()});
    has_keys<std::int8_t>({0, -1, -128, 127});
    has_keys<std::uint32_t>({0, 1, ~0U});
    static int objects[3];
    has_keys<const int*>({nullptr, objects, objects + 2});
}

TEST(compact_cache, is_bounded_with_any_capacity) {
    for (std::size_t capacity = 0; capacity != 70; ++capacity) {
        compact c({.capacity = capacity});
        for (std::uint64_t key = 0; key != 500; ++key) {
            EXPECT_EQ(c.put(key % 3 == 0 ? ~key : key, 1U), capacity != 0);
            EXPECT_LE(c.size(), capacity);
            EXPECT_EQ(c.contains(key % 3 == 0 ? ~key : key), capacity != 0) << "a put never evicts its own entry";
        }
        EXPECT_EQ(c.size(), capacity);
        EXPECT_EQ(c.stats().evictions, capacity == 0 ? 0U : 500 - capacity);
    }
}

TEST(compact_cache, is_bounded_at_every_instant) {
    compact c({.capacity = 500});
    std::atomic<bool> ended{false};
    std::vector<std::jthread> threads;
    std::jthread observer([&] {
        while (!ended.load()) ASSERT_LE(c.size(), 500U);
    });
    {
        std::vector<std::jthread> writers;
        for (unsigned t = 0; t != 8; ++t) {
            writers.emplace_back([&c, t] {
                std::uint64_t chance = t + 1;
                for (int i = 0; i != 15'000; ++i) {
                    chance = chance * 6364136223846793005U + 1442695040888963407U;
                    const std::uint64_t key = chance >> 40 & 2047;
                    if (i % 5'000 == 4'999) c.invalidate_all();
                    if (chance >> 30 % 16 == 0) c.invalidate(key);
                    if (const auto value = c.get(key)) {
                        ASSERT_EQ(*value, static_cast<std::uint32_t>(key));
                    } else {
                        c.put(key, static_cast<std::uint32_t>(key));
                    }
                }
            });
        }
    }
    ended = true;
    observer.join();
    for (std::uint64_t key = 5'000; c.size() < 500; ++key) ASSERT_TRUE(c.put(key, 1U));
    EXPECT_EQ(c.size(), 500U) << "no permit is lost";
}

TEST(compact_cache, changes_its_capacity) {
    compact c({.capacity = 1'000});
    for (std::uint64_t key = 0; key != 1'000; ++key) c.put(key, 1U);
    c.set_capacity(100);
    EXPECT_EQ(c.size(), 100U);
    EXPECT_EQ(c.capacity(), 100U);
    c.set_capacity(3'000);
    for (std::uint64_t key = 0; key != 5'000; ++key) c.put(key, 1U);
    EXPECT_EQ(c.size(), 3'000U);
    c.set_capacity(0);
    EXPECT_EQ(c.size(), 0U);
    EXPECT_FALSE(c.put(1, 1U));
}

TEST(compact_cache, invalidates_what_is_named) {
    compact c({.capacity = 1'000});
    for (std::uint64_t key = 0; key != 100; ++key) c.put(key, static_cast<std::uint32_t>(key));
    EXPECT_EQ(c.invalidate_if([](std::uint64_t key, std::uint32_t value) { return key == value && key % 2 == 0; }), 50U);
    EXPECT_EQ(c.size(), 50U);
    c.invalidate_all();
    EXPECT_EQ(c.size(), 0U);
    for (std::uint64_t key = 0; key != 2'000; ++key) c.put(key, 1U);
    EXPECT_EQ(c.size(), 1'000U);
    EXPECT_EQ(c.stats().invalidated, 100U);
}

TEST(compact_cache, loads_a_key_once) {
    compact c({.capacity = 10});
    std::atomic<int> calls{0};
    constexpr int asking = 8;
    std::latch all(asking);
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t != asking; ++t) {
            threads.emplace_back([&] {
                all.arrive_and_wait();
                EXPECT_EQ(c.get_or_load(1,
                                        [&](std::uint64_t key) {
                                            ++calls;
                                            return static_cast<std::uint32_t>(key) + 1;
                                        }),
                          2U);
            });
        }
    }
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(c.get(1), 2U);
}

TEST(compact_cache, tells_what_loaders_do) {
    compact c({.capacity = 10, .load = [](std::uint64_t key) -> std::optional<std::uint32_t> {
                   if (key == 0) return std::nullopt;
                   return static_cast<std::uint32_t>(2 * key);
               }});
    EXPECT_EQ(c.get_or_load(2), 4U);
    EXPECT_EQ(c.get_or_load(0), std::nullopt);
    EXPECT_FALSE(c.contains(0));
    EXPECT_THROW(static_cast<void>(c.get_or_load(1, []() -> std::uint32_t { throw std::runtime_error("no"); })),
                 std::runtime_error);
    EXPECT_FALSE(c.contains(1));
    EXPECT_THROW(static_cast<void>(c.get_or_load(3, [&] { return c.get_or_load(3, [] { return 1U; }); })),
                 syncmap::recursive_load);
    EXPECT_EQ(c.get_or_load(3, [&] { return c.get_or_load(4, [] { return 1U; }); }), 1U) << "loaders load other keys";
    EXPECT_EQ(c.stats().failed_loads, 2U);
    compact without({.capacity = 10});
    EXPECT_THROW(static_cast<void>(without.get_or_load(1)), syncmap::no_loader);
    compact closed({.capacity = 0});
    EXPECT_EQ(closed.get_or_load(1, [] { return 5U; }), 5U);
    EXPECT_EQ(closed.size(), 0U);
}

TEST(compact_cache, drops_a_load_that_a_later_write_beats) {
    for (const bool clears : {false, true}) {
        compact c({.capacity = 10});
        EXPECT_EQ(c.get_or_load(1,
                                [&] {
                                    if (clears) {
                                        c.invalidate_all();
                                    } else {
                                        c.invalidate(1);
                                    }
                                    return 1U;
                                }),
                  1U);
        EXPECT_FALSE(c.contains(1));
        EXPECT_EQ(c.stats().stale_dropped, 1U);
    }
    compact c({.capacity = 10});
    EXPECT_EQ(c.get_or_load(1,
                            [&] {
                                c.put(1, 2U);
                                return 1U;
                            }),
              1U);
    EXPECT_EQ(c.get(1), 2U);
}

TEST(compact_cache, counts_what_happens) {
    compact c({.capacity = 100});
    for (std::uint64_t key = 0; key != 150; ++key) c.put(key, 1U);
    for (std::uint64_t key = 0; key != 150; ++key) static_cast<void>(c.get(key));
    const auto all = c.stats();
    EXPECT_EQ(all.inserts, 150U);
    EXPECT_EQ(all.evictions, 50U);
    EXPECT_EQ(all.hits, 100U);
    EXPECT_EQ(all.misses, 50U);
    EXPECT_EQ(all.entries, 100U);
    compact silent({.capacity = 100, .statistics = false});
    silent.put(1, 1U);
    EXPECT_EQ(silent.get(1), 1U);
    EXPECT_EQ(silent.stats().hits + silent.stats().inserts, 0U);
}

/// Counts what is allocated.
class counting_memory : public std::pmr::memory_resource {
public:
    std::size_t bytes = 0;

private:
    void* do_allocate(std::size_t n, std::size_t alignment) override {
        bytes += n;
        return std::pmr::new_delete_resource()->allocate(n, alignment);
    }
    void do_deallocate(void* p, std::size_t n, std::size_t alignment) override {
        bytes -= n;
        std::pmr::new_delete_resource()->deallocate(p, n, alignment);
    }
    bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

TEST(compact_cache, takes_fifteen_bytes_an_entry_more_than_a_map) {
    using allocator = std::pmr::polymorphic_allocator<std::pair<const std::uint64_t, std::uint32_t>>;
    using equal = std::equal_to<>;
    using hash = syncmap::hash<std::uint64_t>;
    for (const std::size_t entries : {100'000U, 200'000U}) {
        counting_memory of_cache;
        counting_memory of_map;
        syncmap::compact_cache<std::uint64_t, std::uint32_t, hash, equal, allocator> c({.capacity = entries}, &of_cache);
        syncmap::map<std::uint64_t, std::uint32_t, hash, equal, allocator> m{allocator(&of_map)};
        for (std::uint64_t key = 0; key != entries; ++key) m.store(key * 0x9E37'79B9'7F4A'7C15U, 1U);
        for (std::uint64_t key = 0; key != 4 * entries; ++key) c.put(key * 0x9E37'79B9'7F4A'7C15U, 1U);
        EXPECT_LE(of_cache.bytes, of_map.bytes + 15 * entries);
        EXPECT_LE(c.bytes_used(), of_cache.bytes + of_cache.bytes / 20);
        EXPECT_GE(c.bytes_used(), of_cache.bytes - of_cache.bytes / 20);
    }
}

} // namespace
