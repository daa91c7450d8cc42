// The engine with keys in nodes, values in the slot, explored.
#include <explore/map_suites.hpp>

#include <gtest/gtest.h>

namespace explore {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(node_key, explored_map, node_key_layout);
INSTANTIATE_TYPED_TEST_SUITE_P(node_key, explored_protocol, node_key_layout);
INSTANTIATE_TYPED_TEST_SUITE_P(node_key, explored_nodes, node_key_layout);

} // namespace
} // namespace explore
