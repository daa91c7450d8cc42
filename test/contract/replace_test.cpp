// All contents replaced in one step.
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/allocators.hpp"
#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {

template <class M>
class replace : public ::testing::Test {
protected:
    static void fill(M& map, int from, int to, int round) {
        for (int i = from; i < to; ++i) map.store(key<M>(i), value<M>(i + round));
    }
    static void expect(const M& map, int from, int to, int round) {
        EXPECT_EQ(map.size(), static_cast<std::size_t>(to - from));
        EXPECT_EQ(map.approx_size(), map.size());
        for (int i = from; i < to; ++i) ASSERT_EQ(map.load(key<M>(i)), value<M>(i + round)) << i;
        std::size_t calls = 0;
        map.for_each([&](const auto&, const auto&) { ++calls; });
        EXPECT_EQ(calls, map.size());
    }
};
using replaceable = ::testing::Types<flagship::of<std::uint64_t, int>, flagship::of<std::string, int>,
                                     flagship::of<int, std::string>, behind_mutex::of<int, std::string>>;
TYPED_TEST_SUITE(replace, replaceable, names);

TYPED_TEST(replace, takes_over_everything_and_leaves_the_other_empty) {
    TypeParam map;
    for (int round = 0; round < 6; ++round) {
        TypeParam next;
        const int to = round % 2 == 0 ? 3000 : 40;
        this->fill(next, 0, to, round);
        if (round == 4) this->fill(map, 0, 5000, 0);
        map.replace(std::move(next));
        this->expect(map, 0, to, round);
        this->expect(next, 0, 0, 0);
        this->fill(next, 5, 500, 9); // it works as new
        this->expect(next, 5, 500, 9);
        this->fill(map, to, to + 3000, round); // what came with it is counted also while it grows,
        this->expect(map, 0, to + 3000, round);
        for (int i = 1000; i < to + 3000; ++i) map.erase(key<TypeParam>(i)); // and shrinks
        this->expect(map, 0, 1000, round);
    }
}

TYPED_TEST(replace, by_an_empty_map_clears) {
    TypeParam map;
    map.replace(TypeParam());
    this->expect(map, 0, 0, 0);
    this->fill(map, 0, 100, 0);
    map.replace(TypeParam());
    this->expect(map, 0, 0, 0);
    TypeParam emptied;
    this->fill(emptied, 0, 100, 0);
    for (int i = 0; i < 100; ++i) emptied.erase(key<TypeParam>(i));
    this->fill(map, 0, 100, 0);
    map.replace(std::move(emptied));
    this->expect(map, 0, 0, 0);
}

TYPED_TEST(replace, by_itself_changes_nothing) {
    TypeParam map;
    this->fill(map, 0, 100, 0);
    TypeParam& same = map;
    map.replace(std::move(same));
    this->expect(map, 0, 100, 0);
}

TYPED_TEST(replace, by_a_map_that_is_growing) {
    for (int entries = 10; entries < 400; entries += 7) {
        TypeParam map, next;
        this->fill(map, 0, 20, 1);
        this->fill(next, 0, entries, 2);
        map.replace(std::move(next));
        this->expect(map, 0, entries, 2);
    }
}

TYPED_TEST(replace, leaves_snapshots_as_they_are) {
    if constexpr (requires(TypeParam& m) { m.snapshot(); }) {
        TypeParam map, next;
        this->fill(map, 0, 300, 0);
        const auto before = map.snapshot();
        map.store(key<TypeParam>(0), value<TypeParam>(77));
        this->fill(next, 100, 900, 5);
        map.replace(std::move(next));
        const auto after = map.snapshot();
        for (int i = 0; i < 900; ++i) map.erase(key<TypeParam>(i));
        EXPECT_EQ(before.size(), 300U);
        EXPECT_EQ(after.size(), 800U);
        for (int i = 0; i < 300; ++i) ASSERT_EQ(before.load(key<TypeParam>(i)), value<TypeParam>(i)) << i;
        for (int i = 100; i < 900; ++i) ASSERT_EQ(after.load(key<TypeParam>(i)), value<TypeParam>(i + 5)) << i;
        EXPECT_EQ(after.for_each([](const auto&, const auto&) {}), 800U);
    }
}

TYPED_TEST(replace, refuses_a_map_with_a_snapshot) {
    if constexpr (requires(TypeParam& m) { m.snapshot(); }) {
        TypeParam map, next;
        this->fill(map, 0, 10, 1);
        this->fill(next, 0, 20, 2);
        {
            const auto taken = next.snapshot();
            EXPECT_THROW(map.replace(std::move(next)), std::logic_error);
        }
        this->expect(map, 0, 10, 1);
        this->expect(next, 0, 20, 2);
        map.replace(std::move(next));
        this->expect(map, 0, 20, 2);
    }
}

TYPED_TEST(replace, from_a_callback_is_ordered_after_the_computation) {
    if constexpr (requires(TypeParam& m) { m.snapshot(); }) {
        TypeParam map, next;
        this->fill(map, 0, 10, 1);
        this->fill(next, 5, 25, 2);
        map.update(key<TypeParam>(3), [&](const auto*) {
            map.replace(std::move(next));
            return value<TypeParam>(99); // dropped: this happened before
        });
        this->expect(map, 5, 25, 2);
        TypeParam other;
        this->fill(other, 0, 4, 3);
        map.for_each([&](const auto&, const auto&) { map.replace(std::move(other)); }); // the second time by an empty one
        EXPECT_LE(map.size(), 4U);
    }
}

TEST(replace_of_integers, brings_the_keys_that_look_like_marks) {
    syncmap::map<std::uint64_t, int> map, next;
    const std::uint64_t top = ~std::uint64_t{0};
    for (const std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, top, top - 1}) next.store(k, 1);
    map.replace(std::move(next));
    for (const std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, top, top - 1}) EXPECT_EQ(map.load(k), 1);
    EXPECT_EQ(map.size(), 4U);
}

TEST(replace_of_nodes, moves_them_without_copies) {
    syncmap::map<std::string, move_only> map, next;
    map.store("old", move_only(1));
    next.store("new", move_only(2));
    const void* place = nullptr;
    next.visit("new", [&](const move_only& v) { place = &v; });
    map.replace(std::move(next));
    EXPECT_TRUE(map.visit("new", [&](const move_only& v) {
        EXPECT_EQ(&v, place);
        EXPECT_EQ(v.number(), 2);
    }));
    EXPECT_FALSE(map.contains("old"));
}

TEST(replace_of_nodes, destroys_the_old_values_by_flush) {
    const auto witness = std::make_shared<int>(1);
    syncmap::map<int, std::shared_ptr<int>> map;
    for (int i = 0; i < 300; ++i) map.store(i, witness);
    syncmap::map<int, std::shared_ptr<int>> next;
    next.store(1, witness);
    map.replace(std::move(next));
    map.flush();
    EXPECT_EQ(witness.use_count(), 2);
}

TEST(replace_of_nodes, works_where_all_keys_collide) {
    syncmap::map<int, std::string, constant_hash> map, next;
    for (int i = 0; i < 300; ++i) next.store(i, std::to_string(i));
    for (int round = 0; round < 3; ++round) {
        map.replace(std::move(next));
        EXPECT_EQ(map.size(), 300U);
        for (int i = 0; i < 300; ++i) ASSERT_EQ(map.load(i), std::to_string(i));
        next.replace(std::move(map));
        EXPECT_EQ(map.size(), 0U);
    }
}

template <class Key, class T>
using booked_map = syncmap::map<Key, T, truncated_hash<2>, std::equal_to<>, booked<std::pair<const Key, T>>>;

/// With every number of allocations that succeed: nothing has changed if it fails.
template <class Key, class T>
void replace_while_memory_fails() {
    using M = booked_map<Key, T>;
    ledger books;
    {
        bool done = false;
        for (std::size_t budget = 0; !done; ++budget) {
            const typename M::allocator_type memory(books);
            M map({}, {}, memory), next({}, {}, memory);
            for (int i = 0; i < 20; ++i) map.store(key<M>(i), value<M>(i));
            for (int i = 0; i < 60; ++i) next.store(key<M>(i), value<M>(i + 1)); // crowded: it needs spare lines
            books.budget = budget;
            try {
                map.replace(std::move(next));
                done = true;
            } catch (const std::bad_alloc&) {}
            books.budget = std::numeric_limits<std::size_t>::max();
            ASSERT_EQ(map.size(), done ? 60U : 20U);
            ASSERT_EQ(next.size(), done ? 0U : 60U);
            for (int i = 0; i < (done ? 60 : 20); ++i) ASSERT_EQ(map.load(key<M>(i)), value<M>(i + (done ? 1 : 0)));
            for (int i = 0; i < (done ? 0 : 60); ++i) ASSERT_EQ(next.load(key<M>(i)), value<M>(i + 1));
            for (int i = 0; i < 60; ++i) map.store(key<M>(i), value<M>(i));
            ASSERT_LT(budget, 1000U);
        }
    }
    EXPECT_EQ(books.live_bytes, 0U);
}
TEST(replace_exceptions, memory_in_the_table) { replace_while_memory_fails<int, int>(); }
TEST(replace_exceptions, memory_of_nodes) { replace_while_memory_fails<int, std::string>(); }

TEST(replace_exceptions, a_hash_that_throws_changes_nothing) {
    using M = syncmap::map<fragile, int, fragile_hash>;
    {
        M map, next;
        for (int i = 0; i < 10; ++i) map.store(i, 1);
        for (int i = 0; i < 50; ++i) next.store(i, 2);
        for (std::size_t steps = 0; steps < 50; ++steps) {
            fuse::steps = steps;
            EXPECT_THROW(map.replace(std::move(next)), thrown_on_purpose);
            fuse::disarm();
            ASSERT_EQ(map.size(), 10U);
            ASSERT_EQ(next.size(), 50U);
        }
        for (int i = 0; i < 50; ++i) ASSERT_EQ(next.load(i), 2);
        map.replace(std::move(next));
        for (int i = 0; i < 50; ++i) ASSERT_EQ(map.load(i), 2);
    }
    EXPECT_EQ(fragile::alive, 0);
}

TEST(replace_exceptions, unequal_allocators_are_refused) {
    ledger one, other;
    using M = booked_map<int, std::string>;
    M map({}, {}, M::allocator_type(one)), next({}, {}, M::allocator_type(other));
    next.store(1, "one");
    EXPECT_THROW(map.replace(std::move(next)), std::invalid_argument);
    EXPECT_EQ(next.load(1), "one");
    EXPECT_TRUE(map.empty());
}

TEST(replace_again_and_again, uses_the_same_memory) {
    using M = syncmap::map<int, int, syncmap::hash<int>, std::equal_to<>, booked<std::pair<const int, int>>>;
    ledger books;
    const M::allocator_type memory(books);
    M map({}, {}, memory);
    std::size_t after_a_few = 0;
    for (int round = 0; round < 100; ++round) {
        {
            M next({}, {}, memory);
            for (int i = 0; i < 1000; ++i) next.store(i, round);
            map.replace(std::move(next));
        }
        if (round == 5) after_a_few = books.live_bytes;
        if (round > 5) { // two tables in turn
            EXPECT_LE(books.live_bytes, after_a_few) << round;
        }
    }
}

} // namespace test
