// Which thread waits for which: a callback that stands still stops only the writers of its own key.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>

#include <gtest/gtest.h>

#include <syncmap/errors.hpp>

#include "support/maps.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class Family>
class progress : public ::testing::Test {
protected:
    const watchdog dog_{"progress"};

    using numbers = typename Family::template of<std::uint64_t, std::uint64_t>;
    using texts = typename Family::template of<std::string, std::string>;

    /// All operations on keys other than 0, with growth; reads of key 0 too.
    template <class Map>
    static void work_beside(Map& map) {
        for (int i = 1; i < 3000; ++i) {
            map.store(key<Map>(i), value<Map>(i));
            ASSERT_EQ(map.load(key<Map>(i)), value<Map>(i));
        }
        for (int i = 1; i < 3000; ++i) {
            map.update(key<Map>(i), [&](const auto*) { return value<Map>(i + 1); });
            ASSERT_TRUE(map.load_or_compute(key<Map>(i), [&] { return value<Map>(0); }).loaded);
            ASSERT_FALSE(map.load_or_compute(key<Map>(i + 5000), [&] { return value<Map>(0); }).loaded);
        }
        for (int i = 1; i < 3000; ++i) ASSERT_EQ(map.load_and_erase(key<Map>(i)), value<Map>(i + 1));
        static_cast<void>(map.load(key<Map>(0)));
        static_cast<void>(map.contains(key<Map>(0)));
        ASSERT_GE(map.size(), 2999U);
        map.for_each([](const auto&, const auto&) {});
    }

    /// Runs `stand_still(map, pause)` on a thread that calls `pause` in a callback, `meanwhile(map)` while it stands.
    template <class Map, class StandStill, class Meanwhile>
    static void beside(StandStill stand_still, Meanwhile meanwhile) {
        Map map;
        map.store(key<Map>(0), value<Map>(100));
        std::latch standing(1);
        std::latch go_on(1);
        std::atomic<bool> stood{false};
        std::jthread other([&] {
            stand_still(map, [&] {
                if (stood.exchange(true)) return; // once, whatever the callback is called for
                standing.count_down();
                go_on.wait();
            });
        });
        standing.wait();
        meanwhile(map);
        go_on.count_down();
    }

    template <class StandStill, class Meanwhile>
    static void beside_in_every_layout(StandStill stand_still, Meanwhile meanwhile) {
        if constexpr (Family::callbacks_are_free) {
            beside<numbers>(stand_still, meanwhile);
            beside<texts>(stand_still, meanwhile);
        }
    }
};
TYPED_TEST_SUITE(progress, families, names);

TYPED_TEST(progress, of_others_does_not_wait_for_an_update) {
    this->beside_in_every_layout(
        [](auto& map, auto pause) {
            using map_type = std::remove_reference_t<decltype(map)>;
            map.update(key<map_type>(0), [&](const auto*) {
                pause();
                return value<map_type>(1);
            });
        },
        [](auto& map) { progress<TypeParam>::work_beside(map); });
}

TYPED_TEST(progress, of_others_does_not_wait_for_a_computation) {
    this->beside_in_every_layout(
        [](auto& map, auto pause) {
            using map_type = std::remove_reference_t<decltype(map)>;
            static_cast<void>(map.load_or_compute(key<map_type>(4000), [&] {
                pause();
                return value<map_type>(1);
            }));
        },
        [](auto& map) {
            using map_type = std::remove_reference_t<decltype(map)>;
            EXPECT_EQ(map.load(key<map_type>(4000)), std::nullopt);
            progress<TypeParam>::work_beside(map);
        });
}

TYPED_TEST(progress, of_all_writers_does_not_wait_for_a_visitor) {
    this->beside_in_every_layout(
        [](auto& map, auto pause) {
            using map_type = std::remove_reference_t<decltype(map)>;
            map.visit(key<map_type>(0), [&](const auto& v) {
                pause();
                EXPECT_EQ(v, value<map_type>(100)) << "what is visited stays, whatever the map holds by now";
            });
        },
        [](auto& map) {
            using map_type = std::remove_reference_t<decltype(map)>;
            map.store(key<map_type>(0), value<map_type>(101));
            EXPECT_EQ(map.exchange(key<map_type>(0), value<map_type>(102)), value<map_type>(101));
            EXPECT_TRUE(map.erase(key<map_type>(0)));
            progress<TypeParam>::work_beside(map);
            map.clear();
        });
}

TYPED_TEST(progress, of_all_writers_does_not_wait_for_an_iteration) {
    this->beside_in_every_layout(
        [](auto& map, auto pause) {
            map.for_each([&](const auto& k, const auto& v) {
                const auto key_before = k;
                const auto value_before = v;
                pause();
                EXPECT_EQ(k, key_before);
                EXPECT_EQ(v, value_before);
            });
        },
        [](auto& map) {
            using map_type = std::remove_reference_t<decltype(map)>;
            EXPECT_TRUE(map.erase(key<map_type>(0)));
            progress<TypeParam>::work_beside(map);
            map.clear();
            progress<TypeParam>::work_beside(map);
        });
}

TYPED_TEST(progress, of_all_writers_does_not_wait_for_a_predicate) {
    this->beside_in_every_layout(
        [](auto& map, auto pause) {
            map.erase_if([&](const auto&, const auto&) {
                pause();
                return false;
            });
        },
        [](auto& map) {
            using map_type = std::remove_reference_t<decltype(map)>;
            map.store(key<map_type>(0), value<map_type>(101));
            progress<TypeParam>::work_beside(map);
        });
}

TYPED_TEST(progress, of_writers_of_the_computed_key_comes_after_the_computation) {
    if constexpr (TypeParam::callbacks_are_free) {
        typename TestFixture::texts map;
        std::latch computing(1);
        std::atomic<bool> computed{false};
        std::jthread writer([&] {
            computing.wait();
            map.store("key", "stored");
            EXPECT_TRUE(computed) << "the store overtook the computation";
        });
        const auto result = map.load_or_compute("key", [&] {
            computing.count_down();
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            computed = true;
            return std::string("computed");
        });
        EXPECT_FALSE(result.loaded);
        EXPECT_EQ(result.value, "computed");
        writer.join();
        EXPECT_EQ(map.load("key"), "stored");
    }
}

TYPED_TEST(progress, of_computations_that_wait_for_each_other_ends_with_an_error_in_one_of_them) {
    if constexpr (TypeParam::callbacks_are_free) {
        typename TestFixture::numbers map;
        std::latch both(2);
        std::atomic<int> errors{0};
        together(2, [&](std::size_t thread) {
            try {
                static_cast<void>(map.load_or_compute(thread, [&] {
                    both.arrive_and_wait();
                    return map.load_or_compute(1 - thread, [] { return std::uint64_t{7}; }).value;
                }));
            } catch (const syncmap::recursive_update&) {
                ++errors;
            }
        });
        EXPECT_EQ(errors.load(), 1) << "the other thread goes on";
        map.store(0, 1); // nothing is held any more
        map.store(1, 1);
        EXPECT_EQ(map.size(), 2U);
    }
}

} // namespace test
