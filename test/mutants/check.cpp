// What must notice a mutant of the engine: programs of one slot format, in both memories, until one fails.
//
//     check_node [SECONDS]      exit status 0: nothing failed; 1: the first failure is told; 2: bad arguments
//
// It is compiled with the compiler's instrumentation of plain accesses (explore/plain_access.hpp). The mutant is chosen
// by the environment variable SYNCMAP_MUTANT, see mutant.hpp; with SYNCMAP_REPLAY it repeats one schedule.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <explore/map_messages.hpp>
#include <explore/map_sizes.hpp>
#include <explore/map_suite.hpp>
#include <explore/new_delete.hpp>
#include <explore/plain_access.hpp>

namespace {

using namespace explore;
using layout = SYNCMAP_LAYOUT;

const auto start = std::chrono::steady_clock::now();
double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }

std::uint64_t programs = 0, schedules = 0;

/// Ends the process at the first failure.
void expect_right(const report& r) {
    ++programs;
    schedules += r.schedules;
    if (std::getenv("SYNCMAP_VERBOSE") != nullptr) {
        std::printf("%7.2f %s: %llu schedules\n", seconds(), r.program.c_str(), static_cast<unsigned long long>(r.schedules));
    }
    if (!r.failed()) return;
    std::printf("KILLED after %.2f s, %llu programs: %s\n", seconds(), static_cast<unsigned long long>(programs),
                std::getenv("SYNCMAP_VERBOSE") != nullptr ? r.description.c_str() : r.failure.c_str());
    std::printf("  SYNCMAP_REPLAY='%s@%s'\n", r.program.c_str(), r.schedule.c_str());
    std::fflush(stdout);
    std::_Exit(1);
}

} // namespace

int main(int argc, char** argv) {
    const double limit = argc > 1 ? std::atof(argv[1]) : 60;
    if (argc > 2 || limit <= 0) {
        std::fprintf(stderr, "usage: %s [SECONDS]\n", argv[0]);
        return 2;
    }
    // Rounds of all programs, each with more schedules than the one before.
    for (unsigned round = 0; seconds() < limit; ++round) {
        const std::uint64_t in_order = std::uint64_t{5} << 2 * round;
        const std::uint64_t by_chance = std::uint64_t{4} << round;
        const auto check = [&](const map_program& program, reuse memory, std::uint64_t chances, bool ordered) {
            if (seconds() >= limit) return;
            expect_right(explore_program<layout>(program, {.preemptions = 1,
                                                           .schedules = in_order,
                                                           .random = chances,
                                                           .memory = memory,
                                                           .seed = 1 + round * 100'000,
                                                           .weak = true,
                                                           .ordered_calls = ordered}));
        };
        explore_messages<layout>({.preemptions = 1, .schedules = in_order, .random = by_chance, .seed = 1 + round * 100'000},
                                 [](const report& r) { expect_right(r); });
        explore_sizes<layout>({.preemptions = 1, .schedules = 25 * in_order, .random = 25 * by_chance, .seed = 1 + round * 100'000},
                              [](const report& r) { expect_right(r); });
        // First without an order of the calls, for what is wrong with memory; then with it, for wrong answers.
        for (const bool ordered : {false, true}) {
            for (const setting where : all_settings) {
                each_pair_on_one_key<layout>(
                    where, [&](const map_program& p) { check(p, reuse::never, by_chance, ordered); });
            }
            each_longer_program([&](const map_program& p, reuse memory) { check(p, memory, 5 * by_chance, ordered); });
        }
    }
    std::printf("survived %.1f s: %llu programs, %llu schedules\n", seconds(),
                static_cast<unsigned long long>(programs), static_cast<unsigned long long>(schedules));
    return 0;
}
