// Walks over the map while others change it: what was there all the time is seen, once.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class M>
class iteration : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped = typename M::mapped_type;
    const watchdog dog_{"iteration", std::chrono::seconds(300)};

    static void put(M& map, std::uint64_t number, std::uint64_t generation = 0) {
        map.store(key_of<key_type>(number), proof<mapped>::of({number, generation, 0}));
    }

    /// Walks with `for_each` until `stop`; keys below `stable` must come exactly once, those from `limit` on never,
    /// all others at most once.
    static void watch(const M& map, std::uint64_t stable, std::uint64_t limit, const std::atomic<bool>& stop) {
        std::vector<unsigned> times(limit);
        do {
            times.assign(limit, 0);
            std::size_t lies = 0;
            const std::size_t calls = map.for_each([&](const key_type& key, const mapped& value) {
                const std::uint64_t number = number_of(key);
                ++times.at(number);
                lies += proof<mapped>::holds(value, number) ? 0U : 1U;
            });
            ASSERT_EQ(lies, 0U);
            ASSERT_GE(calls, stable);
            for (std::uint64_t i = 0; i < stable; ++i) ASSERT_EQ(times[i], 1U) << "stable key " << i;
            for (std::uint64_t i = stable; i < limit; ++i) ASSERT_LE(times[i], 1U) << "moving key " << i;
        } while (!stop);
    }
};
TYPED_TEST_SUITE(iteration, proven_maps, names);

TYPED_TEST(iteration, sees_every_stable_key_once_while_the_map_grows) {
    const std::uint64_t stable = 500;
    const std::uint64_t limit = stable + scaled(60'000);
    TypeParam map;
    for (std::uint64_t i = 0; i < stable; ++i) this->put(map, i);
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> next{stable};
    together(4, [&](std::size_t thread) {
        if (thread < 2) return this->watch(map, stable, limit, stop);
        for (std::uint64_t i = next++; i < limit; i = next++) this->put(map, i);
        stop = true;
    });
    EXPECT_EQ(map.size(), limit);
}

TYPED_TEST(iteration, sees_every_stable_key_once_while_the_map_shrinks_and_grows_again) {
    const std::uint64_t stable = 500;
    const std::uint64_t limit = stable + scaled(20'000);
    TypeParam map;
    for (std::uint64_t i = 0; i < stable; ++i) this->put(map, i);
    std::atomic<bool> stop{false};
    together(3, [&](std::size_t thread) {
        if (thread < 2) {
            std::vector<unsigned> times(limit);
            do {
                times.assign(limit, 0);
                map.for_each([&](const auto& key, const auto&) { ++times.at(number_of(key)); });
                for (std::uint64_t i = 0; i < stable; ++i) ASSERT_EQ(times[i], 1U) << "stable key " << i;
            } while (!stop);
            return;
        }
        for (int round = 0; round < 3; ++round) {
            for (std::uint64_t i = stable; i < limit; ++i) this->put(map, i);
            for (std::uint64_t i = stable; i < limit; ++i) map.erase(key_of<typename TypeParam::key_type>(i));
        }
        stop = true;
    });
    EXPECT_EQ(map.size(), stable);
}

TYPED_TEST(iteration, sees_stable_keys_while_their_values_change) {
    const std::uint64_t stable = 2000;
    TypeParam map;
    for (std::uint64_t i = 0; i < stable; ++i) this->put(map, i);
    std::atomic<bool> stop{false};
    together(4, [&](std::size_t thread) {
        if (thread < 2) return this->watch(map, stable, stable, stop);
        random draw(thread);
        for (std::size_t i = 0; i < scaled(60'000); ++i) this->put(map, draw.below(stable), i);
        stop = true;
    });
}

TYPED_TEST(iteration, by_erase_if_takes_only_what_it_was_told_to) {
    const std::uint64_t stable = 500;
    const std::uint64_t limit = stable + scaled(30'000);
    TypeParam map;
    for (std::uint64_t i = 0; i < stable; ++i) this->put(map, i);
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> erased{0};
    together(3, [&](std::size_t thread) {
        if (thread != 0) {
            do {
                erased += map.erase_if([&](const auto& key, const auto&) { return number_of(key) >= stable; });
                for (std::uint64_t i = 0; i < stable; i += 10) {
                    ASSERT_TRUE(map.contains(key_of<typename TypeParam::key_type>(i)));
                }
            } while (!stop);
            return;
        }
        for (std::uint64_t i = stable; i < limit; ++i) this->put(map, i);
        stop = true;
    });
    erased += map.erase_if([&](const auto& key, const auto&) { return number_of(key) >= stable; });
    EXPECT_EQ(erased.load(), limit - stable);
    EXPECT_EQ(map.size(), stable);
}

} // namespace test
