// What many small maps cost: bytes for each, bytes for each thread that wrote to it, and no allocation for one that
// lives shortly. Sanitizers have bookkeeping of their own: there is nothing to be measured beside them.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <malloc.h>

#include <gtest/gtest.h>

#include <syncmap/map.hpp>

#include "support/allocations.hpp"
#include "support/scale.hpp"

namespace test {
namespace {

class small_maps : public ::testing::Test {
protected:
    void SetUp() override {
        if (sanitized) GTEST_SKIP() << "a sanitizer keeps what is freed";
    }

    static constexpr std::size_t count = 2000;

    /// Heap bytes in use, by the allocator's own count: with its headers, and what it loses by alignment.
    static std::size_t heap() { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; }

    /// Bytes of a map that `fill(map)` has filled, the object itself included.
    template <class Map, class Fill>
    static double bytes_of(Fill fill) {
        {
            Map first; // what the thread needs for all its maps
            fill(first);
        }
        const std::size_t before = heap();
        std::deque<Map> maps;
        for (std::size_t i = 0; i < count; ++i) fill(maps.emplace_back());
        return static_cast<double>(heap() - before) / count;
    }

    /// Bytes that a map takes more when so many threads have called `f(map)` for it.
    template <class F>
    static double bytes_of_threads(std::size_t threads, F f) {
        std::deque<syncmap::map<int, int>> maps(count);
        for (auto& map : maps) map.store(1, 1);
        const auto run = [&](auto& each) {
            std::latch all(static_cast<std::ptrdiff_t>(threads));
            std::vector<std::jthread> others;
            for (std::size_t i = 0; i < threads; ++i) {
                others.emplace_back([&] {
                    all.arrive_and_wait(); // as many at once, so that each is a thread of its own to the library
                    for (auto& map : each) f(map);
                });
            }
        };
        std::deque<syncmap::map<int, int>> others(1);
        run(others); // what the threads themselves need
        const std::size_t before = heap();
        run(maps);
        return (static_cast<double>(heap()) - static_cast<double>(before)) / count;
    }
};

constexpr double one_map = 400;    ///< bytes, for up to four small entries
constexpr double one_writer = 64;  ///< bytes, for each thread that wrote
constexpr double slack = 8;        ///< bytes, of the allocator's own large blocks, spread over all maps

TEST_F(small_maps, takes_few_bytes_with_four_small_entries) {
    using map = syncmap::map<std::uint64_t, std::uint64_t>;
    const double four = bytes_of<map>([](map& m) {
        for (std::uint64_t i = 1; i <= 4; ++i) m.store(i, i);
    });
    EXPECT_LE(four, one_map + one_writer + slack);
    using other = syncmap::map<int, float>;
    const double of_ints = bytes_of<other>([](other& m) {
        for (int i = 0; i < 4; ++i) m.store(i, 1.0F);
    });
    EXPECT_LE(of_ints, one_map + one_writer + slack);
    using named = syncmap::map<std::string, std::uint64_t>;
    const double of_names = bytes_of<named>([](named& m) { m.store("name", 1); });
    EXPECT_LE(of_names, one_map + one_writer + 80 + slack); // and a node
}

/// A map keeps the tables that it has outgrown: it outgrows one, and has one.
TEST_F(small_maps, takes_two_tables_for_forty_entries) {
    using map = syncmap::map<std::uint64_t, std::uint64_t>;
    const auto fill = [](std::deque<map>& maps) {
        for (map& m : maps) {
            for (std::uint64_t i = 0; i != 40; ++i) m.store(i, i);
        }
    };
    {
        std::deque<map> others(count); // the thread records of destroyed maps serve others
        fill(others);
    }
    std::deque<map> maps(count);
    const std::size_t before = allocated_bytes();
    fill(maps);
    EXPECT_LE(static_cast<double>(allocated_bytes() - before) / count, 1500);
}

/// Those of its first table, too: what needed six lines once needs six again.
TEST_F(small_maps, gives_all_lines_back_when_it_is_cleared) {
    for (int n = 0; n != 50; ++n) {
        syncmap::map<std::uint64_t, std::uint64_t> map;
        std::size_t lines[2] = {};
        for (std::size_t& now : lines) {
            map.clear();
            for (std::uint64_t i = 0; i != 40; ++i) map.store(i, i);
            now = map.stats().overflow_lines.value();
        }
        EXPECT_EQ(lines[1], lines[0]);
    }
}

TEST_F(small_maps, takes_a_line_for_each_thread_that_wrote_and_nothing_for_one_that_read) {
    // A slab has a few bytes beside its lines, and a thread takes up to 32 lines in advance.
    constexpr double in_advance = 15 * 32 * one_writer / count;
    EXPECT_LE(bytes_of_threads(15, [](auto& map) { map.store(1, 2); }), 15 * one_writer * 1.05 + in_advance + slack);
    EXPECT_LE(bytes_of_threads(15, [](auto& map) { static_cast<void>(map.load(1)); }), slack);
}

TEST_F(small_maps, allocates_nothing_for_a_map_that_lives_shortly) {
    const auto live = [] {
        syncmap::map<int, int> m;
        for (int i = 0; i < 4; ++i) m.store(i, i);
    };
    live();
    EXPECT_EQ(allocations_of([&] {
                  for (int i = 0; i < 100; ++i) live();
              }),
              0U);
}

TEST_F(small_maps, gives_back_the_memory_of_destroyed_maps) {
    const auto some = [] {
        std::deque<syncmap::map<int, int>> maps(count);
        for (auto& map : maps) map.store(1, 1);
    };
    some();
    const std::size_t before = heap();
    for (int i = 0; i < 10; ++i) some();
    // What malloc leaves over where it aligns blocks differs from run to run; a block of each map would be 640,000 bytes.
    EXPECT_LE(heap(), before + 65'536);
}

} // namespace
} // namespace test
