// The engine with keys and values as texts behind their node, explored: blocks of several sizes, each freed with its own. The
// protocol is that of the other nodes, so the settings of map_node_test.cpp are not all repeated.
#include <explore/map_pairs.hpp>

#include <gtest/gtest.h>

namespace {

using explore::all_settings;
using explore::explore_batches;
using explore::explore_by_chance;
using explore::explore_pairs;
using explore::explore_triples;
using explore::explore_weak;
using explore::text_layout;
using explore::reuse;
using explore::setting;

TEST(explored_text_map, plain) { explore_pairs<text_layout>(setting::plain); }
TEST(explored_text_map, reclaim) {
    if (!explore::full_run()) GTEST_SKIP() << "as with other nodes, and below with reuse: set SYNCMAP_FULL=1";
    explore_pairs<text_layout>(setting::reclaim);
}
TEST(explored_text_map, reclaim_and_reuse) { explore_pairs<text_layout>(setting::reclaim, reuse::at_once); }
TEST(explored_text_map, reclaim_and_spares) {
    if (!explore::full_run()) GTEST_SKIP() << "as with other nodes, and below by chance: set SYNCMAP_FULL=1";
    explore_pairs<text_layout>(setting::reclaim, reuse::by_thread);
}

TEST(explored_text_map, batches) {
    for (const setting each : all_settings) explore_batches<text_layout>(each);
}

TEST(explored_text_map, by_chance_and_reuse) {
    for (const setting each : all_settings) explore_by_chance<text_layout>(each, reuse::at_once);
}

TEST(explored_text_map, by_chance_and_spares) {
    for (const setting each : all_settings) explore_by_chance<text_layout>(each, reuse::by_thread);
}

TEST(explored_text_map, weak_memory) { explore_weak<text_layout>(); }

TEST(explored_text_map, triples) {
    if (!explore::full_run()) GTEST_SKIP() << "hours: set SYNCMAP_FULL=1";
    for (const setting each : all_settings) explore_triples<text_layout>(each);
}

} // namespace
