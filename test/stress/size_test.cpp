// The exact size lies between what must and what may be there, at every moment.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>

#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class M>
class exact_size : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped = typename M::mapped_type;
    const watchdog dog_{"exact_size", std::chrono::seconds(300)};

    static key_type key(std::uint64_t i) { return key_of<key_type>(i); }
    static mapped value(std::uint64_t i) { return proof<mapped>::of({i, 0, 0}); }
};
TYPED_TEST_SUITE(exact_size, proven_maps, names);

TYPED_TEST(exact_size, never_contradicts_what_a_thread_has_put_in_itself) {
    if constexpr (syncmap::exact_size_map<TypeParam>) {
        TypeParam map;
        const std::uint64_t each = scaled(4'000);
        together(crowd, [&](std::size_t thread) {
            for (std::uint64_t i = 0; i < each; ++i) {
                map.store(this->key(thread * each + i), this->value(thread * each + i));
                const std::size_t size = map.size();
                ASSERT_GE(size, i + 1);
                ASSERT_LE(size, crowd * each);
                ASSERT_FALSE(map.empty());
            }
        });
        EXPECT_EQ(map.size(), crowd * each);
    }
}

TYPED_TEST(exact_size, lies_between_finished_and_begun_changes) {
    if constexpr (syncmap::exact_size_map<TypeParam>) {
        TypeParam map;
        std::atomic<std::int64_t> insert_begun{0}, insert_done{0}, erase_begun{0}, erase_done{0};
        std::atomic<std::size_t> running{crowd - 2};
        const std::uint64_t each = scaled(8'000);
        together(crowd, [&](std::size_t thread) {
            if (thread < 2) {
                std::int64_t last_seen = 0;
                while (running != 0) {
                    const std::int64_t least_inserted = insert_done;
                    const std::int64_t least_erased = erase_done;
                    const auto size = static_cast<std::int64_t>(map.size());
                    const std::int64_t most_erased = erase_begun;
                    const std::int64_t most_inserted = insert_begun;
                    ASSERT_GE(size, least_inserted - most_erased);
                    ASSERT_LE(size, most_inserted - least_erased);
                    last_seen = size;
                }
                ASSERT_GE(last_seen, 0);
                return;
            }
            for (std::uint64_t i = 0; i < each; ++i) {
                ++insert_begun;
                ASSERT_TRUE(map.insert(this->key(thread * each + i), this->value(thread * each + i)));
                ++insert_done;
                if (i % 3 == 2) {
                    ++erase_begun;
                    ASSERT_TRUE(map.erase(this->key(thread * each + i - 1)));
                    ++erase_done;
                }
            }
            --running;
        });
        EXPECT_EQ(static_cast<std::int64_t>(map.size()), insert_done - erase_done);
    }
}

TYPED_TEST(exact_size, of_one_key_put_in_and_taken_out_is_zero_or_one) {
    if constexpr (syncmap::exact_size_map<TypeParam>) {
        TypeParam map;
        std::atomic<std::size_t> running{crowd - 2};
        together(crowd, [&](std::size_t thread) {
            if (thread < 2) {
                while (running != 0) ASSERT_LE(map.size(), 1U);
                return;
            }
            for (std::uint64_t i = 0; i < scaled(10'000); ++i) {
                if ((i + thread) % 2 == 0) {
                    map.store(this->key(1), this->value(1));
                } else {
                    map.erase(this->key(1));
                }
            }
            --running;
        });
    }
}

TYPED_TEST(exact_size, stays_within_bounds_while_the_map_is_cleared) {
    if constexpr (syncmap::exact_size_map<TypeParam>) {
        TypeParam map;
        const std::uint64_t keys = 1000;
        std::atomic<std::size_t> running{crowd - 2};
        together(crowd, [&](std::size_t thread) {
            if (thread == 0) {
                while (running != 0) ASSERT_LE(map.size(), keys);
                return;
            }
            if (thread == 1) {
                while (running != 0) {
                    map.clear();
                    std::this_thread::yield();
                }
                return;
            }
            random draw(thread);
            for (std::uint64_t i = 0; i < scaled(10'000); ++i) {
                const std::uint64_t number = draw.below(keys);
                if (draw.below(3) == 0) {
                    map.erase(this->key(number));
                } else {
                    map.store(this->key(number), this->value(number));
                }
            }
            --running;
        });
        EXPECT_EQ(map.size(), map.for_each([](const auto&, const auto&) {}));
        EXPECT_EQ(map.size(), map.approx_size());
        map.clear();
        EXPECT_EQ(map.size(), 0U);
    }
}

} // namespace test
