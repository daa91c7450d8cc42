// Programs made by hand: what pairs of operations do not reach, and what chance found once.
#include <cstdint>
#include <optional>

#include <explore/map_messages.hpp>
#include <explore/map_pairs.hpp>
#include <explore/map_sizes.hpp>

#include <syncmap/errors.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

template <class Layout>
class explored_programs : public testing::Test {
protected:
    /// Depth first as far as it goes, then by chance.
    void expect_right(const map_program& program, const limits& bounds) {
        summary all(std::string(Layout::name) + ", by hand");
        all.add(explore_program<Layout>(program, bounds));
    }
};

using layouts = testing::Types<inline_layout, node_key_layout, node_layout>;
struct layout_names {
    template <class Layout>
    static std::string GetName(int) {
        return Layout::name[0] == 'i' ? "inline" : Layout::has_integral_value ? "node_key" : "node";
    }
};
TYPED_TEST_SUITE(explored_programs, layouts, layout_names);

TYPED_TEST(explored_programs, settings_lead_to_what_they_are_named_for) {
    const auto buckets_after = [](setting where) {
        std::size_t buckets = 0;
        bool moving = false;
        const report r = explore::explore(std::string(TypeParam::name) + " " + name_of(where), {.preemptions = 0}, [&] {
            journal calls;
            const preparation<TypeParam> prepared(where, true);
            recorded_map<TypeParam> map(calls, prepared.used());
            prepared.bring(map.plain());
            for (const step& each : prepared.meanwhile()) map.perform(1, each);
            buckets = map.plain().engine().buckets();
            moving = map.plain().engine().is_moving();
        });
        EXPECT_FALSE(r.failed()) << r.description;
        return std::pair(buckets, moving);
    };
    if (detail::requested_replay()) return;
    EXPECT_EQ(buckets_after(setting::growth), (std::pair<std::size_t, bool>(2, true)));
    EXPECT_EQ(buckets_after(setting::shrink), (std::pair<std::size_t, bool>(8, true)));
    EXPECT_EQ(buckets_after(setting::clear), (std::pair<std::size_t, bool>(0, false)));
}

TYPED_TEST(explored_programs, a_key_in_the_registry_outlives_its_node) {
    // While A computes the first key, B's insert of the second (the same counter of computations) asks the registry,
    // with a key that is in its node already; C frees that node as soon as it is published, and D compares with the
    // key.
    this->expect_right(
        {setting::clear,
         true,
         {{{verb::update, keys::first, 12}}, {{verb::store, keys::second, 21}}, {{verb::update, keys::second, 30}}}},
        {.preemptions = 2, .schedules = full_run() ? 5'000'000U : 5'000U, .random = full_run() ? 200'000U : 10'000U});
}

TYPED_TEST(explored_programs, what_a_computation_saw_before_a_clear_fits_what_late_writers_saw) {
    // The clear comes between the look of a computation and its write, which is dropped then: it took effect before the
    // clear. So must have, or must see that effect, a writer that still had its way into the cleared table.
    const std::uint64_t chances = full_run() ? 500'000 : 15'000;
    for (const bool present : {false, true}) {
        this->expect_right({setting::clear, present, {{{verb::update, keys::first, 12}}, {{verb::exchange, keys::first, 21}}}},
                           {.preemptions = 3, .schedules = full_run() ? 20'000'000U : 3'000U, .random = chances});
    }
}

TYPED_TEST(explored_programs, a_computation_that_found_no_table_is_seen_by_who_makes_the_first) {
    // Weak memory: the writer's lock is in a table that the computation has not locked, so nothing but fences shows it the
    // mark [W4]. It was missing one, and both calls took the key for absent.
    this->expect_right({setting::plain, false, {{{verb::store, keys::first, 11}}, {{verb::load_or_compute, keys::first, 12}}}},
                       {.preemptions = 1, .schedules = 1'000, .random = full_run() ? 500'000U : 1'500U, .weak = true});
}

TYPED_TEST(explored_programs, clear_sees_all_that_was_moved_to_the_next_table) {
    // Weak memory: a thread that takes a table apart passes over its MOVED buckets, and must see what was moved out of them in
    // the next one. It looked at the control words without acquire, and lost nodes.
    this->expect_right(
        {setting::shrink, true, {{{verb::load, keys::first}}, {{verb::clear, 0}}}},
        {.preemptions = 1, .schedules = 1'000, .random = full_run() ? 500'000U : 1'500U, .weak = true, .ordered_calls = false});
}

TYPED_TEST(explored_programs, who_sees_a_write_sees_what_came_before_it) {
    summary all(std::string(TypeParam::name) + ", messages, weak memory");
    const unsigned more = full_run() ? 100 : 1;
    explore_messages<TypeParam>({.preemptions = 1, .schedules = 200 * more, .random = 60 * more},
                                [&](const report& r) { all.add(r); });
}

TYPED_TEST(explored_programs, threads_that_change_and_count_agree_on_an_order) {
    summary all(std::string(TypeParam::name) + ", sizes, weak memory");
    const unsigned more = full_run() ? 100 : 1;
    explore_sizes<TypeParam>({.preemptions = 1, .schedules = 500 * more, .random = 3000 * more},
                             [&](const report& r) { all.add(r); });
}

TYPED_TEST(explored_programs, size_under_steady_writing) {
    // Collects that do not agree close the gate; a thread that waits there may open it again.
    std::vector<step> churn;
    for (std::uint64_t i = 0; i != 6; ++i) {
        churn.push_back({verb::store, keys::first, 100 + i});
        churn.push_back({verb::erase, keys::first});
    }
    this->expect_right(
        {setting::plain, false, {{{verb::size, 0}, {verb::size, 0}}, churn, {{verb::size, 0}, {verb::store, keys::apart, 40}}}},
        {.preemptions = 1, .schedules = 5'000, .random = full_run() ? 500'000U : 6'000U});
}

TYPED_TEST(explored_programs, size_beside_an_entry_that_comes_home) {
    // It comes into the slot that says whether the announced erase has taken place, as soon as that is counted.
    this->expect_right(
        {setting::chained, true, {{{verb::size, 0}}, {{verb::load, keys::trigger}, {verb::store, keys::apart, 40}}}},
        {.preemptions = 3, .schedules = full_run() ? 5'000'000U : 2'000U, .random = full_run() ? 1'000'000U : 2'000U});
}

TYPED_TEST(explored_programs, buckets_are_not_merged_while_a_snapshot_is_cut) {
    // The other thread begins to shrink the table after the cut has seen it outside of a section, and before the gate
    // opens again: what is merged then is neither of before the snapshot nor preserved for it.
    this->expect_right({setting::shrink,
                        false,
                        {{{verb::snapshot, 0}},
                         {{verb::store, keys::apart, 40}, {verb::store, keys::first, 41}, {verb::store, keys::second, 42}}}},
                       {.preemptions = 1, .schedules = 1'000, .random = full_run() ? 500'000U : 10'000U});
}

TYPED_TEST(explored_programs, a_table_is_used_again_while_a_snapshot_is_cut) {
    // The cut counts by what the root's table says of its generation. While the thread stands still there, the table may be
    // left, and used again for what `replace` prepares.
    this->expect_right(
        {setting::moving, true, {{{verb::snapshot, 0}}, {{verb::replace, 0}}, {{verb::erase, keys::apart}}}},
        {.preemptions = 2, .schedules = full_run() ? 1'000'000U : 5'000U, .random = full_run() ? 100'000U : 500U});
}

TYPED_TEST(explored_programs, walks_while_keys_come_and_go) {
    this->expect_right(
        {setting::growth,
         true,
         {{{verb::for_each, 0}},
          {{verb::erase, keys::first}, {verb::store, keys::second, 50}, {verb::store, keys::first, 51}}}},
        {.preemptions = 1, .schedules = full_run() ? 1'000'000U : 4'000U, .random = full_run() ? 100'000U : 1'000U});
}

TYPED_TEST(explored_programs, walks_over_a_bucket_that_gets_and_loses_lines) {
    // A walk copies the home line, its overflow lines and the home line again, while entries move to a new line, come home from
    // it, and come back into other slots; a given back line holds what is another bucket's.
    const limits bounds{
        .preemptions = 2, .schedules = full_run() ? 1'000'000U : 2'000U, .random = full_run() ? 100'000U : 1'000U};
    for (const setting where : {setting::smallest, setting::chained}) {
        this->expect_right({where,
                            true,
                            {{{verb::for_each, 0}},
                             {{verb::erase, keys::trigger}, {verb::store, keys::first, 51}, {verb::store, keys::trigger, 50}}}},
                           bounds);
        this->expect_right({where,
                            true,
                            {{{verb::for_each, 0}},
                             {{verb::erase, keys::first}, {verb::store, keys::first, 51}},
                             {{verb::erase, keys::fillers}, {verb::store, keys::fillers, 52}}}},
                           bounds);
    }
}

TYPED_TEST(explored_programs, clear_takes_a_table_while_writers_are_in_it) {
    // In their last sections there: one inserts into the table or the next one, one moves buckets, one counts.
    const limits bounds{
        .preemptions = 2, .schedules = full_run() ? 1'000'000U : 1'500U, .random = full_run() ? 100'000U : 1'000U};
    const limits weak{
        .preemptions = 1, .schedules = 200, .random = full_run() ? 100'000U : 500U, .weak = true, .ordered_calls = false};
    for (const setting where : {setting::moving, setting::growth, setting::chained}) {
        for (const limits& each : {bounds, weak}) {
            this->expect_right(
                {where, true, {{{verb::clear, 0}}, {{verb::store, keys::second, 50}, {verb::erase, keys::first}}}}, each);
            this->expect_right(
                {where,
                 true,
                 {{{verb::clear, 0}}, {{verb::size, 0}, {verb::load, keys::first}}, {{verb::store, keys::apart, 41}}}},
                each);
            this->expect_right({where, true, {{{verb::clear, 0}}, {{verb::snapshot, 0}}, {{verb::store, keys::apart, 41}}}},
                               each);
        }
    }
}

TYPED_TEST(explored_programs, computations_that_want_each_others_key_end_with_a_named_error) {
    using mapped_type = typename TypeParam::mapped_type;
    const auto program = [] {
        visible_map<TypeParam> map;
        int errors = 0;
        int stored = 0;
        const auto compute = [&](std::uint64_t outer, std::uint64_t inner) {
            try {
                map.update(TypeParam::key(outer), [&](const mapped_type*) {
                    map.update(TypeParam::key(inner), [](const mapped_type*) { return mapped_type(1); });
                    return mapped_type(2);
                });
                ++stored;
            } catch (const syncmap::recursive_update&) {
                ++errors;
            }
        };
        parallel([&] { compute(keys::first, keys::second); }, [&] { compute(keys::second, keys::first); });
        require(errors + stored == 2, "each ended one way");
        require(stored >= 1, "not both gave up");
        require(map.load(TypeParam::key(keys::first)).has_value() || map.load(TypeParam::key(keys::second)).has_value(),
                "who did not give up has stored");
    };
    const report r = explore::explore(std::string(TypeParam::name) + " crossed computations",
                                      {.preemptions = full_run() ? 3U : 2U}, program);
    EXPECT_FALSE(r.failed()) << r.description;
    if (!detail::requested_replay()) {
        EXPECT_TRUE(r.exhausted);
    }
}

} // namespace
