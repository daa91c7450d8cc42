// What is kept of freed nodes for the next ones: blocks and strings' memory, by their thread, within bounds.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/map.hpp>
#include <syncmap/text.hpp>

#include "support/allocations.hpp"
#include "support/allocators.hpp"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace test::of_node_caches {

constexpr int keys = 100;
constexpr int until_steady = 5'000; ///< writes, by which a thread has gathered and freed batches

std::string key(int i) { return "a key that owns its memory, " + std::to_string(100 + i % keys); }
std::string value(int i) { return "a value that does so as well, " + std::to_string(1'000'000 + i); }

template <class Map>
void replace(Map& map, int from, int to) {
    for (int i = from; i != to; ++i) map.store(key(i), value(i));
}

/// What the map itself allocates, beside the strings that it is given.
template <class Map>
std::size_t allocations_of_replacing(Map& map, int times) {
    std::vector<std::pair<std::string, std::string>> given;
    for (int i = 0; i != times; ++i) given.emplace_back(key(i), value(i));
    return test::allocations_of([&] {
        for (const auto& [k, v] : given) map.store(k, v);
    });
}

TEST(node_cache, make_overwrites_of_strings_free_of_allocations) {
    syncmap::map<std::string, std::string> map;
    replace(map, 0, until_steady);
    EXPECT_EQ(allocations_of_replacing(map, 2'000), 0U);
    for (int i = 0; i != keys; ++i) EXPECT_EQ(map.load(key(i)), value(1'900 + i));
}

TEST(node_cache, make_overwrites_of_texts_free_of_allocations) {
    syncmap::map<syncmap::text, syncmap::text> map;
    replace(map, 0, until_steady);
    EXPECT_EQ(allocations_of_replacing(map, 2'000), 0U);
    for (int i = 0; i != keys; ++i) EXPECT_EQ(map.load(key(i)), value(1'900 + i));
}

TEST(node_cache, serve_strings_of_similar_lengths) {
    syncmap::map<std::string, std::string> map;
    std::uint32_t random = 1;
    const auto next = [&] {
        random = random * 1'664'525 + 1'013'904'223;
        return std::string(16 + (random >> 16) % 24, 's');
    };
    for (int i = 0; i != 4 * until_steady; ++i) {
        const std::string copied = next(); // a string that is moved brings its own memory
        map.store(key(i), copied);
    }
    std::vector<std::pair<std::string, std::string>> given;
    for (int i = 0; i != 1'000; ++i) given.emplace_back(key(i), next());
    EXPECT_LE(test::allocations_of([&] {
                  for (const auto& [k, v] : given) map.store(k, v);
              }),
              20U); // of strings as long as each needs: 600
    for (int i = 900; i != 1'000; ++i) EXPECT_EQ(map.load(key(i)), given[static_cast<std::size_t>(i)].second);
}

TEST(node_cache, have_blocks_of_texts_in_few_sizes) {
    using node = syncmap::engine::node_for<syncmap::text, syncmap::text, false, syncmap::engine::machine>;
    std::allocator<node::granule> allocator;
    syncmap::engine::thread_record<syncmap::engine::machine> with_none_cached;
    for (std::size_t length = 0; length != 64; ++length) {
        const std::string long_value(length, 'v');
        const auto value = [&] { return std::string_view(long_value); };
        node* const n = node::make(allocator, with_none_cached, 1, std::string_view("key"), value, syncmap::prefix_kind::none);
        EXPECT_EQ(n->block_bytes() % 16, 8U);
        EXPECT_EQ(n->value(), long_value);
        const std::size_t granules = n->granules();
        ASSERT_TRUE(n->destroy_content(allocator));
        n->deallocate(allocator, granules);
    }
}

TEST(node_cache, serve_inserts_after_erases) {
    syncmap::map<std::string, std::string> map;
    for (int i = 0; i != until_steady; ++i) {
        map.store(key(i), value(i));
        map.erase(key(i));
    }
    const std::string k = key(7);
    const std::string v = value(7);
    EXPECT_EQ(test::allocations_of([&] { map.store(k, v); }), 0U);
    EXPECT_EQ(map.load(k), v);
}

TEST(node_cache, of_texts_fit_or_are_left_alone) {
    syncmap::map<syncmap::text, syncmap::text> map;
    for (int i = 0; i != 20'000; ++i) {
        const auto length = static_cast<std::size_t>(i * 7 % 300);
        map.store(std::to_string(i % keys), std::string(length, static_cast<char>('a' + i % 26)));
        ASSERT_EQ(map.load(std::to_string(i % keys)), std::string(length, static_cast<char>('a' + i % 26)));
    }
}

TEST(node_cache, of_texts_give_way_to_others_that_are_wanted) {
    syncmap::map<syncmap::text, syncmap::text> map;
    for (int i = 0; i != until_steady; ++i) map.store(key(i), std::string(300, 'l'));
    replace(map, 0, until_steady);
    EXPECT_EQ(allocations_of_replacing(map, 2'000), 0U);
}

TEST(node_cache, leave_no_long_memory_to_short_strings) {
    syncmap::map<std::string, std::string> map;
    for (int i = 0; i != until_steady; ++i) map.store(key(i), std::string(200, 'l'));
    for (int i = 0; i != until_steady; ++i) map.store(key(i), "a short one");
    for (int i = 0; i != keys; ++i) map.visit(key(i), [](const std::string& v) { EXPECT_LT(v.capacity(), 32U); });
    const std::string medium(60, 'm');
    for (int i = 0; i != until_steady; ++i) map.store(key(i), i % 2 == 0 ? medium : std::string(200, 'l'));
    for (int i = 0; i != keys; i += 2) map.visit(key(i), [](const std::string& v) { EXPECT_LE(v.capacity(), 90U); });
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) &&          \
    !defined(SYNCMAP_TEST_SANITIZED)
/// The most small blocks that the allocator has apart while short values replace long ones, beside those of before.
template <class Map>
std::size_t blocks_apart_after_long_values() {
    Map map;
    constexpr int entries = 3'000;
    for (int i = 0; i != entries; ++i) map.store(std::to_string(i), std::string(70, 'l'));
    syncmap::sync::real::join_freed_blocks(); // those of earlier tests
    const std::size_t before = ::mallinfo2().smblks;
    std::size_t most = before;
    for (int i = 0; i != entries; ++i) {
        map.store(std::to_string(i), std::string_view("short"));
        if (i % 100 == 0) most = std::max(most, ::mallinfo2().smblks);
    }
    return most - before;
}

TEST(node_cache, have_the_memory_of_longer_strings_joined) {
    EXPECT_LT((blocks_apart_after_long_values<syncmap::map<std::string, std::string>>()), 1'000U) << "decision 58";
}

TEST(node_cache, have_nodes_joined_that_fit_no_new_one) {
    EXPECT_LT((blocks_apart_after_long_values<syncmap::map<syncmap::text, syncmap::text>>()), 1'000U) << "decision 58";
}
#endif

TEST(node_cache, keep_no_value_alive) {
    syncmap::map<std::string, std::shared_ptr<int>> map;
    const auto counted = std::make_shared<int>(1);
    for (int i = 0; i != until_steady; ++i) map.store(key(i), counted);
    map.clear();
    map.flush();
    EXPECT_EQ(counted.use_count(), 1);
}

template <class T>
using booked_map = syncmap::map<int, T, syncmap::hash<int>, std::equal_to<>, test::booked<std::pair<const int, T>>>;

TEST(node_cache, are_no_large_ones) {
    struct large {
        char bytes[4096];
    };
    test::ledger books;
    booked_map<large> map{test::booked<std::pair<const int, large>>(books)};
    map.store(1, {});
    const std::size_t one = books.live_bytes;
    for (int i = 0; i != until_steady; ++i) map.store(1, {});
    map.flush();
    EXPECT_EQ(books.live_bytes, one);
}

constexpr std::size_t most_blocks = 1'000; ///< of a batch, a thread's spares and the map itself

TEST(node_cache, are_not_more_after_values_that_could_not_be_made) {
    struct picky {
        picky(bool good) {
            if (!good) throw std::invalid_argument("bad");
        }
        char bytes[100];
    };
    test::ledger books;
    booked_map<picky> map{test::booked<std::pair<const int, picky>>(books)};
    for (int i = 0; i != 20'000; ++i) map.store(i, true);
    for (int i = 0; i != 20'000; ++i) {
        if (i % 64 == 63) {
            EXPECT_THROW(map.store(i, false), std::invalid_argument);
        }
        map.erase(i);
    }
    EXPECT_LE(books.live_blocks, most_blocks);
}

struct writes_when_it_ends {
    static inline std::function<void()> once;
    char bytes[100];

    ~writes_when_it_ends() {
        if (const auto f = std::exchange(once, nullptr)) f();
    }
};

TEST(node_cache, are_not_more_after_destructors_that_write) {
    test::ledger books;
    booked_map<writes_when_it_ends> map{test::booked<std::pair<const int, writes_when_it_ends>>(books)};
    for (int round = 0; round != 100; ++round) {
        writes_when_it_ends::once = [&] {
            for (int i = 0; i != 300; ++i) map.store(1, writes_when_it_ends{});
        };
        for (int i = 0; i != 300; ++i) map.store(2, writes_when_it_ends{});
        map.erase(2);
    }
    EXPECT_LE(books.live_blocks, most_blocks);
    writes_when_it_ends::once = nullptr;
}

TEST(node_cache, of_many_threads_are_few) {
    using value_type = std::string;
    test::ledger books;
    booked_map<value_type> map{test::booked<std::pair<const int, value_type>>(books)};
    map.store(1, "one");
    const std::size_t one = books.live_bytes;
    constexpr int threads = 300; // one after the other, and each of them alive until the end: as many thread records
    std::atomic<int> done{0};
    std::atomic<bool> may_end{false};
    std::vector<std::jthread> all; // joined before what they wait for ends
    for (int t = 0; t != threads; ++t) {
        all.emplace_back([&] {
            for (int i = 0; i != 600; ++i) map.store(1, "one");
            ++done;
            done.notify_all();
            may_end.wait(false);
        });
        done.wait(t);
    }
    map.flush();
    const std::size_t nodes = (books.live_bytes - one) / (sizeof(value_type) + 24);
    EXPECT_LE(nodes, 3 * std::size_t{1} << 13) << "of " << 256 * threads << " that they might keep";
    may_end = true;
    may_end.notify_all();
}

} // namespace test::of_node_caches
