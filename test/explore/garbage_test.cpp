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
        summary all(std::string(TypeParam::name) + ", " + name);
        for (const bool weak : {false, true}) {
            for (const reuse memory : {reuse::never, reuse::at_once, reuse::by_thread}) {
                limits bounds{.preemptions = full_run() ? 3U : 2U,
                              .schedules = full_run() ? 2'000'000U : 2'000U,
                              .random = full_run() ? 50'000U : 300U};
                bounds.memory = memory;
                bounds.weak = weak;
                all.add(explore::explore(std::string(TypeParam::name) + " " + name + (weak ? " weak" : "") +
                                             name_of(memory),
                                         bounds, body));
            }
        }
    });
}

} // namespace
