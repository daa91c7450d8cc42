// What only the maps behind one lock have.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>
#include <syncmap/errors.hpp>

#include "support/maps.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class Family>
class lock : public ::testing::Test {};
TYPED_TEST_SUITE(lock, families, names);

TYPED_TEST(lock, hands_out_the_plain_map_for_a_sequence_of_operations) {
    using map_type = typename TypeParam::template of<std::string, int>;
    if constexpr (syncmap::lockable_map<map_type>) {
        map_type map{{"a", 10}, {"b", 0}};
        {
            auto plain = map.lock();
            ASSERT_NE(plain->find("a"), nullptr);
            *plain->find("a") -= 4;
            *plain->find("b") += 4;
            EXPECT_TRUE(plain->store("c", 7));
            EXPECT_FALSE(plain->store("c", 8));
            EXPECT_FALSE(plain->insert("c", 9));
            EXPECT_TRUE(plain->erase("c"));
            EXPECT_FALSE(plain->erase("c"));
            EXPECT_EQ(plain->find("c"), nullptr);
            EXPECT_TRUE(plain->insert("d", 1));
            EXPECT_EQ(plain->size(), 3U);
        }
        EXPECT_EQ(map.load("a"), 6);
        EXPECT_EQ(map.load("b"), 4);
        EXPECT_EQ(map.size(), 3U);
    }
}

TYPED_TEST(lock, lets_the_values_be_changed_in_a_loop) {
    using map_type = typename TypeParam::template of<int, int>;
    if constexpr (syncmap::lockable_map<map_type>) {
        map_type map;
        for (int i = 0; i < 1000; ++i) map.store(i, i);
        {
            auto plain = map.lock();
            for (auto [key, value] : *plain) value += key;
        }
        for (int i = 0; i < 1000; ++i) EXPECT_EQ(map.load(i), 2 * i);
        const auto plain = map.lock_shared();
        long sum = 0;
        for (const auto [key, value] : *plain) sum += value - key;
        EXPECT_EQ(sum, 999L * 1000 / 2);
    }
}

TYPED_TEST(lock, stores_what_lies_in_the_map_already) {
    using map_type = typename TypeParam::template of<std::string, std::string>;
    if constexpr (syncmap::lockable_map<map_type>) {
        map_type map;
        const std::string long_text(100, 'x');
        map.store("a", long_text);
        auto plain = map.lock();
        for (int i = 0; i < 1000; ++i) { // some of these move all entries to a larger block
            EXPECT_TRUE(plain->store(std::to_string(i), *plain->find("a")));
            EXPECT_TRUE(plain->insert(std::to_string(i) + *plain->find("a"), *plain->find("a")));
        }
        for (const auto [key, value] : *plain) EXPECT_EQ(value, long_text) << key;
    }
}

TYPED_TEST(lock, is_kept_by_the_last_of_several_readers_of_one_thread) {
    using map_type = typename TypeParam::template of<int, int>;
    if constexpr (syncmap::lockable_map<map_type>) {
        const watchdog dog("readers of one thread", std::chrono::seconds(60));
        map_type map{{1, 1}};
        using access = decltype(map.lock_shared());
        std::unique_ptr<access> first(new access(map.lock_shared()));
        std::unique_ptr<access> last(new access(map.lock_shared()));
        first.reset();
        std::atomic<bool> stored{false};
        std::thread writer([&] {
            map.store(1, 2);
            stored = true;
        });
        for (int i = 0; i < 100; ++i) {
            std::this_thread::sleep_for(std::chrono::microseconds(100));
            ASSERT_EQ(*(*last)->find(1), 1);
        }
        EXPECT_FALSE(stored);
        last.reset();
        writer.join();
        EXPECT_EQ(map.load(1), 2);
    }
}

TYPED_TEST(lock, keeps_every_other_thread_out) {
    using map_type = typename TypeParam::template of<int, int>;
    if constexpr (syncmap::lockable_map<map_type>) {
        const watchdog dog("lock, keeps_every_other_thread_out");
        map_type map{{1, 0}, {2, 0}};
        std::thread mover([&] {
            for (int i = 0; i < 5000; ++i) {
                auto plain = map.lock();
                ++*plain->find(1);
                --*plain->find(2);
            }
        });
        for (int i = 0; i < 5000; ++i) {
            int sum = 0;
            map.for_each([&](int, int value) { sum += value; });
            ASSERT_EQ(sum, 0) << "half of a sequence was seen";
        }
        mover.join();
        EXPECT_EQ(map.load(1), 5000);
    }
}

TYPED_TEST(lock, refuses_other_calls_of_the_same_thread_at_once) {
    using map_type = typename TypeParam::template of<int, int>;
    if constexpr (syncmap::lockable_map<map_type>) {
        const watchdog dog("lock, refuses_other_calls_of_the_same_thread_at_once");
        map_type map{{1, 10}};
        map_type other{{1, 11}};
        {
            auto plain = map.lock();
            plain->store(2, 20);
            EXPECT_THROW(static_cast<void>(map.load(1)), syncmap::reentrant_call);
            EXPECT_THROW(map.store(1, 2), syncmap::reentrant_call);
            EXPECT_THROW(static_cast<void>(map.lock()), syncmap::reentrant_call);
            EXPECT_THROW(static_cast<void>(map.lock_shared()), syncmap::reentrant_call);
            EXPECT_EQ(map.size(), 1U) << "the size from before";
            EXPECT_EQ(other.load(1), 11) << "other maps are free";
        }
        {
            const auto plain = map.lock_shared();
            EXPECT_EQ(map.load(1), 10) << "reads fit into a read";
            EXPECT_THROW(map.store(1, 2), syncmap::reentrant_call);
        }
        map.store(1, 2);
        EXPECT_EQ(map.size(), 2U);
    }
}

} // namespace test
