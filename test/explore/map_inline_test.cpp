// The engine with u64 keys and values, both in the slot, explored.
#include <explore/map_pairs.hpp>

#include <gtest/gtest.h>

namespace {

using explore::all_settings;
using explore::explore_batches;
using explore::explore_by_chance;
using explore::explore_pairs;
using explore::explore_triples;
using explore::explore_weak;
using explore::inline_layout;
using explore::reuse;
using explore::setting;

TEST(explored_inline_map, plain) { explore_pairs<inline_layout>(setting::plain); }
TEST(explored_inline_map, moving) { explore_pairs<inline_layout>(setting::moving); }
TEST(explored_inline_map, growth) { explore_pairs<inline_layout>(setting::growth); }
TEST(explored_inline_map, smallest) { explore_pairs<inline_layout>(setting::smallest); }
TEST(explored_inline_map, clear) { explore_pairs<inline_layout>(setting::clear); }
TEST(explored_inline_map, shrink) { explore_pairs<inline_layout>(setting::shrink); }
TEST(explored_inline_map, chained) { explore_pairs<inline_layout>(setting::chained); }

TEST(explored_inline_map, batches) {
    for (const setting each : all_settings) explore_batches<inline_layout>(each);
}

TEST(explored_inline_map, by_chance) {
    for (const setting each : all_settings) explore_by_chance<inline_layout>(each, reuse::never);
}

TEST(explored_inline_map, by_chance_and_reuse) {
    for (const setting each : all_settings) explore_by_chance<inline_layout>(each, reuse::at_once);
}

TEST(explored_inline_map, forms_beside_whole_map_operations) { explore::explore_forms(explore::all_forms<inline_layout>()); }
TEST(explored_inline_map, forms_in_the_outlier_unit) { explore::explore_forms(explore::all_outlier_forms()); }
TEST(explored_inline_map, no_call_for_help_is_lost) { explore::explore_help<inline_layout>(); }
TEST(explored_inline_map, what_writes_owe_to_those_after_them) { explore::explore_steps<inline_layout>(); }

TEST(explored_inline_map, weak_memory) { explore_weak<inline_layout>(); }

TEST(explored_inline_map, triples) {
    if (!explore::full_run()) GTEST_SKIP() << "hours: set SYNCMAP_FULL=1";
    for (const setting each : all_settings) explore_triples<inline_layout>(each);
}

} // namespace
