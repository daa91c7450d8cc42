// The engine with keys and values in nodes, explored.
#include <explore/map_suites.hpp>

#include <gtest/gtest.h>

namespace explore {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(node, explored_map, node_layout);
INSTANTIATE_TYPED_TEST_SUITE_P(node, explored_protocol, node_layout);
INSTANTIATE_TYPED_TEST_SUITE_P(node, explored_nodes, node_layout);

} // namespace
} // namespace explore
