// What `clear` does with the table that it has taken out of the map.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/map.hpp>

#include "support/allocators.hpp"
#include "support/visible_table.hpp"

namespace test {
namespace {

/// Counts its living objects.
struct numbered {
    static inline std::size_t alive = 0;
    explicit numbered(std::uint64_t n) noexcept : number(n) { ++alive; }
    numbered(const numbered& other) noexcept : number(other.number) { ++alive; }
    numbered& operator=(const numbered&) = default;
    ~numbered() { --alive; }
    friend bool operator==(const numbered& a, const numbered& b) { return a.number == b.number; }
    std::uint64_t number;
};

/// All keys in one bucket.
struct one_hash {
    std::uint64_t operator()(std::uint64_t, const syncmap::hash_seed&) const { return 0; }
};

/// The system refuses barriers while `refuses`.
struct refusing_sync : syncmap::engine::machine {
    static inline bool refuses = false;
    class barrier_group : public machine::barrier_group {
    public:
        [[nodiscard]] bool heavy_barrier() const noexcept { return !refuses && machine::barrier_group::heavy_barrier(); }
        [[nodiscard]] bool heavy_barrier_to_free() noexcept {
            return !refuses && machine::barrier_group::heavy_barrier_to_free();
        }
    };
};

template <class Key, class T, class Hash, class Sync>
using map_of =
    visible_map<syncmap::engine::table<Key, T, Hash, std::equal_to<>, std::allocator<std::pair<const Key, T>>, Sync>>;

constexpr std::uint64_t cleared_entries = 1000;

template <class Map>
void fill(Map& map) {
    for (std::uint64_t i = 0; i != cleared_entries; ++i) map.store(i, numbered(i));
}

} // namespace

TEST(clear_of_nodes, destroys_at_once_what_no_thread_looks_at) {
    syncmap::map<std::uint64_t, numbered> map;
    fill(map);
    EXPECT_EQ(numbered::alive, cleared_entries);
    map.clear();
    EXPECT_EQ(numbered::alive, 0U) << "without a flush: it is no garbage";
    fill(map);
    syncmap::map<std::uint64_t, numbered> next;
    next.store(1, numbered(1));
    map.replace(std::move(next));
    EXPECT_EQ(numbered::alive, 1U);
}

TEST(clear_of_nodes, leaves_what_is_looked_at_and_what_is_pinned) {
    syncmap::map<std::uint64_t, numbered> map;
    fill(map);
    {
        const auto pinned = map.pin(7);
        map.visit(3, [&](const numbered& seen) {
            map.clear();
            EXPECT_EQ(seen.number, 3U);
            EXPECT_EQ(numbered::alive, 2U);
        });
        map.flush();
        EXPECT_EQ(pinned->number, 7U);
        EXPECT_EQ(numbered::alive, 1U);
    }
    EXPECT_EQ(numbered::alive, 0U);
}

TEST(clear_of_nodes, goes_on_in_a_walk_that_clears) {
    syncmap::map<std::uint64_t, numbered> map;
    fill(map);
    std::size_t shown = 0;
    map.for_each([&](std::uint64_t key, const numbered& value) {
        map.clear();
        EXPECT_EQ(value.number, key);
        ++shown;
    });
    EXPECT_GE(shown, 1U);
    EXPECT_EQ(numbered::alive, 0U);
}

TEST(clear_of_nodes, destroys_what_a_snapshot_has_shown_when_that_ends) {
    syncmap::map<std::uint64_t, numbered> map;
    fill(map);
    {
        const auto before = map.snapshot();
        map.clear();
        EXPECT_EQ(numbered::alive, cleared_entries);
        EXPECT_EQ(before.size(), cleared_entries);
    }
    EXPECT_EQ(numbered::alive, 0U);
}

TEST(clear_of_nodes, waits_with_destruction_while_the_system_refuses_barriers) {
    map_of<std::uint64_t, numbered, syncmap::hash<std::uint64_t>, refusing_sync> map;
    fill(map);
    refusing_sync::refuses = true;
    map.clear();
    EXPECT_EQ(map.size(), 0U);
    EXPECT_EQ(numbered::alive, cleared_entries) << "no thread can tell what others look at";
    refusing_sync::refuses = false;
    map.flush();
    EXPECT_EQ(numbered::alive, 0U);
    fill(map);
    EXPECT_EQ(map.size(), cleared_entries);
    map.clear();
    EXPECT_EQ(numbered::alive, 0U);
}

TEST(clear_of_integers, needs_no_barrier) {
    map_of<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, refusing_sync> map;
    refusing_sync::refuses = true;
    for (int round = 0; round != 3; ++round) {
        for (std::uint64_t i = 0; i != 100; ++i) map.store(i, i);
        map.clear();
        EXPECT_EQ(map.size(), 0U);
        EXPECT_FALSE(map.contains(1));
    }
    refusing_sync::refuses = false;
}

template <class T>
class clear_gives_back_lines : public ::testing::Test {};
using values = ::testing::Types<std::uint64_t, std::string>; // beside the key's node, and in it
TYPED_TEST_SUITE(clear_gives_back_lines, values, );

TYPED_TEST(clear_gives_back_lines, that_lie_beside_the_table) {
    ledger books;
    using allocator = booked<std::pair<const std::uint64_t, TypeParam>>;
    using table = syncmap::engine::table<std::uint64_t, TypeParam, one_hash, std::equal_to<>, allocator>;
    syncmap::basic_map<table> map{allocator(books)};
    const auto round = [&] {
        for (std::uint64_t i = 0; i != 300; ++i) map.store(i, TypeParam{});
        map.clear();
        map.flush();
        return books.live_bytes.load();
    };
    round();
    const std::size_t after_two = round();
    for (int i = 0; i != 4; ++i) EXPECT_EQ(round(), after_two);
}

} // namespace test
