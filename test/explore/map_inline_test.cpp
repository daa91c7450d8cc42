// The engine with u64 keys and values, both in the slot, explored.
#include <explore/map_suites.hpp>

#include <gtest/gtest.h>

namespace explore {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(inline, explored_map, inline_layout);
INSTANTIATE_TYPED_TEST_SUITE_P(inline, explored_protocol, inline_layout);

TEST(explored_inline_map, forms_in_the_outlier_unit) { explore_forms(all_outlier_forms()); }

} // namespace
} // namespace explore
