// Of many threads that race for a key exactly one wins, and all agree on which.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class M>
class one_winner : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped = typename M::mapped_type;
    const watchdog dog_{"one_winner", std::chrono::seconds(300)};

    static key_type key(std::size_t i) { return key_of<key_type>(i); }
    static mapped value(std::size_t i, std::size_t thread) { return proof<mapped>::of({i, 1, thread}); }
};
TYPED_TEST_SUITE(one_winner, proven_maps, names);

TYPED_TEST(one_winner, stores_in_load_or_store_and_all_see_its_value) {
    TypeParam map;
    const std::size_t keys = scaled(10'000);
    std::vector<std::vector<typename TypeParam::mapped_type>> seen(crowd);
    std::vector<std::atomic<unsigned>> stored(keys);
    together(crowd, [&](std::size_t thread) {
        for (std::size_t i = 0; i < keys; ++i) {
            auto result = map.load_or_store(this->key(i), this->value(i, thread));
            if (!result.loaded) ++stored[i];
            seen[thread].push_back(std::move(result.value));
        }
    });
    for (std::size_t i = 0; i < keys; ++i) {
        ASSERT_EQ(stored[i].load(), 1U) << "key " << i;
        for (std::size_t thread = 0; thread < crowd; ++thread) ASSERT_EQ(seen[thread][i], map.load(this->key(i)));
    }
    EXPECT_EQ(map.size(), keys);
}

TYPED_TEST(one_winner, computes_in_load_or_compute_and_all_see_its_value) {
    TypeParam map;
    const std::size_t keys = scaled(5'000);
    std::vector<std::vector<typename TypeParam::mapped_type>> seen(crowd);
    std::vector<std::atomic<unsigned>> computed(keys);
    std::vector<std::atomic<unsigned>> stored(keys);
    together(crowd, [&](std::size_t thread) {
        for (std::size_t i = 0; i < keys; ++i) {
            auto result = map.load_or_compute(this->key(i), [&] {
                ++computed[i];
                return this->value(i, thread);
            });
            if (!result.loaded) ++stored[i];
            seen[thread].push_back(std::move(result.value));
        }
    });
    for (std::size_t i = 0; i < keys; ++i) {
        ASSERT_EQ(computed[i].load(), 1U) << "key " << i;
        ASSERT_EQ(stored[i].load(), 1U) << "key " << i;
        for (std::size_t thread = 0; thread < crowd; ++thread) ASSERT_EQ(seen[thread][i], map.load(this->key(i)));
    }
}

TYPED_TEST(one_winner, succeeds_in_insert_and_its_value_stays) {
    TypeParam map;
    const std::size_t keys = scaled(10'000);
    std::vector<std::atomic<unsigned>> winner(keys); // 1 + thread
    std::atomic<std::size_t> wins{0};
    together(crowd, [&](std::size_t thread) {
        for (std::size_t i = 0; i < keys; ++i) {
            if (!map.insert(this->key(i), this->value(i, thread))) continue;
            ++wins;
            winner[i] = static_cast<unsigned>(1 + thread);
        }
    });
    EXPECT_EQ(wins.load(), keys);
    for (std::size_t i = 0; i < keys; ++i) ASSERT_EQ(map.load(this->key(i)), this->value(i, winner[i] - 1));
}

TYPED_TEST(one_winner, erases_each_key) {
    TypeParam map;
    const std::size_t keys = scaled(10'000);
    for (std::size_t i = 0; i < keys; ++i) map.store(this->key(i), this->value(i, 0));
    std::atomic<std::size_t> erased{0};
    together(crowd, [&](std::size_t thread) {
        for (std::size_t i = 0; i < keys; ++i) {
            auto expected = this->value(i, 0);
            switch (thread % 3) {
            case 0: erased += map.erase(this->key(i)) ? 1U : 0U; break;
            case 1: erased += map.load_and_erase(this->key(i)) ? 1U : 0U; break;
            default: erased += map.compare_erase(this->key(i), expected) ? 1U : 0U;
            }
        }
    });
    EXPECT_EQ(erased.load(), keys);
    EXPECT_TRUE(map.empty());
}

TYPED_TEST(one_winner, of_every_round_takes_the_step_in_compare_exchange) {
    TypeParam map;
    using value_proof = proof<typename TypeParam::mapped_type>;
    const std::size_t rounds = scaled(10'000);
    const auto step = [](std::size_t generation) { return value_proof::of({0, generation, 0}); };
    map.store(this->key(0), step(0));
    std::vector<std::atomic<unsigned>> steps(rounds + 1);
    together(crowd, [&](std::size_t) {
        auto expected = step(0);
        for (;;) {
            const std::uint64_t generation = value_proof::generation(expected);
            if (generation == rounds) break;
            if (map.compare_exchange(this->key(0), expected, step(generation + 1))) {
                ++steps[generation];
                expected = step(generation + 1);
            }
        }
    });
    for (std::size_t i = 0; i < rounds; ++i) ASSERT_EQ(steps[i].load(), 1U) << "step " << i;
    EXPECT_EQ(map.load(this->key(0)), step(rounds));
}

} // namespace test
