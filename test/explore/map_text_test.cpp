// The engine with keys and values as texts behind their node, explored: blocks of several sizes, each freed with its own.
#include <explore/map_suites.hpp>

#include <gtest/gtest.h>

namespace explore {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(text, explored_map, text_layout);
INSTANTIATE_TYPED_TEST_SUITE_P(text, explored_nodes, text_layout);

} // namespace
} // namespace explore
