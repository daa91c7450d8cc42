// What was reserved stays, until it is given up; and room that no entry has touched takes no memory.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <sys/mman.h>

#include <gtest/gtest.h>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/hash.hpp>

#include "support/visible_table.hpp"

namespace test::reserved_room {
namespace {

/// Counts what is asked of the system for the pages of large tables.
struct page_counting_sync : syncmap::engine::machine {
    static inline std::atomic<std::size_t> bytes_on_huge_pages{0};
    static inline std::atomic<std::size_t> bytes_on_small_pages{0};
    static inline std::atomic<std::size_t> gathered{0};

    static inline std::atomic<std::size_t> touched_before{0}; ///< ranges that were to lie on huge pages and had a small one

    static void prefer_huge_pages(void* pages, std::size_t bytes, bool wanted) noexcept {
        (wanted ? bytes_on_huge_pages : bytes_on_small_pages) += bytes;
        unsigned char resident = 0;
        if (wanted && ::mincore(pages, 1, &resident) == 0 && (resident & 1) != 0) ++touched_before;
        real::prefer_huge_pages(pages, bytes, wanted);
    }
    static void gather_huge_page(void* first) noexcept {
        ++gathered;
        real::gather_huge_page(first);
    }
    static void forget() { bytes_on_huge_pages = bytes_on_small_pages = gathered = touched_before = 0; }
};

using plain_table = syncmap::engine::table<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, std::equal_to<>,
                                           std::allocator<std::pair<const std::uint64_t, std::uint64_t>>, page_counting_sync>;
using visible_map = test::visible_map<plain_table>;

constexpr std::uint64_t room = 200'000; // the table has 5 MiB and more

void come_and_go(visible_map& map, std::uint64_t count) {
    for (std::uint64_t i = 0; i != count; ++i) {
        map.store(i, i);
        map.erase(i);
    }
}

TEST(reserve, is_not_undone_by_erases) {
    visible_map map;
    map.reserve(room);
    const std::size_t reserved = map.buckets();
    come_and_go(map, 100'000);
    EXPECT_EQ(map.buckets(), reserved);
    for (std::uint64_t i = 0; i != room; ++i) map.store(i, i); // grows beyond nothing, and shrinks to no less
    EXPECT_EQ(map.buckets(), reserved);
    for (std::uint64_t i = 0; i != room; ++i) map.erase(i);
    come_and_go(map, 100'000);
    EXPECT_EQ(map.buckets(), reserved);
}

TEST(reserve, stays_through_growth) {
    visible_map map;
    map.reserve(room);
    const std::size_t reserved = map.buckets();
    for (std::uint64_t i = 0; i != 5 * room; ++i) map.store(i, i);
    EXPECT_GT(map.buckets(), reserved);
    for (std::uint64_t i = 0; i != 5 * room; ++i) map.erase(i);
    come_and_go(map, 200'000);
    EXPECT_EQ(map.buckets(), reserved);
}

TEST(reserve, of_a_table_that_is_large_enough_counts_as_well) {
    visible_map map;
    for (std::uint64_t i = 0; i != room; ++i) map.store(i, i);
    map.reserve(room / 4);
    const std::size_t filled = map.buckets();
    for (std::uint64_t i = 0; i != room; ++i) map.erase(i);
    come_and_go(map, 200'000);
    EXPECT_LT(map.buckets(), filled);
    visible_map other;
    other.reserve(room / 4);
    EXPECT_EQ(map.buckets(), other.buckets());
}

TEST(reserve, of_a_constructor_counts_as_well) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> entries(room);
    for (std::uint64_t i = 0; i != room; ++i) entries[i] = {i, i};
    visible_map map(entries.begin(), entries.end());
    const std::size_t reserved = map.buckets();
    for (std::uint64_t i = 0; i != room; ++i) map.erase(i);
    come_and_go(map, 100'000);
    EXPECT_EQ(map.buckets(), reserved);
}

TEST(reserve, ends_with_shrink_to_fit_clear_and_replace) {
    visible_map map;
    map.reserve(room);
    const std::size_t reserved = map.buckets();
    map.store(1, 1);
    map.shrink_to_fit();
    EXPECT_LT(map.buckets(), reserved / 64);
    for (std::uint64_t i = 0; i != room; ++i) map.store(i, i);
    for (std::uint64_t i = 0; i != room; ++i) map.erase(i);
    come_and_go(map, 200'000);
    EXPECT_LT(map.buckets(), reserved / 64);

    map.reserve(room);
    map.clear();
    map.store(1, 1);
    EXPECT_LT(map.buckets(), reserved / 64);

    map.reserve(room);
    visible_map other;
    other.store(2, 2);
    map.replace(std::move(other));
    EXPECT_LT(map.buckets(), reserved / 64);
}

TEST(reserve, takes_huge_pages_once_the_room_is_filled) {
    page_counting_sync::forget();
    {
        visible_map map;
        map.reserve(room);
        const std::size_t bytes = page_counting_sync::bytes_on_small_pages;
        EXPECT_GE(bytes, std::size_t{4} << 20);
        for (std::uint64_t i = 0; i != 1000; ++i) map.store(i, i);
        EXPECT_EQ(page_counting_sync::bytes_on_huge_pages, 0U);
        for (std::uint64_t i = 0; i != room; ++i) map.store(i, i);
        EXPECT_EQ(page_counting_sync::bytes_on_huge_pages, bytes);
        EXPECT_EQ(page_counting_sync::gathered, bytes / page_counting_sync::huge_page_bytes);
        for (std::uint64_t i = 0; i != room; ++i) ASSERT_EQ(map.load(i), i);
    }
    page_counting_sync::forget();
    visible_map grown;
    for (std::uint64_t i = 0; i != 4 * room; ++i) grown.store(i, i);
    EXPECT_EQ(page_counting_sync::bytes_on_small_pages, 0U);
    EXPECT_GE(page_counting_sync::bytes_on_huge_pages, std::size_t{4} << 20);
}

/// The system makes no huge page of a piece that has a small page already.
TEST(growth, asks_for_huge_pages_before_it_touches_a_table) {
    visible_map map;
    page_counting_sync::forget();
    for (std::uint64_t i = 0; i != 100'000; ++i) map.store(i, i);
    EXPECT_GE(page_counting_sync::bytes_on_huge_pages, page_counting_sync::huge_page_bytes); // the last table, of 2.9 MB
    EXPECT_EQ(page_counting_sync::bytes_on_small_pages, 0U);
    EXPECT_EQ(page_counting_sync::touched_before, 0U);
}

} // namespace
} // namespace test::reserved_room
