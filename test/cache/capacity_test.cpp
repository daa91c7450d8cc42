// Changes of the capacity: what stays, what is free again, and that the bound holds meanwhile.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>
#include <syncmap/map.hpp>

#include <gtest/gtest.h>

namespace {

using resized_cache = syncmap::cache<std::uint64_t, std::uint64_t>;

void put_all(auto& c, std::uint64_t from, std::uint64_t n) {
    for (std::uint64_t key = from; key != from + n; ++key) c.put(key, key);
}

TEST(cache_capacity, goes_down_and_up) {
    resized_cache c({.capacity = 1'000});
    put_all(c, 0, 1'000);
    c.set_capacity(100);
    EXPECT_EQ(c.capacity(), 100U);
    EXPECT_EQ(c.size(), 100U);
    put_all(c, 5'000, 500);
    EXPECT_EQ(c.size(), 100U);
    c.set_capacity(30'000);
    EXPECT_EQ(c.capacity(), 30'000U);
    EXPECT_EQ(c.size(), 100U) << "nothing leaves a cache that becomes larger";
    put_all(c, 10'000, 29'900);
    EXPECT_EQ(c.size(), 30'000U) << "all of it can be used";
    put_all(c, 100'000, 100);
    EXPECT_EQ(c.size(), 30'000U);
    c.set_capacity(29'000);
    EXPECT_EQ(c.size(), 29'000U);
}

TEST(cache_capacity, goes_down_to_so_few_entries_that_no_key_is_sampled) {
    for (const std::size_t few : {1U, 10U, 63U}) {
        resized_cache c({.capacity = 1'000});
        put_all(c, 0, 1'000);
        for (std::uint64_t key = 0; key != 1'000; ++key)
            static_cast<void>(c.get(key)); // the thread notes hits of keys in the sample
        c.set_capacity(few);
        put_all(c, 5'000, 500); // and tells of them, at the latest here
        EXPECT_EQ(c.size(), few);
    }
}

TEST(cache_capacity, of_zero_refuses_and_ends) {
    resized_cache c({.capacity = 50});
    put_all(c, 0, 100);
    c.set_capacity(0);
    EXPECT_EQ(c.size(), 0U);
    EXPECT_FALSE(c.put(1, 1));
    EXPECT_EQ(c.update(1, [](const std::uint64_t*) { return std::uint64_t{1}; }), syncmap::update_result::kept);
    EXPECT_EQ(c.get_or_load(1, [] { return std::uint64_t{7}; }), 7U);
    EXPECT_EQ(c.get(1), std::nullopt);
    c.set_capacity(2);
    EXPECT_TRUE(c.put(1, 1));
    EXPECT_EQ(c.get(1), 1U);
}

TEST(cache_capacity, keeps_what_was_read_often) {
    resized_cache c({.capacity = 4'000});
    put_all(c, 0, 4'000);
    for (int round = 0; round < 3; ++round) {
        for (std::uint64_t key = 0; key < 200; ++key) static_cast<void>(c.get(key * 17));
    }
    c.set_capacity(1'000);
    int stay = 0;
    for (std::uint64_t key = 0; key < 200; ++key) stay += c.contains(key * 17) ? 1 : 0;
    EXPECT_GE(stay, 190);
}

TEST(cache_capacity, refuses_what_no_cache_can_hold) {
    resized_cache c({.capacity = 50});
    EXPECT_THROW(c.set_capacity(-1), std::length_error);
    EXPECT_EQ(c.capacity(), 50U);
}

/// Counts bytes, and refuses blocks of more than `most`.
std::atomic<std::int64_t> bytes_in_use{0};
std::atomic<std::size_t> largest_block{~std::size_t{0}};

template <class T>
struct limited_allocator {
    using value_type = T;
    limited_allocator() = default;
    template <class U>
    explicit(false) limited_allocator(const limited_allocator<U>&) noexcept {}
    T* allocate(std::size_t n) {
        if (n * sizeof(T) > largest_block.load()) throw std::bad_alloc();
        T* const made = std::allocator<T>().allocate(n);
        bytes_in_use += static_cast<std::int64_t>(n * sizeof(T));
        return made;
    }
    void deallocate(T* p, std::size_t n) noexcept {
        bytes_in_use -= static_cast<std::int64_t>(n * sizeof(T));
        std::allocator<T>().deallocate(p, n);
    }
    friend bool operator==(const limited_allocator&, const limited_allocator&) noexcept { return true; }
};
using counted_bytes_cache = syncmap::basic_cache<
    syncmap::cache_detail::engine_for<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, std::equal_to<>,
                                      limited_allocator<std::pair<const std::uint64_t, std::uint64_t>>>>;

TEST(cache_capacity, keeps_no_more_memory_the_more_often_it_changes) {
    const std::int64_t before = bytes_in_use.load();
    {
        counted_bytes_cache c({.capacity = 1'000});
        std::vector<std::int64_t> after;
        for (int round = 0; round < 5; ++round) {
            c.set_capacity(20'000);
            put_all(c, 0, 20'000);
            c.set_capacity(1'000);
            c.flush();
            after.push_back(bytes_in_use.load());
        }
        EXPECT_LE(after.back(), after[2] + 1'000);
    }
    EXPECT_EQ(bytes_in_use.load(), before);
}

/// A value that needs a node in a map, too.
struct two_words {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
};
using counted_pairs = limited_allocator<std::pair<const std::uint64_t, two_words>>;

/// What the allocator was asked for, for each of so many entries, while the container that `make` returns has them.
template <class F>
double bytes_an_entry(std::uint64_t entries, F make) {
    const std::int64_t before = bytes_in_use.load();
    const auto filled = make();
    return static_cast<double>(bytes_in_use.load() - before) / static_cast<double>(entries);
}

TEST(cache_capacity, takes_few_bytes_an_entry_more_than_a_map) {
    using cache_of_pairs = syncmap::cache<std::uint64_t, two_words, syncmap::hash<std::uint64_t>, std::equal_to<>,
                                          syncmap::coarse_clock, counted_pairs>;
    constexpr std::uint64_t entries = 50'000;
    const double of_map = bytes_an_entry(entries, [] {
        auto m = std::make_unique<
            syncmap::map<std::uint64_t, two_words, syncmap::hash<std::uint64_t>, std::equal_to<>, counted_pairs>>();
        for (std::uint64_t key = 0; key < entries; ++key) m->store(key, two_words{});
        return m;
    });
    const auto of_cache = [](std::chrono::nanoseconds life) {
        return bytes_an_entry(entries, [&] {
            auto c =
                std::make_unique<cache_of_pairs>(cache_of_pairs::options_type{.capacity = entries, .expire_after_write = life});
            for (std::uint64_t key = 0; key < entries; ++key) c->put(key, two_words{});
            return c;
        });
    };
    const double plain = of_cache(syncmap::unlimited) - of_map;
    EXPECT_LE(plain, 12);
    EXPECT_GT(plain, 8) << "ring and history are not counted";
    const double with_deadlines = of_cache(std::chrono::hours(1)) - of_map;
    EXPECT_LE(with_deadlines, 36);
    EXPECT_GT(with_deadlines, 24);
    RecordProperty("bytes", std::to_string(plain) + ", " + std::to_string(with_deadlines));
}

TEST(cache_capacity, in_weights_takes_memory_for_the_entries_that_are_there) {
    const std::int64_t before = bytes_in_use.load();
    const auto bytes = [&] { return bytes_in_use.load() - before; };
    const auto weigh = [](std::uint64_t, std::uint64_t value) { return static_cast<std::size_t>(value); };
    {
        counted_bytes_cache c({.capacity = 100 << 20, .weigh = weigh});
        EXPECT_LT(bytes(), 100'000);
        std::int64_t most = 0;
        const auto put = [&](std::uint64_t key, std::uint64_t weight) {
            c.put(key, weight);
            most = std::max(most, bytes());
        };
        for (std::uint64_t key = 0; key < 2'000; ++key) put(key, 1'000);
        for (std::uint64_t key = 0; key < 600; ++key) {
            c.invalidate_all();
            c.flush();
            put(key, 1'000);
        }
        EXPECT_LT(most, 1'000'000);
    }
    {
        counted_bytes_cache c({.capacity = 10'000, .weigh = weigh});
        for (std::uint64_t key = 0; key < 5'000; ++key) c.put(key, 0);
        const std::int64_t of_weightless = bytes();
        std::int64_t most = 0;
        for (std::uint64_t key = 10'000; key < 13'000; ++key) {
            c.put(key, 1);
            most = std::max(most, bytes());
        }
        EXPECT_LT(most, 3 * of_weightless) << "entries that weigh nothing do not count";
    }
    EXPECT_EQ(bytes_in_use.load(), before);
}

TEST(cache_policy_tables, are_freed_when_no_thread_uses_them) {
    using machine = syncmap::engine::machine;
    const std::int64_t before = bytes_in_use.load();
    {
        syncmap::cache_detail::policy_memory<machine, limited_allocator<char>> memory(1'000, {});
        syncmap::cache_detail::lanes<machine> lanes(true);
        const auto bytes = [&] { return bytes_in_use.load() - before; };
        const std::int64_t of_thousand = bytes();
        EXPECT_NEAR(static_cast<double>(memory.bytes()), static_cast<double>(of_thousand), 512) << "but for what aligns";
        auto& lane = lanes.of_slot(3);
        lane.enter();
        auto* const small = &memory.now();
        EXPECT_EQ(memory.change_for(1'900), nullptr) << "they fit";
        EXPECT_EQ(memory.change_for(40'000), small);
        const auto pass = [] { return true; };
        memory.free_unused(lanes, pass);
        EXPECT_GT(bytes(), 10 * of_thousand); // the shadow caches of both have one size
        auto* const large = &memory.now();
        EXPECT_EQ(memory.change_for(1'100), large);
        EXPECT_EQ(&memory.now(), small) << "they are used again";
        lane.leave();
        memory.free_unused(lanes, [] { return false; });
        EXPECT_GT(bytes(), 10 * of_thousand) << "not without a barrier";
        memory.free_unused(lanes, pass);
        EXPECT_EQ(bytes(), of_thousand);
    }
    EXPECT_EQ(bytes_in_use.load(), before);
}

TEST(cache_capacity, stays_as_it_was_without_memory) {
    counted_bytes_cache c({.capacity = 1'000});
    put_all(c, 0, 1'000);
    largest_block = 10'000;
    EXPECT_THROW(c.set_capacity(1'000'000), std::bad_alloc);
    largest_block = ~std::size_t{0};
    EXPECT_EQ(c.capacity(), 1'000U);
    EXPECT_EQ(c.size(), 1'000U);
    put_all(c, 10'000, 1'000);
    EXPECT_EQ(c.size(), 1'000U);
}

TEST(cache_capacity, bounds_the_size_while_it_changes) {
    // A watcher compares only where no change has begun meanwhile: size and capacity are two looks.
    resized_cache c({.capacity = 5'000});
    std::atomic<bool> ended{false};
    std::atomic<unsigned> begun{0};
    std::atomic<unsigned> compared{0};
    std::jthread watcher([&] {
        while (!ended.load()) {
            const unsigned change = begun.load();
            const std::size_t most = c.capacity();
            const std::size_t n = c.size();
            if (begun.load() != change) continue;
            EXPECT_LE(n, most);
            ++compared;
        }
    });
    {
        std::vector<std::jthread> workers;
        for (std::uint64_t t = 0; t < 4; ++t) {
            workers.emplace_back([&, t] {
                for (std::uint64_t i = 0; !ended.load(); ++i) {
                    const std::uint64_t key = i * 7 % 9'001 * 4 + t;
                    if (!c.get(key)) c.put(key, key);
                    if (i % 64 == 0) c.invalidate(key);
                }
            });
        }
        for (const std::size_t n : {3'000U, 40U, 2'000U, 0U, 6'000U, 3U, 1'024U}) {
            ++begun;
            c.set_capacity(n);
            EXPECT_LE(c.size(), n);
            EXPECT_EQ(c.capacity(), n);
            const unsigned seen = compared.load();
            while (compared.load() == seen) std::this_thread::yield();
        }
        ended = true;
    }
    watcher.join();
    put_all(c, std::uint64_t{1} << 40, 2'000);
    EXPECT_EQ(c.size(), 1'024U) << "all permits have come back";
}

} // namespace
