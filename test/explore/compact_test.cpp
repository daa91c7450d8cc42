// The compact cache and what it uses of the table: the bound, hits beside writers of the same slot, loads beside what beats
// them.
#include <cstdint>
#include <functional>
#include <string>

#include <explore/compact_bodies.hpp>
#include <explore/map_suite.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

/// In sequentially consistent and in weak memory, and with memory that is used again.
void search(const std::string& name, const std::function<void()>& body) {
    for (const bool weak : {false, true}) {
        for (const reuse memory : {reuse::never, reuse::at_once}) {
            if (weak && memory != reuse::never) continue;
            const report r = explore::explore("compact, " + name + (weak ? ", weak" : "") + name_of(memory),
                                              {.preemptions = full_run() ? 3U : 2U,
                                               .schedules = full_run() ? 2'000'000U
                                                            : weak     ? 500U
                                                                       : 1'000U,
                                               .random = full_run() ? 100'000U : 100U,
                                               .memory = memory,
                                               .weak = weak},
                                              body);
            EXPECT_FALSE(r.failed()) << r.description;
            if (r.failed()) return;
        }
    }
}

TEST(explored_compact_cache, parts_of_the_table) { compact_bodies::each_of_table(search); }
TEST(explored_compact_cache, bound) { compact_bodies::each_of_bound(search); }
TEST(explored_compact_cache, hits_and_updates) { compact_bodies::each_of_hits(search); }
TEST(explored_compact_cache, loads) { compact_bodies::each_of_loads(search); }

} // namespace
