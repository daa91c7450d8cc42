// The engine with u64 keys and values, both in the slot, explored.
#include <explore/map_suites.hpp>

#include <gtest/gtest.h>

namespace explore {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(inline, explored_map, inline_layout);
INSTANTIATE_TYPED_TEST_SUITE_P(inline, explored_protocol, inline_layout);

TEST(explored_inline_map, forms_in_the_sentinel_key_bucket) { explore_forms(all_sentinel_key_forms()); }

} // namespace
} // namespace explore
