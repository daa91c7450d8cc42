// Updates of several keys in one step, of the maps that have them.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>
#include <syncmap/errors.hpp>

#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {

static_assert(syncmap::multi_key_map<flagship::of<int, int>> && syncmap::multi_key_map<behind_mutex::of<std::string, int>>);
static_assert(!syncmap::multi_key_map<with_snapshot::of<int, int>>);

template <class M>
class multi_update : public ::testing::Test {
protected:
    using slot = syncmap::update_slot<typename M::mapped_type>;
    using slots = std::span<slot>;
    static std::vector<typename M::key_type> keys_from(int from, int to) {
        std::vector<typename M::key_type> all;
        for (int i = from; i < to; ++i) all.push_back(key<M>(i));
        return all;
    }
};
using multi_update_maps =
    ::testing::Types<flagship::of<int, int>, flagship::of<std::string, std::uint64_t>, flagship::of<std::string, std::string>,
                     behind_mutex::of<std::string, std::string>, behind_shared_mutex::of<int, int>>;
TYPED_TEST_SUITE(multi_update, multi_update_maps, names);

TYPED_TEST(multi_update, shows_the_keys_in_their_order_and_does_what_their_slots_say) {
    TypeParam map;
    for (int i : {1, 2, 3, 4}) map.store(key<TypeParam>(i), value<TypeParam>(10 * i));
    const bool done =
        map.update({key<TypeParam>(4), key<TypeParam>(9), key<TypeParam>(1), key<TypeParam>(2), key<TypeParam>(8)},
                   [](typename TestFixture::slots s) {
                       ASSERT_EQ(s.size(), 5U);
                       EXPECT_EQ(*s[0].current(), value<TypeParam>(40));
                       EXPECT_EQ(s[1].current(), nullptr);
                       EXPECT_EQ(*s[2].current(), value<TypeParam>(10));
                       EXPECT_EQ(*s[3].current(), value<TypeParam>(20));
                       EXPECT_EQ(s[4].current(), nullptr);
                       s[0].assign(value<TypeParam>(41));
                       EXPECT_EQ(*s[0].current(), value<TypeParam>(40)) << "it does not change before the end";
                       s[1].assign(value<TypeParam>(90));
                       s[2].erase();
                       s[3].erase();
                       s[3].assign(value<TypeParam>(21));
                       s[3].keep(); // the last word counts
                       s[4].erase();
                   });
    EXPECT_TRUE(done);
    EXPECT_EQ(map.load(key<TypeParam>(4)), value<TypeParam>(41));
    EXPECT_EQ(map.load(key<TypeParam>(9)), value<TypeParam>(90));
    EXPECT_FALSE(map.contains(key<TypeParam>(1)));
    EXPECT_EQ(map.load(key<TypeParam>(2)), value<TypeParam>(20));
    EXPECT_EQ(map.load(key<TypeParam>(3)), value<TypeParam>(30));
    EXPECT_FALSE(map.contains(key<TypeParam>(8)));
    EXPECT_EQ(map.size(), 4U);
}

TYPED_TEST(multi_update, does_nothing_when_the_function_says_no_or_throws) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(1));
    const auto change = [](auto s) {
        s[0].erase();
        s[1].assign(value<TypeParam>(2));
    };
    const std::array both{key<TypeParam>(1), key<TypeParam>(2)};
    EXPECT_FALSE(map.update(both, [&](auto s) { return change(s), false; }));
    EXPECT_THROW(map.update(both, [&](auto s) { change(s), throw 1; }), int);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(1));
    EXPECT_EQ(map.size(), 1U);
    EXPECT_TRUE(map.update(both, [&](auto s) { return change(s), true; }));
    EXPECT_FALSE(map.contains(key<TypeParam>(1)));
    EXPECT_EQ(map.load(key<TypeParam>(2)), value<TypeParam>(2));
}

TYPED_TEST(multi_update, refuses_the_same_key_twice) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(1));
    for (const int twice : {1, 2}) {
        try {
            map.update({key<TypeParam>(twice), key<TypeParam>(3), key<TypeParam>(twice)}, [](auto) { FAIL(); });
            FAIL() << "no exception";
        } catch (const std::invalid_argument& e) {
            EXPECT_EQ(std::string(e.what()), "syncmap: update of several keys: the same key was given twice");
        }
    }
    EXPECT_EQ(map.size(), 1U);
    map.store(key<TypeParam>(3), value<TypeParam>(3)); // no thread owns it
}

TYPED_TEST(multi_update, of_no_key_and_of_one) {
    TypeParam map;
    int calls = 0;
    EXPECT_TRUE(map.update(std::vector<typename TypeParam::key_type>(), [&](auto s) { calls += s.empty() ? 1 : 100; }));
    EXPECT_TRUE(map.update({key<TypeParam>(1)}, [&](auto s) {
        ++calls;
        s[0].assign(value<TypeParam>(1));
    }));
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(1));
}

TYPED_TEST(multi_update, of_many_keys_makes_the_room_it_needs) {
    TypeParam map;
    const auto all = this->keys_from(0, 1000);
    int runs = 0;
    map.update(all, [&](auto s) {
        ++runs;
        for (std::size_t i = 0; i < s.size(); ++i) s[i].assign(value<TypeParam>(static_cast<int>(i)));
    });
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(map.size(), 1000U);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(map.load(key<TypeParam>(i)), value<TypeParam>(i));
    map.update(all, [&](auto s) {
        for (std::size_t i = 0; i < s.size(); ++i) {
            if (i % 3 == 0) s[i].erase();
            if (i % 3 == 1) s[i].assign(value<TypeParam>(static_cast<int>(i) + 5000));
        }
    });
    EXPECT_EQ(map.size(), 666U);
    for (int i = 0; i < 1000; ++i) {
        std::optional<typename TypeParam::mapped_type> expected;
        if (i % 3 != 0) expected = value<TypeParam>(i % 3 == 1 ? i + 5000 : i);
        ASSERT_EQ(map.load(key<TypeParam>(i)), expected);
    }
    map.update(all, [](auto s) {
        for (auto& each : s) each.erase();
    });
    EXPECT_EQ(map.size(), 0U);
    EXPECT_EQ(map.for_each([](const auto&, const auto&) {}), 0U);
}

TYPED_TEST(multi_update, function_may_use_what_it_does_not_compute) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(1));
    const std::array both{key<TypeParam>(1), key<TypeParam>(2)};
    constexpr bool free = requires { map.snapshot(); };
    const auto run = [&](auto inside) {
        return map.update(both, [&](auto s) {
            s[0].assign(value<TypeParam>(10));
            inside();
        });
    };
    if constexpr (free) {
        run([&] {
            EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(1));
            EXPECT_EQ(map.size(), 1U);
            map.store(key<TypeParam>(3), value<TypeParam>(3));
            map.update({key<TypeParam>(4), key<TypeParam>(5)}, [](auto s) { s[0].assign(value<TypeParam>(4)); });
            EXPECT_THROW(map.store(key<TypeParam>(2), value<TypeParam>(3)), syncmap::recursive_update);
            EXPECT_THROW(map.update({key<TypeParam>(6), key<TypeParam>(2)}, [](auto) {}), syncmap::recursive_update);
            map.store(key<TypeParam>(6), value<TypeParam>(6)); // was let go
        });
        EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(10));
        EXPECT_EQ(map.size(), 4U);
        map.update(key<TypeParam>(1), [&](const auto*) {
            EXPECT_THROW(run([] {}), syncmap::recursive_update);
            return value<TypeParam>(11);
        });
        EXPECT_TRUE(run([&] { map.clear(); })) << "ordered before the clear";
        EXPECT_EQ(map.size(), 0U);
    } else {
        EXPECT_THROW(run([&] { map.store(key<TypeParam>(3), value<TypeParam>(3)); }), syncmap::reentrant_call);
        EXPECT_EQ(map.load(key<TypeParam>(1)), value<TypeParam>(1));
    }
}

TYPED_TEST(multi_update, is_in_a_snapshot_as_a_whole_or_not_at_all) {
    if constexpr (requires(TypeParam& m) { m.snapshot(); }) {
        TypeParam map;
        const auto all = this->keys_from(0, 40);
        for (int i = 0; i < 20; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
        const auto before = map.snapshot();
        const auto also_before = map.snapshot();
        map.update(all, [](auto s) {
            for (auto& each : s) each.current() != nullptr ? each.erase() : each.assign(value<TypeParam>(7));
        });
        const auto after = map.snapshot();
        map.clear();
        for (int i = 0; i < 40; ++i) {
            EXPECT_EQ(before.contains(key<TypeParam>(i)), i < 20);
            EXPECT_EQ(also_before.contains(key<TypeParam>(i)), i < 20);
            EXPECT_EQ(after.contains(key<TypeParam>(i)), i >= 20);
        }
        EXPECT_EQ(before.size(), 20U);
        EXPECT_EQ(after.size(), 20U);
    }
}

TEST(multi_update_of_colliding_keys, lengthens_one_bucket) {
    flagship::of<int, int, constant_hash> map;
    std::vector<int> all(300);
    for (int i = 0; i < 300; ++i) all[static_cast<std::size_t>(i)] = i;
    map.store(1000, 1);
    for (int round = 0; round < 3; ++round) {
        map.update(all, [&](auto s) {
            for (auto& each : s) each.assign(round);
        });
        EXPECT_EQ(map.size(), 301U);
        for (const int k : all) ASSERT_EQ(map.load(k), round);
        map.update(all, [](auto s) {
            for (auto& each : s) each.erase();
        });
        EXPECT_EQ(map.size(), 1U);
        EXPECT_EQ(map.for_each([](int k, int) { EXPECT_EQ(k, 1000); }), 1U);
    }
    EXPECT_THROW(map.update({1, 2, 1}, [](auto) {}), std::invalid_argument);
}

TEST(multi_update_of_integers, takes_the_keys_that_look_like_marks) {
    flagship::of<std::uint64_t, std::uint64_t> map;
    const std::uint64_t top = ~std::uint64_t{0};
    map.store(top, 5);
    map.update({0, top, top - 1, 1}, [](auto s) {
        EXPECT_EQ(*s[1].current(), 5U);
        for (auto& each : s) each.assign(6);
        s[1].erase();
    });
    for (const std::uint64_t k : {std::uint64_t{0}, top - 1, std::uint64_t{1}}) EXPECT_EQ(map.load(k), 6U);
    EXPECT_EQ(map.size(), 3U);
}

TEST(multi_update_of_values, that_can_only_be_moved) {
    const auto run = [](auto& map) {
        map.store(1, move_only(1));
        map.update({1, 2}, [](auto s) {
            s[1].assign(move_only(s[0].current()->number() + 1));
            s[0].assign(move_only(10));
        });
        int sum = 0;
        map.for_each([&](int k, const move_only& v) { sum += 100 * k + v.number(); });
        EXPECT_EQ(sum, 312);
    };
    flagship::of<int, move_only> map;
    run(map);
    behind_mutex::of<int, move_only> locked;
    run(locked);
}

/// Every step of user code throws once: after that the map holds what it held, and works.
template <class Family>
void fail_multi_update_at_every_step() {
    using map_type = typename Family::template of<fragile, fragile, fragile_hash>;
    const auto content_of = [](const map_type& m) {
        std::map<int, int> result;
        m.for_each([&](const fragile& k, const fragile& v) { result.emplace(k.number(), v.number()); });
        return result;
    };
    for (const int entries : {2, 7, 13, 24}) {
        fragile::alive = 0;
        bool thrown = true;
        for (std::size_t n = 0; thrown; ++n) {
            {
                map_type m;
                for (int i = 0; i < entries; ++i) m.store(fragile(i), fragile(10 * i));
                const auto before = content_of(m);
                const std::vector<fragile> four{fragile(0), fragile(entries), fragile(1), fragile(entries + 1)};
                try {
                    fuse::steps = n;
                    m.update(four, [](auto s) {
                        s[0].erase();
                        s[1].assign(fragile(1));
                        s[2].assign(fragile(2));
                        s[3].assign(3);
                    });
                    fuse::disarm();
                    thrown = false;
                    ASSERT_EQ(m.size(), before.size() + 1);
                } catch (const thrown_on_purpose&) {
                    fuse::disarm();
                    ASSERT_EQ(content_of(m), before) << "step " << n;
                    ASSERT_EQ(m.size(), before.size()) << "step " << n;
                    m.store(fragile(entries), fragile(1)); // neither a lock nor a key is held
                    m.erase(fragile(0));
                }
            }
            ASSERT_EQ(fragile::alive, 0) << "step " << n;
        }
    }
}
TEST(multi_update_of_values, that_throw_changes_nothing) { fail_multi_update_at_every_step<flagship>(); }
TEST(multi_update_of_values, that_throw_changes_nothing_behind_a_mutex) { fail_multi_update_at_every_step<behind_mutex>(); }

} // namespace test
