// Time does not run backwards: a thread that has seen a later state never sees an earlier one.
#include <atomic>
#include <chrono>
#include <cstdint>

#include <gtest/gtest.h>

#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class M>
class order : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped = typename M::mapped_type;
    const watchdog dog_{"order", std::chrono::seconds(300)};

    static void put(M& map, std::uint64_t number, std::uint64_t generation) {
        map.store(key_of<key_type>(number), proof<mapped>::of({number, generation, 0}));
    }
    static std::uint64_t generation(const M& map, std::uint64_t number) {
        const auto value = map.load(key_of<key_type>(number));
        return value ? proof<mapped>::generation(*value) : 0;
    }
};
TYPED_TEST_SUITE(order, proven_maps, names);

TYPED_TEST(order, of_reads_of_one_key_follows_its_writes) {
    TypeParam map;
    std::atomic<bool> stop{false};
    together(3, [&](std::size_t thread) { // few readers: a reader/writer lock may keep a writer waiting for long
        if (thread != 0) {
            std::uint64_t last = 0;
            while (!stop) {
                const std::uint64_t now = this->generation(map, 1);
                ASSERT_GE(now, last);
                last = now;
            }
            return;
        }
        for (std::uint64_t i = 1; i < scaled(60'000); ++i) this->put(map, 1, i);
        stop = true;
    });
}

TYPED_TEST(order, of_reads_of_many_keys_follows_the_writes_while_the_map_grows_and_is_cleared) {
    // The writer gives all keys generation g, clears, goes on with g + 1: a reader that has seen g never sees less.
    TypeParam map;
    const std::uint64_t keys = 500;
    std::atomic<bool> stop{false};
    together(3, [&](std::size_t thread) { // few readers: a reader/writer lock may keep a writer waiting for long
        if (thread != 0) {
            random draw(thread);
            std::uint64_t last = 0;
            while (!stop) {
                const std::uint64_t now = this->generation(map, draw.below(keys));
                if (now == 0) continue; // absent says nothing
                ASSERT_GE(now, last);
                last = now;
            }
            return;
        }
        for (std::uint64_t g = 1; g < scaled(100) + 2; ++g) {
            for (std::uint64_t i = 0; i < keys; ++i) this->put(map, i, g);
            map.clear();
        }
        stop = true;
    });
}

TYPED_TEST(order, of_two_keys_is_the_order_in_which_they_were_written) {
    // Key a is always written before key b: a thread that sees b at g sees a at g or later.
    TypeParam map;
    std::atomic<bool> stop{false};
    together(4, [&](std::size_t thread) {
        if (thread != 0) {
            while (!stop) {
                const std::uint64_t b = this->generation(map, 2);
                const std::uint64_t a = this->generation(map, 1);
                ASSERT_GE(a, b);
            }
            return;
        }
        for (std::uint64_t i = 1; i < scaled(60'000); ++i) {
            this->put(map, 1, i);
            this->put(map, 2, i);
            if (i % 8 == 0) this->put(map, 1000 + i, i); // and the map grows meanwhile
        }
        stop = true;
    });
}

TYPED_TEST(order, shows_a_key_that_is_always_present_to_every_reader) {
    TypeParam map;
    this->put(map, 0, 1);
    std::atomic<std::size_t> running{4};
    together(crowd, [&](std::size_t thread) {
        if (thread >= 4) {
            while (running != 0) ASSERT_NE(this->generation(map, 0), 0U);
            return;
        }
        for (std::uint64_t i = 1; i < scaled(20'000); ++i) { // neighbours come and go, and the key itself is rewritten
            const std::uint64_t number = 1 + thread * 100'000 + i;
            this->put(map, number, i);
            if (i % 4 != 0) map.erase(key_of<typename TypeParam::key_type>(number));
            if (i % 16 == 0) this->put(map, 0, i);
        }
        --running;
    });
}

} // namespace test
