// Where threads wait for one event: what the watcher does, and which threads an event wakes.
#include <cstdint>

#include <gtest/gtest.h>

#include <syncmap/engine/tuning.hpp>
#include <syncmap/sync/wait_queues.hpp>
#include <syncmap/sync/wake_chain.hpp>

namespace test::wake_chains {
namespace {

/// Counts how often a watcher gives way, and has limits that end after so many looks at them.
struct counting_sync : syncmap::engine::machine {
    static inline unsigned times_given_way = 0;
    static void give_way(unsigned) noexcept { ++times_given_way; }

    static constexpr unsigned looks_before_limit = 1000;
    class deadline : public syncmap::engine::machine::deadline {
    public:
        deadline() noexcept : syncmap::engine::machine::deadline(1'000'000'000) {}
        bool over() const noexcept { return ++looks_ > looks_before_limit; }

    private:
        mutable unsigned looks_ = 0;
    };
};

TEST(wake_chain, watcher_leaves_when_the_event_has_come) {
    syncmap::sync::wake_chain<counting_sync> chain;
    const int address = 0;
    unsigned looks = 0;
    counting_sync::times_given_way = 0;
    chain.sleep(&address, 1, counting_sync::deadline(), [&] { return ++looks > 3; });
    EXPECT_EQ(looks, 4U); // one of them before it watches
    EXPECT_EQ(counting_sync::times_given_way, 2U);
}

TEST(wake_chain, watcher_leaves_at_its_limit) {
    syncmap::sync::wake_chain<counting_sync> chain;
    const int address = 0;
    counting_sync::times_given_way = 0;
    chain.sleep(&address, 1, counting_sync::deadline(), [] { return false; });
    EXPECT_EQ(counting_sync::times_given_way, counting_sync::looks_before_limit);
}

using sync_policy = syncmap::engine::machine;
using queue = syncmap::sync::wait_queue<sync_policy>;
using waiter = syncmap::sync::waiter<sync_policy>;

TEST(wait_queue, wakes_for_an_event_threads_that_wait_for_it_or_for_an_earlier_one) {
    queue q;
    const int address = 0;
    const int another = 0;
    waiter later{&address, 3};
    waiter elsewhere{&another, 1};
    waiter earlier{&address, 1};
    waiter same{&address, 2};
    for (waiter* each : {&later, &elsewhere, &earlier, &same}) q.append(*each);
    for (int i = 0; i < 4; ++i) q.wake_first(&address, 2);
    EXPECT_TRUE(earlier.woken);
    EXPECT_EQ(earlier.event, 2U); // it wakes for the event that has woken it
    EXPECT_TRUE(same.woken);
    EXPECT_FALSE(later.woken);
    EXPECT_FALSE(elsewhere.woken);
    q.wake_first(&address, 3);
    EXPECT_TRUE(later.woken);
}

TEST(wait_queue, counts_events_over_the_end_of_their_numbers) {
    queue q;
    const int address = 0;
    const std::uint32_t last = ~std::uint32_t{0};
    waiter before{&address, last};
    waiter behind{&address, 1};
    for (waiter* each : {&behind, &before}) q.append(*each);
    q.wake_first(&address, 0);
    EXPECT_TRUE(before.woken);
    EXPECT_FALSE(behind.woken);
}

TEST(wait_queue, wakes_no_watcher) {
    queue q;
    const int address = 0;
    waiter watcher{&address, 1, true};
    q.append(watcher);
    EXPECT_TRUE(q.is_watched(&address, 1));
    EXPECT_FALSE(q.is_watched(&address, 2));
    q.wake_first(&address, 1);
    EXPECT_FALSE(watcher.woken);
}

} // namespace
} // namespace test::wake_chains
