// `snapshot_map`, explored.
#include <explore/map_messages.hpp>
#include <explore/map_pairs.hpp>
#include <explore/snapshot_map_program.hpp>

#include <gtest/gtest.h>

namespace {

using explore::all_settings;
using explore::explore_by_chance;
using explore::explore_pairs;
using explore::explore_triples;
using explore::explore_weak;
using explore::reuse;
using explore::setting;
using explore::snapshot_layout;

TEST(explored_snapshot_map, plain) { explore_pairs<snapshot_layout>(setting::plain); }
TEST(explored_snapshot_map, moving) { explore_pairs<snapshot_layout>(setting::moving); }
TEST(explored_snapshot_map, growth) { explore_pairs<snapshot_layout>(setting::growth); }
TEST(explored_snapshot_map, clear) { explore_pairs<snapshot_layout>(setting::clear); }
TEST(explored_snapshot_map, shrink) { explore_pairs<snapshot_layout>(setting::shrink); }
TEST(explored_snapshot_map, reclaim) { explore_pairs<snapshot_layout>(setting::reclaim); }
TEST(explored_snapshot_map, reclaim_and_reuse) { explore_pairs<snapshot_layout>(setting::reclaim, reuse::at_once); }

TEST(explored_snapshot_map, by_chance) {
    for (const setting each : all_settings) explore_by_chance<snapshot_layout>(each, reuse::never);
}

TEST(explored_snapshot_map, by_chance_and_reuse) {
    for (const setting each : all_settings) explore_by_chance<snapshot_layout>(each, reuse::at_once);
}

TEST(explored_snapshot_map, weak_memory) { explore_weak<snapshot_layout>(); }

TEST(explored_snapshot_map, messages) {
    explore::summary all("snapshot, messages, weak memory");
    for (const bool after_a_walk : {false, true}) {
        explore::explore_messages<snapshot_layout>(
            {.preemptions = 1, .schedules = 300, .random = 100}, [&](const explore::report& r) { all.add(r); }, after_a_walk);
    }
}

TEST(explored_snapshot_map, triples) {
    if (!explore::full_run()) GTEST_SKIP() << "hours: set SYNCMAP_FULL=1";
    for (const setting each : all_settings) explore_triples<snapshot_layout>(each);
}

} // namespace
