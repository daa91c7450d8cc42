// The lock of shared_mutex_map: readers share it, and a waiting writer comes before later readers.
#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include <gtest/gtest.h>

#include <syncmap/sync/fair_shared_mutex.hpp>

#include "support/watchdog.hpp"

namespace {

using namespace std::chrono_literals;

TEST(fair_shared_mutex, is_shared_by_readers_and_excludes_a_writer) {
    syncmap::fair_shared_mutex mutex;
    const std::shared_lock one(mutex);
    std::jthread([&] {
        const std::shared_lock another(mutex);
        EXPECT_FALSE(mutex.try_lock());
    }).join();
    EXPECT_FALSE(mutex.try_lock());
}

TEST(fair_shared_mutex, excludes_everybody_from_a_writer) {
    syncmap::fair_shared_mutex mutex;
    const std::unique_lock writer(mutex);
    std::jthread([&] {
        EXPECT_FALSE(mutex.try_lock());
        EXPECT_FALSE(mutex.try_lock_shared());
    }).join();
}

TEST(fair_shared_mutex, lets_no_new_reader_in_while_a_writer_waits) {
    const test::watchdog dog("fair_shared_mutex", 60s);
    syncmap::fair_shared_mutex mutex;
    std::shared_lock reader(mutex);
    std::jthread writer([&] { const std::unique_lock alone(mutex); });
    bool refused = false;
    while (!refused) { // until the writer has begun to wait
        std::jthread([&] {
            if (mutex.try_lock_shared()) {
                mutex.unlock_shared();
            } else {
                refused = true;
            }
        }).join();
    }
    reader.unlock();
    writer.join();
    EXPECT_TRUE(mutex.try_lock_shared()); // and the way is free again
    mutex.unlock_shared();
}

TEST(fair_shared_mutex, lets_a_writer_in_although_readers_overlap_without_end) {
    const test::watchdog dog("fair_shared_mutex", 60s);
    syncmap::fair_shared_mutex mutex;
    std::atomic<bool> stop{false};
    std::atomic<int> inside{0};
    const auto keep_reading = [&] {
        while (!stop) {
            const std::shared_lock reader(mutex);
            ++inside;
            for (int looks = 0; looks < 1000 && inside < 2 && !stop; ++looks) std::this_thread::yield();
            --inside;
        }
    };
    std::jthread one(keep_reading);
    std::jthread another(keep_reading);
    for (int i = 0; i < 20; ++i) {
        const std::unique_lock writer(mutex);
        EXPECT_EQ(inside, 0);
    }
    stop = true;
}

} // namespace
