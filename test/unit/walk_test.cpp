// How many words a walk over integers reads: a few for many buckets, and one more than its slots for each bucket.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/engine/table/table.hpp>

#include "support/stepping_sync.hpp"
#include "support/visible_table.hpp"

namespace test {
namespace {

using integers = syncmap::engine::table<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, std::equal_to<>,
                                        std::allocator<std::pair<const std::uint64_t, std::uint64_t>>, stepping_sync>;

std::size_t loads = 0;

} // namespace

TEST(walk, over_integers_reads_the_root_and_the_table_once_for_many_buckets) {
    if (!stepping_sync::has_pair_access) GTEST_SKIP() << "integers lie in nodes";
    visible_map<integers> map;
    map.reserve(1000);
    for (std::uint64_t i = 0; i != 500; ++i) map.store(i, i); // about one in each bucket: no overflow lines
    loads = 0;
    on_step = [](step what) { loads += what == step::load ? 1 : 0; };
    std::uint64_t sum = 0;
    map.for_each([&](std::uint64_t key, std::uint64_t) { sum += key; });
    on_step = nullptr;
    EXPECT_EQ(sum, 500U * 499 / 2);
    // The 16-byte loads of the slots are no steps.
    EXPECT_LE(loads, 2 * map.buckets() + 50);
}

} // namespace test
