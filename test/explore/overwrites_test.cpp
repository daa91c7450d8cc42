// The programs of overwrite_programs.hpp, in both memories.
#include <string>

#include <explore/map_suite.hpp>
#include <explore/overwrite_programs.hpp>

#include <gtest/gtest.h>

namespace {

using namespace explore;

TEST(explored_overwrites, beside_what_they_meet) {
    const unsigned more = full_run() ? 500 : 1;
    const auto in_both_memories = [&](const char* group, const auto& explored) {
        for (const bool weak : {false, true}) {
            limits bounds{.preemptions = 2, .schedules = 400 * more, .random = 100 * more};
            bounds.weak = weak;
            const report r = explored(bounds);
            EXPECT_FALSE(r.failed()) << "beside " << group << ": " << r.description;
        }
    };
    each_overwrite_program([&](const char* group, const map_program& program) {
        in_both_memories(group, [&](const limits& bounds) { return explore_program<inline_layout>(program, bounds); });
    });
    each_overwrite_form<inline_layout>([&](const auto& where, const std::string& name, const auto& threads) {
        in_both_memories("a new line", [&](const limits& bounds) {
            return explore_threads<inline_layout>(name + (bounds.weak ? " weak" : ""), where, threads, bounds);
        });
    });
}

} // namespace
