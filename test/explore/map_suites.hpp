// What is explored of the engine in every slot format. Each map_FORMAT_test.cpp instantiates the suites for its own: one
// file for all four would take the compiler four times as long.
#pragma once

#include <type_traits>

#include <explore/map_pairs.hpp>

#include <gtest/gtest.h>

namespace explore {

/// Its nodes are explored in full with another layout: what repeats that alone is left to the full run.
template <class Layout>
concept repeats_other_nodes = std::is_same_v<Layout, node_key_layout> || std::is_same_v<Layout, text_layout>;

/// For every format.
template <class Layout>
class explored_map : public testing::Test {};
TYPED_TEST_SUITE_P(explored_map);

TYPED_TEST_P(explored_map, plain) { explore_pairs<TypeParam>(setting::plain); }
TYPED_TEST_P(explored_map, batches) {
    for (const setting each : all_settings) explore_batches<TypeParam>(each);
}
TYPED_TEST_P(explored_map, by_chance_and_reuse) {
    for (const setting each : all_settings) explore_by_chance<TypeParam>(each, reuse::at_once);
}
TYPED_TEST_P(explored_map, weak_memory) { explore_weak<TypeParam>(); }
TYPED_TEST_P(explored_map, triples) {
    if (!full_run()) GTEST_SKIP() << "hours: set SYNCMAP_FULL=1";
    for (const setting each : all_settings) explore_triples<TypeParam>(each);
}
REGISTER_TYPED_TEST_SUITE_P(explored_map, plain, batches, by_chance_and_reuse, weak_memory, triples);

/// For the formats whose protocol is one of its own. (That of texts is that of the other nodes.)
template <class Layout>
class explored_protocol : public testing::Test {};
TYPED_TEST_SUITE_P(explored_protocol);

TYPED_TEST_P(explored_protocol, moving) { explore_pairs<TypeParam>(setting::moving); }
TYPED_TEST_P(explored_protocol, growth) { explore_pairs<TypeParam>(setting::growth); }
TYPED_TEST_P(explored_protocol, smallest) { explore_pairs<TypeParam>(setting::smallest); }
TYPED_TEST_P(explored_protocol, clear) { explore_pairs<TypeParam>(setting::clear); }
TYPED_TEST_P(explored_protocol, shrink) { explore_pairs<TypeParam>(setting::shrink); }
TYPED_TEST_P(explored_protocol, chained) { explore_pairs<TypeParam>(setting::chained); }
TYPED_TEST_P(explored_protocol, by_chance) {
    for (const setting each : all_settings) explore_by_chance<TypeParam>(each, reuse::never);
}
TYPED_TEST_P(explored_protocol, forms_beside_whole_map_operations) { explore_forms(all_forms<TypeParam>()); }
TYPED_TEST_P(explored_protocol, no_call_for_help_is_lost) { explore_help<TypeParam>(); }
TYPED_TEST_P(explored_protocol, what_writes_owe_to_those_after_them) { explore_steps<TypeParam>(); }
REGISTER_TYPED_TEST_SUITE_P(explored_protocol, moving, growth, smallest, clear, shrink, chained, by_chance,
                            forms_beside_whole_map_operations, no_call_for_help_is_lost, what_writes_owe_to_those_after_them);

/// For the formats with nodes, which are freed.
template <class Layout>
class explored_nodes : public testing::Test {};
TYPED_TEST_SUITE_P(explored_nodes);

TYPED_TEST_P(explored_nodes, reclaim) {
    if (repeats_other_nodes<TypeParam> && !full_run())
        GTEST_SKIP() << "as with other nodes, and below with reuse: set SYNCMAP_FULL=1";
    explore_pairs<TypeParam>(setting::reclaim);
}
TYPED_TEST_P(explored_nodes, reclaim_and_reuse) { explore_pairs<TypeParam>(setting::reclaim, reuse::at_once); }
TYPED_TEST_P(explored_nodes, reclaim_and_spares) {
    if (std::is_same_v<TypeParam, text_layout> && !full_run()) {
        GTEST_SKIP() << "as with other nodes, and below by chance: set SYNCMAP_FULL=1";
    }
    explore_pairs<TypeParam>(setting::reclaim, reuse::by_thread);
}
TYPED_TEST_P(explored_nodes, by_chance_and_spares) {
    for (const setting each : all_settings) explore_by_chance<TypeParam>(each, reuse::by_thread);
}
REGISTER_TYPED_TEST_SUITE_P(explored_nodes, reclaim, reclaim_and_reuse, reclaim_and_spares, by_chance_and_spares);

} // namespace explore
