// What a snapshot and writers wait for, as counted attempts: writers that were pre-empted in their sections, writers that are
// stopped there, and more writers than processors.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/snapshot.hpp>

#include "life/common.hpp"
#include "support/maps.hpp"
#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/stepping_sync.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

/// Counts the limits that the calling thread makes: `snapshot()` makes one for each attempt to find its instant, and one for
/// a pause after an attempt that was void.
template <std::uint32_t LongestCut>
struct counting_sync : stepping_sync {
    static inline thread_local std::uint64_t limits = 0;
    static inline thread_local std::uint32_t longest = 0;       ///< of these limits, in microseconds
    static inline thread_local std::uint32_t longest_growth = 0; ///< the most by which a limit is the longest before it
    class deadline : public stepping_sync::deadline {
    public:
        explicit deadline(std::uint32_t microseconds) noexcept : stepping_sync::deadline(microseconds) {
            ++limits;
            if (microseconds <= longest) return;
            if (longest != 0) longest_growth = std::max(longest_growth, microseconds / longest);
            longest = microseconds;
        }
    };
    static constexpr std::uint32_t longest_cut = LongestCut;
};
/// Microseconds: attempts that are never given up, and such that are given up at once.
using patient = counting_sync<400'000'000>;
using impatient = counting_sync<500>;

template <class T, class Sync>
using map_with = syncmap::basic_map<syncmap::engine::table<std::uint64_t, T, syncmap::hash<std::uint64_t>, std::equal_to<>,
                                                           std::allocator<std::pair<const std::uint64_t, T>>, Sync>>;

template <class T>
T value_of(std::uint64_t n) {
    if constexpr (std::is_same_v<T, std::string>) {
        return std::to_string(n) + " in a text that is not short";
    } else {
        return n;
    }
}

/// A thread that stores a key and stops once in the section of that store, before it locks the key's bucket: so no other
/// writer waits for it, wherever its key lies.
template <class Map>
class stopped_writer {
public:
    explicit stopped_writer(Map& map)
        : thread_([this, &map] {
              static_cast<void>(map.contains(0));
              map.store(0, value_of<typename Map::mapped_type>(1)); // the thread's thread record is there
              mine = this;
              on_step = [](step what) {
                  if (what != step::change) return; // the first compare-exchange of an overwrite locks the bucket
                  on_step = nullptr;
                  mine->stopped_ = true;
                  mine->stopped_.notify_all();
                  mine->released_.wait(false);
              };
              map.store(0, value_of<typename Map::mapped_type>(2));
              on_step = nullptr;
          }) {
        stopped_.wait(false);
    }
    void release() {
        released_ = true;
        released_.notify_all();
        thread_.join();
    }

private:
    static inline thread_local stopped_writer* mine = nullptr;
    std::atomic<bool> stopped_{false};
    std::atomic<bool> released_{false};
    std::jthread thread_;
};

/// Writers of other keys, without pause. Each counts what it has finished.
template <class Map>
class busy_writers {
public:
    busy_writers(Map& map, std::size_t count) : finished_(count) {
        for (std::size_t w = 0; w < count; ++w) {
            threads_.emplace_back([this, &map, w] {
                for (std::uint64_t n = 1; !end_; ++n) {
                    map.store(1 + (n * 64 + w) % keys, value_of<typename Map::mapped_type>(n));
                    finished_[w].store(n, std::memory_order_relaxed);
                }
            });
        }
    }
    ~busy_writers() { end_ = true; }

    /// Returns when each of them has finished `more` writes from now on.
    void wait_for_each(std::uint64_t more) const {
        for (const auto& f : finished_) {
            const std::uint64_t goal = f.load() + more;
            while (f.load() < goal) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

private:
    static constexpr std::uint64_t keys = 5000;
    std::vector<std::atomic<std::uint64_t>> finished_;
    std::atomic<bool> end_{false};
    std::vector<std::jthread> threads_;
};

template <class T>
class snapshot_waits : public ::testing::Test {
protected:
    const watchdog dog_{"waits of snapshots", std::chrono::seconds(250)};
};
using values = ::testing::Types<std::uint64_t, std::string>;
TYPED_TEST_SUITE(snapshot_waits, values);

} // namespace

TYPED_TEST(snapshot_waits, for_a_pre_empted_writer_are_one_attempt_while_others_arrive) {
    map_with<TypeParam, patient> map;
    for (std::uint64_t n = 0; n < 6000; ++n) map.store(n, value_of<TypeParam>(n));
    stopped_writer victim(map);
    busy_writers others(map, 4);
    std::atomic<bool> begun{false};
    std::atomic<std::uint64_t> attempts{0};
    std::jthread taker([&] {
        const std::uint64_t before = patient::limits;
        begun = true;
        const auto taken = map.snapshot();
        attempts = patient::limits - before;
    });
    while (!begun) std::this_thread::yield();
    // Many times as long as a writer waits that gives the attempt up. The longer it takes, the more would be seen.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(attempts, 0U) << "a snapshot was taken while a writer was in its section";
    victim.release();
    taker.join();
    EXPECT_EQ(attempts, 1U) << "arriving writers made attempts void";
}

TYPED_TEST(snapshot_waits, for_a_stopped_writer_let_the_others_go_on) {
    map_with<TypeParam, impatient> map;
    for (std::uint64_t n = 0; n < 6000; ++n) map.store(n, value_of<TypeParam>(n));
    stopped_writer victim(map);
    busy_writers others(map, 4);
    std::atomic<bool> done{false};
    std::atomic<std::uint32_t> longest{0};
    std::atomic<std::uint32_t> growth{0};
    std::jthread taker([&] {
        const auto taken = map.snapshot();
        longest = impatient::longest;
        growth = impatient::longest_growth;
        done = true;
    });
    others.wait_for_each(20'000); // but for the time of the attempts, which is a few hundredths
    EXPECT_FALSE(done);
    victim.release();
    taker.join();
    EXPECT_TRUE(done);
    // A writer that is only pre-empted makes one attempt void: the pause after it is short. Each later one is twice as long.
    EXPECT_LE(growth, 2U);
    EXPECT_LE(longest, 16 * impatient::longest_cut);
}

TYPED_TEST(snapshot_waits, end_beside_many_more_writers_than_processors) {
    using plain = counting_sync<stepping_sync::longest_cut>;
    map_with<TypeParam, plain> map;
    for (std::uint64_t n = 0; n < 6000; ++n) map.store(n, value_of<TypeParam>(n));
    busy_writers others(map, 64);
    const std::size_t count = scaled(20);
    std::uint64_t attempts = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t before = plain::limits;
        const auto taken = map.snapshot();
        attempts += plain::limits - before;
        EXPECT_EQ(taken.size(), 6000U);
    }
    const std::string what = std::is_same_v<TypeParam, std::string> ? "strings" : "integers";
    report("snapshots beside 64 writers of " + what, count);
    report("attempts that they needed, and pauses", attempts);
    // Where other programs keep a writer from the processor for a whole attempt, it is made again: with longer ones, seldom.
    EXPECT_LE(attempts, 20 * count);
}

} // namespace test
