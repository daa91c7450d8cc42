// One instant of the whole map, of the maps that can show it.
#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.hpp"
#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {

template <class M>
concept has_snapshots = requires(const M& map) { map.snapshot(); };

static_assert(has_snapshots<flagship::of<int, int>>);

template <class M>
class snapshot : public ::testing::Test {
protected:
    using contents = std::map<typename M::key_type, typename M::mapped_type>;

    static contents fill(M& map, int from, int to) {
        contents all;
        for (int i = from; i < to; ++i) {
            map.store(key<M>(i), value<M>(i));
            all.emplace(key<M>(i), value<M>(i));
        }
        return all;
    }
    template <class S>
    static contents all_of(const S& shown) {
        contents all;
        const auto visited =
            shown.for_each([&](const auto& k, const auto& v) { EXPECT_TRUE(all.emplace(k, v).second) << "a key came twice"; });
        EXPECT_EQ(visited, shown.size());
        return all;
    }
    template <class S>
    static void expect(const S& shown, const contents& expected) {
        EXPECT_EQ(shown.size(), expected.size());
        EXPECT_EQ(all_of(shown), expected);
        for (const auto& [k, v] : expected) {
            EXPECT_EQ(shown.load(k), v);
            EXPECT_TRUE(shown.contains(k));
        }
    }
};
TYPED_TEST_SUITE(snapshot, maps, names);
template <class M>
class snapshot_of_further_maps : public snapshot<M> {};
TYPED_TEST_SUITE(snapshot_of_further_maps, further_maps, names);

TYPED_TEST(snapshot, of_an_empty_map_is_empty) {
    if constexpr (has_snapshots<TypeParam>) {
        TypeParam map;
        const auto never_used = map.snapshot();
        map.store(key<TypeParam>(1), value<TypeParam>(1));
        map.erase(key<TypeParam>(1));
        const auto emptied = map.snapshot();
        map.clear();
        const auto cleared = map.snapshot();
        map.store(key<TypeParam>(1), value<TypeParam>(1));
        for (const auto* each : {&never_used, &emptied, &cleared}) {
            EXPECT_TRUE(each->empty());
            EXPECT_FALSE(each->contains(key<TypeParam>(1)));
            EXPECT_EQ(each->for_each([](const auto&, const auto&) { FAIL(); }), 0U);
            EXPECT_TRUE(each->for_each_from({}, [](const auto&, const auto&) { FAIL(); }).at_end());
        }
    }
}

TYPED_TEST(snapshot, shows_what_was_there_while_everything_changes) {
    if constexpr (has_snapshots<TypeParam>) {
        TypeParam map;
        const auto expected = this->fill(map, 0, 300);
        const auto taken = map.snapshot();
        this->expect(taken, expected);
        for (int i = 0; i < 300; ++i) {
            switch (i % 4) {
            case 0: map.erase(key<TypeParam>(i)); break;
            case 1: map.store(key<TypeParam>(i), value<TypeParam>(i + 1)); break;
            case 2: map.update(key<TypeParam>(i), [](const auto*) { return std::nullopt; }); break;
            default: break;
            }
        }
        this->expect(taken, expected);
        for (int i = 300; i < 3000; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i)); // it grows
        this->expect(taken, expected);
        EXPECT_FALSE(taken.contains(key<TypeParam>(500)));
        for (int i = 0; i < 3000; ++i) map.erase(key<TypeParam>(i)); // and shrinks
        this->expect(taken, expected);
        this->fill(map, 0, 3000);
        this->expect(taken, expected);
    }
}

TYPED_TEST(snapshot_of_further_maps, shows_what_was_there_while_everything_changes) {
    if constexpr (has_snapshots<TypeParam>) {
        TypeParam map;
        const auto expected = this->fill(map, 0, 300);
        const auto taken = map.snapshot();
        for (int i = 0; i < 300; i += 2) map.erase(key<TypeParam>(i));
        this->fill(map, 200, 3000);
        this->expect(taken, expected);
        map.clear();
        this->expect(taken, expected);
        this->fill(map, 100, 200);
        this->expect(taken, expected);
    }
}

TYPED_TEST(snapshot, outlives_clear) {
    if constexpr (has_snapshots<TypeParam>) {
        TypeParam map;
        const auto expected = this->fill(map, 0, 300);
        auto first = map.snapshot();
        map.store(key<TypeParam>(0), value<TypeParam>(7));
        auto changed = expected;
        changed.insert_or_assign(key<TypeParam>(0), value<TypeParam>(7));
        auto second = map.snapshot();
        map.clear();
        EXPECT_TRUE(map.empty());
        this->expect(first, expected);
        this->expect(second, changed);
        this->fill(map, 100, 900);
        map.clear();
        this->expect(first, expected);
        first = {};
        this->expect(second, changed);
        second = {};
        this->fill(map, 0, 10);
        EXPECT_EQ(map.size(), 10U);
    }
}

TYPED_TEST(snapshot, is_one_of_several_that_end_in_any_order) {
    if constexpr (has_snapshots<TypeParam>) {
        for (int order = 0; order < 6; ++order) {
            TypeParam map;
            std::vector<typename std::remove_cvref_t<decltype(this->fill(map, 0, 0))>> expected;
            std::vector<std::optional<decltype(map.snapshot())>> taken;
            auto now = this->fill(map, 0, 100);
            for (int s = 0; s < 3; ++s) {
                expected.push_back(now);
                taken.emplace_back(map.snapshot());
                for (int i = 10 * s; i < 10 * s + 20; ++i) {
                    map.store(key<TypeParam>(i), value<TypeParam>(1000 + s));
                    now.insert_or_assign(key<TypeParam>(i), value<TypeParam>(1000 + s));
                    map.erase(key<TypeParam>(50 + i));
                    now.erase(key<TypeParam>(50 + i));
                }
            }
            for (std::size_t s = 0; s < 3; ++s) this->expect(*taken[s], expected[s]);
            constexpr std::size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
            for (const std::size_t ended : orders[order]) {
                taken[ended].reset();
                this->fill(map, 20, 60);
                for (std::size_t s = 0; s < 3; ++s) {
                    if (taken[s]) this->expect(*taken[s], expected[s]);
                }
            }
        }
    }
}

TYPED_TEST(snapshot, can_be_moved_and_walked_in_steps_on_another_thread) {
    if constexpr (has_snapshots<TypeParam>) {
        TypeParam map;
        const auto expected = this->fill(map, 0, 200);
        auto taken = map.snapshot();
        auto moved = std::move(taken);
        this->fill(map, 150, 400);
        std::remove_const_t<decltype(expected)> seen;
        std::jthread([&] {
            for (syncmap::walk_position at; !at.at_end();) {
                at = moved.for_each_from(at, [&](const auto& k, const auto& v) { seen.emplace(k, v); });
            }
        }).join();
        EXPECT_EQ(seen, expected);
        std::size_t calls = 0;
        EXPECT_EQ(moved.for_each([&](const auto&, const auto&) { return ++calls < 5; }), 5U);
    }
}

TYPED_TEST(snapshot, can_be_taken_and_read_in_callbacks_of_the_map) {
    if constexpr (has_snapshots<TypeParam>) {
        TypeParam map;
        this->fill(map, 0, 50);
        map.update(key<TypeParam>(1), [&](const auto*) {
            const auto inside = map.snapshot();
            EXPECT_EQ(inside.size(), 50U);
            EXPECT_EQ(inside.load(key<TypeParam>(1)), value<TypeParam>(1));
            return value<TypeParam>(2);
        });
        map.for_each([&](const auto& k, const auto& v) { EXPECT_EQ(map.snapshot().load(k), v); });
        const auto taken = map.snapshot();
        taken.for_each([&](const auto& k, const auto&) { map.erase(k); });
        EXPECT_TRUE(map.empty());
        EXPECT_EQ(taken.size(), 50U);
    }
}

TYPED_TEST(snapshot, can_be_had_by_the_ten_thousand) {
    if constexpr (has_snapshots<TypeParam>) {
        TypeParam map;
        this->fill(map, 0, 50);
        for (int i = 0; i < 10'000; ++i) {
            const auto taken = map.snapshot();
            map.store(key<TypeParam>(i % 50), value<TypeParam>(i % 50));
        }
        EXPECT_EQ(map.size(), 50U);
    }
}

/// Counts how many of it are alive.
class snapshot_counted {
public:
    static inline std::atomic<int> alive{0};
    explicit snapshot_counted(int n = 0) : number(n) { ++alive; }
    snapshot_counted(const snapshot_counted& other) : number(other.number) { ++alive; }
    snapshot_counted& operator=(const snapshot_counted&) = default;
    ~snapshot_counted() { --alive; }
    int number;
};

template <class Family>
class snapshot_memory : public ::testing::Test {};
TYPED_TEST_SUITE(snapshot_memory, families, names);

TYPED_TEST(snapshot_memory, is_returned_when_it_ends) {
    using map_type = typename TypeParam::template of<int, snapshot_counted>;
    if constexpr (has_snapshots<map_type>) {
        map_type map;
        for (int i = 0; i < 100; ++i) map.store(i, snapshot_counted(i));
        {
            const auto taken = map.snapshot();
            for (int i = 0; i < 100; ++i) map.store(i, snapshot_counted(-i));
            map.flush();
            EXPECT_EQ(snapshot_counted::alive, 200); // the replaced ones are the snapshot's
            int sum = 0;
            taken.for_each([&](int, const snapshot_counted& v) { sum += v.number; });
            EXPECT_EQ(sum, 4950);
            map.clear();
            map.flush();
            EXPECT_GE(snapshot_counted::alive, 100);
        }
        map.flush();
        EXPECT_EQ(snapshot_counted::alive, 0);
    }
}

TYPED_TEST(snapshot_memory, of_values_that_can_only_be_moved_can_be_looked_at) {
    using map_type = typename TypeParam::template of<int, move_only>;
    if constexpr (has_snapshots<map_type>) {
        map_type map;
        map.store(1, move_only(7));
        const auto taken = map.snapshot();
        map.store(1, move_only(8));
        int seen = 0;
        EXPECT_TRUE(taken.visit(1, [&](const move_only& v) { seen = v.number(); }));
        EXPECT_EQ(seen, 7);
    }
}

#if defined(__linux__)
/// It does not wait for a thread that is pre-empted in the allocator. (That of a map with few buckets allocates, once.)
TEST(snapshot_of_integers, of_many_buckets_is_taken_without_the_allocator) {
    syncmap::map<std::uint64_t, int> map;
    for (std::uint64_t n = 0; n < 5000; ++n) map.store(n, 1);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(allocations_of([&] {
                      const auto taken = map.snapshot();
                      EXPECT_EQ(taken.size(), 5000U);
                  }),
                  0U);
    }
}
#endif

TEST(snapshot_of_integers, shows_the_keys_that_look_like_marks) {
    syncmap::map<std::uint64_t, int> map;
    const std::uint64_t top = ~std::uint64_t{0};
    for (const std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, top, top - 1}) map.store(k, 1);
    const auto taken = map.snapshot();
    for (const std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, top, top - 1}) map.store(k, 2);
    map.erase(top);
    for (const std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, top, top - 1}) EXPECT_EQ(taken.load(k), 1);
    EXPECT_EQ(taken.for_each([](std::uint64_t, int v) { EXPECT_EQ(v, 1); }), 4U);
}

} // namespace test
