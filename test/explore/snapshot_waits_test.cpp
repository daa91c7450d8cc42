// What a snapshot and writers wait for: a snapshot ends beside writers that keep coming, no writer sleeps for ever at the gate,
// and a reader of a snapshot waits for no thread, wherever the others stand still.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <explore/map_pairs.hpp>
#include <explore/map_program.hpp>
#include <explore/map_suite.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

template <class Layout>
class explored_snapshot_waits : public testing::Test {
protected:
    using explored_map = visible_map<Layout>;
    static auto key(std::uint64_t number) { return Layout::key(number); }
    static auto value(std::uint64_t number) { return value_for<Layout>(number); }

    static void explore_all(const std::string& name, unsigned preemptions, const std::function<void()>& body) {
        summary all(std::string(Layout::name) + ", " + name);
        for (const bool weak : {false, true}) {
            limits bounds{.preemptions = full_run() ? preemptions + 1 : preemptions,
                          .schedules = full_run() ? 500'000U : 4000U,
                          .random = full_run() ? 50'000U : 1000U};
            bounds.weak = weak;
            all.add(explore::explore(std::string(Layout::name) + " " + name + (weak ? " weak" : ""), bounds, body));
        }
    }
};
using layouts = testing::Types<inline_layout, node_key_layout, node_layout>;
TYPED_TEST_SUITE(explored_snapshot_waits, layouts);

/// There is no time here: a writer that is not woken sleeps for ever, and is reported. A limit may end before a writer falls
/// asleep, or while the cut waits: twice in an execution, so an attempt is void twice at most.
TYPED_TEST(explored_snapshot_waits, end_beside_writers_that_keep_coming) {
    using map_type = typename TestFixture::explored_map;
    this->explore_all("snapshot beside writers that keep coming", 2, [] {
        map_type map;
        map.store(TestFixture::key(keys::first), TestFixture::value(1));
        map.store(TestFixture::key(keys::apart), TestFixture::value(1));
        const auto keep_writing = [&](std::uint64_t number) {
            for (std::uint64_t n = 2; n != 5; ++n) map.store(TestFixture::key(number), TestFixture::value(n));
        };
        parallel([&] { keep_writing(keys::first); }, [&] { keep_writing(keys::apart); },
                 [&] {
                     const auto taken = map.snapshot();
                     require(taken.size() == 2, "nothing is inserted or erased");
                 });
    });
}

TYPED_TEST(explored_snapshot_waits, of_writers_asleep_end_with_the_cut) {
    using map_type = typename TestFixture::explored_map;
    this->explore_all("several writers asleep at the gate", 3, [] {
        map_type map;
        map.store(TestFixture::key(keys::first), TestFixture::value(1));
        map.store(TestFixture::key(keys::apart), TestFixture::value(1));
        map.store(TestFixture::key(keys::second), TestFixture::value(1));
        parallel([&] { map.store(TestFixture::key(keys::first), TestFixture::value(2)); },
                 [&] { map.store(TestFixture::key(keys::apart), TestFixture::value(2)); },
                 [&] { map.store(TestFixture::key(keys::second), TestFixture::value(2)); },
                 [&] { require(map.snapshot().size() == 3, "nothing is inserted or erased"); });
    });
}

/// The next snapshot takes the memory of the one before. It waits until no writer can push a record there.
TYPED_TEST(explored_snapshot_waits, are_over_before_a_state_is_used_again) {
    using map_type = typename TestFixture::explored_map;
    this->explore_all("a state used again", 2, [] {
        map_type map;
        map.store(TestFixture::key(keys::first), TestFixture::value(1));
        map.store(TestFixture::key(keys::apart), TestFixture::value(1));
        std::optional taken(map.snapshot());
        parallel([&] { map.store(TestFixture::key(keys::first), TestFixture::value(2)); },
                 [&] {
                     taken.reset();
                     const auto again = map.snapshot();
                     const auto then = again.load(TestFixture::key(keys::first));
                     map.store(TestFixture::key(keys::first), TestFixture::value(3));
                     const auto still = again.load(TestFixture::key(keys::first));
                     require(then && still && TypeParam::value_of(*then) == TypeParam::value_of(*still),
                             "a snapshot does not change");
                     require(again.size() == 2, "nothing is inserted or erased");
                 });
    });
}

TYPED_TEST(explored_snapshot_waits, are_none_where_a_mover_stands_still) {
    using map_type = typename TestFixture::explored_map;
    for (const setting where : {setting::moving, setting::shrink}) {
        const preparation<TypeParam> before(where, true);
        this->explore_all(
            std::string("read beside a mover that stands still, ") + (where == setting::moving ? "moving" : "shrink"), 1, [&] {
                map_type map;
                before.bring(map);
                const std::size_t size = map.size();
                const auto taken = map.snapshot();
                parallel(
                    [&] {
                        map.store(TestFixture::key(keys::apart), TestFixture::value(40));
                        map.store(TestFixture::key(keys::first), TestFixture::value(41));
                    },
                    [&] {
                        scheduler::instance().lose_others();
                        std::size_t walked = 0;
                        taken.for_each([&](const auto&, const auto&) { ++walked; });
                        require(walked == size && taken.size() == size, "a walk shows all that was there");
                        const auto seen = taken.load(TestFixture::key(keys::first));
                        require(seen && TypeParam::value_of(*seen) == 1, "a look-up shows what was there");
                        scheduler::instance().finish();
                    });
            });
    }
}

struct scarce_phases : sync_policy {
    static constexpr std::uint32_t most_snapshots = 2;
};
struct few_phases : inline_layout {
    using policy = scarce_phases;
};

/// A clear comes between a snapshot's first look at the map and its turn, in which the phases have to begin anew. They do, so
/// that a table which a writer makes then gets no phase beyond the last one.
TEST(explored_snapshot_phases, begin_anew_in_a_map_that_was_just_cleared) {
    std::size_t begun_anew = 0;
    const report r = explore::explore("phases of a cleared map", {.preemptions = 1, .schedules = 4000, .random = 0}, [&] {
        visible_map<few_phases> map;
        map.store(few_phases::key(keys::first), 1);
        for (std::uint32_t i = 0; i != scarce_phases::most_snapshots; ++i) static_cast<void>(map.snapshot());
        bool was_empty = false;
        parallel([&] { was_empty = map.snapshot().size() == 0; }, [&] { map.clear(); });
        if (was_empty && map.engine().last_phase() == 0) ++begun_anew;
    });
    EXPECT_FALSE(r.failed()) << r.description;
    EXPECT_GT(begun_anew, 0U) << "of " << r.schedules;
}

} // namespace
