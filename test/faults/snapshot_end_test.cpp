// The end of a snapshot cannot fail, whichever thread it comes on.
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <syncmap/map.hpp>

#include "faults/injector.hpp"

namespace test::faults {
namespace {

TEST(snapshot_end, wants_no_memory_on_a_thread_that_has_used_no_map) {
    syncmap::map<int, std::string> map;
    for (int i = 0; i < 10'000; ++i) map.store(i, std::string(40, 'v'));
    std::optional taken(map.snapshot());
    map.clear(); // its table is the snapshot's now
    bool wanted_memory = true;
    std::thread other([&] {
        injector::fail_at(0);
        {
            const injector::armed from_here;
            taken.reset();
        }
        wanted_memory = injector::has_failed();
        injector::stop();
    });
    other.join();
    EXPECT_FALSE(wanted_memory);
    EXPECT_EQ(map.size(), 0U);
}

} // namespace
} // namespace test::faults
