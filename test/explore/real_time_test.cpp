// A write is visible to all threads when it returns, unless it asks for less: explored, with store buffers.
#include <cstdint>
#include <string>
#include <utility>

#include <explore/map_pairs.hpp>
#include <explore/map_real_time.hpp>
#include <explore/snapshot_map_program.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

template <class Layout>
class explored_real_time : public testing::Test {
protected:
    static constexpr unsigned more() { return full_run() ? 50 : 1; }
    template <class F>
    static void each(std::memory_order order, F f) {
        each_two_that_write_and_look<Layout>(order, f);
    }
};
// Texts have the protocol of the other nodes.
using layouts = testing::Types<inline_layout, node_key_layout, node_layout, snapshot_layout>;
TYPED_TEST_SUITE(explored_real_time, layouts);

TYPED_TEST(explored_real_time, of_two_that_write_and_look_one_sees_the_other) {
    summary all(std::string(TypeParam::name) + ", both write and look");
    for (const bool weak : {false, true}) {
        const limits bounds{
            .preemptions = 1, .schedules = 200 * this->more(), .random = 60 * this->more(), .weak = weak, .stale_reads = 4};
        this->each(std::memory_order_seq_cst, [&](std::string name, const auto& body, looking) {
            all.add(explore::explore(std::move(name), bounds, body));
        });
    }
}

TYPED_TEST(explored_real_time, with_less_than_that_both_may_look_too_early) {
    // And so the test above can fail: what it forbids is found where it is allowed.
    const limits bounds{.preemptions = 1, .schedules = 20'000, .random = 3'000, .weak = true, .stale_reads = 4};
    for (const std::memory_order order : {std::memory_order_release, std::memory_order_acq_rel, std::memory_order_relaxed}) {
        this->each(order, [&](std::string name, const auto& body, looking look) {
            // A write of a value in a slot looks under the lock of its bucket, always at the newest value.
            if (look == looking::failed_write && TypeParam::has_integral_value) return;
            const report r = explore::explore(std::move(name), bounds, body);
            if (detail::requested_replay()) return;
            EXPECT_NE(r.failure.find("one of two that write and then look"), std::string::npos)
                << r.program << ": " << r.schedules << " schedules; " << r.failure;
        });
        if (!full_run()) break;
    }
}

TYPED_TEST(explored_real_time, is_not_about_memory_that_is_in_order_anyway) {
    limits bounds{.preemptions = 1, .schedules = 100 * this->more()};
    summary all(std::string(TypeParam::name) + ", both write and look, release, no store buffers");
    this->each(std::memory_order_release,
               [&](std::string name, const auto& body, looking) { all.add(explore::explore(std::move(name), bounds, body)); });
}

/// What the fence behind a read-modify-write rests on, on x86-64: a store in between is noticed.
TEST(explored_fence, after_a_store_that_follows_the_read_modify_write_is_refused) {
    for (const bool stores : {false, true}) {
        const report r = explore::explore("fence after rmw", {.preemptions = 0}, [stores] {
            sync_policy::atomic<int> word{0}, other{0};
            parallel([&] {
                word.exchange(1, std::memory_order_release);
                if (stores) other.store(1, std::memory_order_release);
                sync_policy::fence_after_rmw();
            });
        });
        EXPECT_EQ(r.failed(), stores) << r.description;
    }
}

} // namespace
