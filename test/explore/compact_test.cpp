// The compact cache and what it uses of the table: the bound, hits beside writers of the same slot, loads beside what beats
// them.
#include <cstdint>
#include <functional>
#include <string>

#include <explore/cache_search.hpp>
#include <explore/compact_bodies.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

void search(const std::string& name, const std::function<void()>& body) { search_cache("compact", name, body); }

TEST(explored_compact_cache, parts_of_the_table) { compact_bodies::each_of_table(search); }
TEST(explored_compact_cache, bound) { compact_bodies::each_of_bound(search); }
TEST(explored_compact_cache, hits_and_updates) { compact_bodies::each_of_hits(search); }
TEST(explored_compact_cache, loads) { compact_bodies::each_of_loads(search); }

} // namespace
