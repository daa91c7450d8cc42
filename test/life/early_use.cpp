// Threads that use a map in the constructor of a static object, while other static objects are still being made: those
// of the bucket that the map's code is in, which comes later.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <thread>

#include "life/early.hpp"

namespace {

std::atomic<std::uint64_t> wrong{0};
std::atomic<unsigned> at_work{0};

struct early_threads {
    early_threads() {
        for (auto& each : threads) {
            each = std::thread([] {
                wrong += test::use_the_early_map(100);
                ++at_work;
                wrong += test::use_the_early_map(20'000);
            });
        }
        while (at_work.load() != threads.size()) wrong += test::use_the_early_map(100);
    }
    std::array<std::thread, 2> threads;
};

early_threads begun_early;

} // namespace

int main() {
    wrong += test::use_the_early_map(1'000);
    for (auto& each : begun_early.threads) each.join();
    const bool clean = test::early_map_is_clean();
    std::printf("%llu wrong, %s\n", static_cast<unsigned long long>(wrong.load()), clean ? "clean" : "not clean");
    return wrong == 0 && clean ? 0 : 1;
}
