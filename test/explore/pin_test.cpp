// Pins beside all that ends an entry: nothing is freed early, nothing is lost, in every order of erasing, scanning
// (each retirement scans here) and unpinning. The arena and the probes see a node that is read too late or never freed.
#include <functional>
#include <string>

#include <explore/map_bodies.hpp>
#include <explore/map_pairs.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

template <class Layout>
class explored_pins : public testing::Test {};
using layouts = testing::Types<inline_layout, node_key_layout, node_layout, text_layout>;
TYPED_TEST_SUITE(explored_pins, layouts);

TYPED_TEST(explored_pins, are_exact_beside_what_ends_their_entry) {
    each_pin<TypeParam>([](const std::string& name, const std::function<void()>& body) {
        explore_in_all_memories(TypeParam::name, name, body);
    });
}

} // namespace
