// When the numbers of snapshots are used up: they begin anew, unless a snapshot lives.
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/engine/tuning.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/snapshot.hpp>

namespace {

struct few_phases : syncmap::engine::machine {
    static constexpr std::uint32_t most_snapshots = 3;
};

template <class Key, class T>
using small_map = syncmap::basic_map<
    syncmap::engine::table<Key, T, syncmap::hash<Key>, std::equal_to<>, std::allocator<std::pair<const Key, T>>, few_phases>>;

template <class Map>
void take_many(Map& map) {
    for (int i = 0; i < 500; ++i) map.store(i, i);
    for (int round = 0; round < 100; ++round) {
        const auto taken = map.snapshot();
        for (int i = 0; i < 500; i += 7) map.store(i, i + 1);
        for (int i = 0; i < 500; ++i) ASSERT_EQ(taken.load(i), i) << "round " << round;
        ASSERT_EQ(taken.size(), 500U);
        for (int i = 0; i < 500; i += 7) map.store(i, i);
    }
}

TEST(snapshot_phases, begin_anew_when_they_are_used_up) {
    small_map<int, int> map;
    take_many(map);
}

TEST(snapshot_phases, cannot_begin_anew_while_a_snapshot_lives) {
    small_map<int, int> map;
    map.store(1, 1);
    {
        const auto first = map.snapshot();
        (void)map.snapshot();
        (void)map.snapshot();
        EXPECT_THROW((void)map.snapshot(), std::length_error);
        map.store(1, 2);
        EXPECT_EQ(first.load(1), 1);
    }
    EXPECT_EQ(map.snapshot().load(1), 2);
}

} // namespace
