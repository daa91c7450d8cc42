// The engine with keys in nodes, values in the slot, explored.
#include <explore/map_pairs.hpp>

#include <gtest/gtest.h>

namespace {

using explore::all_settings;
using explore::explore_batches;
using explore::explore_by_chance;
using explore::explore_pairs;
using explore::explore_triples;
using explore::explore_weak;
using explore::node_key_layout;
using explore::reuse;
using explore::setting;

TEST(explored_node_key_map, plain) { explore_pairs<node_key_layout>(setting::plain); }
TEST(explored_node_key_map, moving) { explore_pairs<node_key_layout>(setting::moving); }
TEST(explored_node_key_map, growth) { explore_pairs<node_key_layout>(setting::growth); }
TEST(explored_node_key_map, smallest) { explore_pairs<node_key_layout>(setting::smallest); }
TEST(explored_node_key_map, clear) { explore_pairs<node_key_layout>(setting::clear); }
TEST(explored_node_key_map, shrink) { explore_pairs<node_key_layout>(setting::shrink); }
TEST(explored_node_key_map, chained) { explore_pairs<node_key_layout>(setting::chained); }
TEST(explored_node_key_map, reclaim) {
    if (!explore::full_run()) GTEST_SKIP() << "as with other nodes, and below with reuse: set SYNCMAP_FULL=1";
    explore_pairs<node_key_layout>(setting::reclaim);
}
TEST(explored_node_key_map, reclaim_and_reuse) { explore_pairs<node_key_layout>(setting::reclaim, reuse::at_once); }
TEST(explored_node_key_map, reclaim_and_spares) { explore_pairs<node_key_layout>(setting::reclaim, reuse::by_thread); }

TEST(explored_node_key_map, batches) {
    for (const setting each : all_settings) explore_batches<node_key_layout>(each);
}

TEST(explored_node_key_map, by_chance) {
    for (const setting each : all_settings) explore_by_chance<node_key_layout>(each, reuse::never);
}

TEST(explored_node_key_map, by_chance_and_reuse) {
    for (const setting each : all_settings) explore_by_chance<node_key_layout>(each, reuse::at_once);
}

TEST(explored_node_key_map, by_chance_and_spares) {
    for (const setting each : all_settings) explore_by_chance<node_key_layout>(each, reuse::by_thread);
}

TEST(explored_node_key_map, forms_beside_whole_map_operations) { explore::explore_forms(explore::all_forms<node_key_layout>()); }
TEST(explored_node_key_map, no_call_for_help_is_lost) { explore::explore_help<node_key_layout>(); }
TEST(explored_node_key_map, what_writes_owe_to_those_after_them) { explore::explore_steps<node_key_layout>(); }

TEST(explored_node_key_map, weak_memory) { explore_weak<node_key_layout>(); }

TEST(explored_node_key_map, triples) {
    if (!explore::full_run()) GTEST_SKIP() << "hours: set SYNCMAP_FULL=1";
    for (const setting each : all_settings) explore_triples<node_key_layout>(each);
}

} // namespace
