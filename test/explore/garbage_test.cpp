// A thread collects the garbage of a map that it does not work in, beside all that another thread may do to that map.
#include <functional>
#include <string>

#include <explore/map_bodies.hpp>
#include <explore/map_pairs.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

template <class Layout>
class explored_garbage : public testing::Test {};
using layouts = testing::Types<node_key_layout, node_layout, text_layout>;
TYPED_TEST_SUITE(explored_garbage, layouts);

TYPED_TEST(explored_garbage, of_a_map_is_freed_once_and_never_late) {
    each_collection<TypeParam>([](const std::string& name, const std::function<void()>& body) {
        explore_in_all_memories(TypeParam::name, name, body);
    });
}

} // namespace
