// The cache and what it uses of the table: the bound, evictions beside other writers, loads beside what beats them.
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <explore/cache_bodies.hpp>
#include <explore/cache_search.hpp>
#include <explore/map_suite.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

void search(const std::string& name, const std::function<void()>& body) { search_cache("cache", name, body); }

TEST(explored_cache, parts_of_the_table) { cache_bodies::each_of_table(search); }
TEST(explored_cache, bound) { cache_bodies::each_of_bound(search); }
TEST(explored_cache, listeners) { cache_bodies::each_of_listeners(search); }
TEST(explored_cache, weights) { cache_bodies::each_of_weights(search); }
TEST(explored_cache, changes_of_the_capacity) { cache_bodies::each_of_capacity(search); }
TEST(explored_cache, time) { cache_bodies::each_of_time(search); }
TEST(explored_cache, remembering) { cache_bodies::each_of_remembering(search); }
TEST(explored_cache, tags) { cache_bodies::each_of_tags(search); }
TEST(explored_cache, loads) { cache_bodies::each_of_loads(search); }

/// The fault that it looks for takes one preemption, of some hundred places.
TEST(explored_cache, evictions_by_a_sweep_while_the_table_grows) {
    cache_bodies::evictions_by_a_sweep_beside_a_resize_and_a_read(
        [](const std::string& name, const std::function<void()>& body) {
            const report r = explore::explore("cache, " + name,
                                              {.preemptions = full_run() ? 2U : 1U,
                                               .schedules = full_run() ? 2'000'000U : 20'000U,
                                               .random = full_run() ? 100'000U : 100U,
                                               .memory = reuse::never},
                                              body);
            EXPECT_FALSE(r.failed()) << r.description;
        });
}

TEST(explored_cache, bulk_loads_share_their_failures) {
    unsigned shared = 0;
    search("bulk load that throws|load", [&] {
        with_cache(1, [&](explored_cache& c) {
            parallel(
                [&] {
                    try {
                        static_cast<void>(c.get_all_or_load(
                            {probe(keys::first)}, [](const std::vector<probe>&) -> std::vector<std::pair<probe, probe>> {
                                throw std::runtime_error("no");
                            }));
                    } catch (const std::runtime_error&) {}
                },
                [&] {
                    try {
                        static_cast<void>(c.pin_or_load(probe(keys::first), [] { return probe(1); }));
                    } catch (const std::runtime_error&) {
                        ++shared;
                    }
                });
        });
    });
    EXPECT_GT(shared, 0U) << "no schedule let a thread wait for the bulk load";
}

} // namespace
