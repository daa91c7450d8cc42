// Pins beside all that ends an entry: nothing is freed early, nothing is lost, in every order of erasing, scanning
// (each retirement scans here) and unpinning. The arena and the probes see a node that is read too late or never freed.
#include <cstdint>
#include <optional>
#include <string>

#include <explore/map_pairs.hpp>

#include <syncmap/pinned.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

template <class Layout>
class explored_pins : public testing::Test {
protected:
    using key_type = typename Layout::key_type;
    using map_type = visible_map<Layout>;
    using handle = syncmap::pinned<visible_engine<Layout>>;

    /// One thread pins the first key and reads what it has, another does `ends` to it, a third drops what the first
    /// left it.
    template <class Ends>
    static void explore_against(const char* what, Ends ends) {
        summary all(std::string(Layout::name) + ", pin against " + what);
        for (const unsigned mode : {0U, 1U, 2U, 3U}) {
            const bool weak = mode % 2 != 0;
            const reuse memory = mode / 2 == 0 ? reuse::never : reuse::at_once;
            limits bounds{.preemptions = full_run() ? 3U : 2U,
                          .schedules = full_run() ? 2'000'000U : 2'000U,
                          .random = full_run() ? 50'000U : 300U};
            bounds.memory = memory;
            bounds.weak = weak;
            all.add(explore::explore(std::string(Layout::name) + " pin|" + what + (weak ? " weak" : "") +
                                         (memory == reuse::at_once ? " reuse" : ""),
                                     bounds, [&] {
                                         map_type map;
                                         map.store(Layout::key(keys::first), value_for<Layout>(1));
                                         handle kept = map.pin(Layout::key(keys::first));
                                         handle left;
                                         parallel(
                                             [&] {
                                                 handle mine = map.pin(Layout::key(keys::first));
                                                 look(mine);
                                                 left = std::move(mine);
                                             },
                                             [&] { ends(map); }, [&] { kept.reset(); });
                                         look(left);
                                         map.flush();
                                         look(left);
                                     }));
        }
    }

    static void look(const handle& h) {
        if (!h) return;
        require(Layout::number_of(h.key()) == keys::first, "a pinned entry has its key");
        const auto v = Layout::value_of(h.value());
        require(v == 1 || v == 2, "a pinned entry has a value that was stored");
    }
};

using layouts = testing::Types<inline_layout, node_key_layout, node_layout, text_layout>;
TYPED_TEST_SUITE(explored_pins, layouts);

TYPED_TEST(explored_pins, are_exact_beside_erase) {
    this->explore_against("erase", [](auto& map) { map.erase(TypeParam::key(keys::first)); });
}
TYPED_TEST(explored_pins, are_exact_beside_overwriting) {
    this->explore_against(
        "store", [](auto& map) { map.store(TypeParam::key(keys::first), value_for<TypeParam>(2)); });
}
TYPED_TEST(explored_pins, are_exact_beside_clear) {
    this->explore_against("clear", [](auto& map) { map.clear(); });
}
TYPED_TEST(explored_pins, are_exact_beside_erase_and_insert) {
    this->explore_against("erase, store", [](auto& map) {
        map.erase(TypeParam::key(keys::first));
        map.store(TypeParam::key(keys::first), value_for<TypeParam>(2));
    });
}
TYPED_TEST(explored_pins, are_exact_beside_growth) {
    this->explore_against("reserve", [](auto& map) { map.reserve(4 * visible_engine<TypeParam>::slots); });
}

} // namespace
