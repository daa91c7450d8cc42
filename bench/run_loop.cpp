#include "run_loop.hpp"

#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>

#include "thread_team.hpp"

namespace syncmap::bench {
namespace {

double seconds_on(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

} // namespace

std::vector<pace> run_loop(std::span<const stretch_of_work> work, double seconds, bool pin) {
    std::vector<pace> paces(work.size());
    std::atomic<bool> over{false};
    const auto run = [&](unsigned thread) {
        const double begin = seconds_on(CLOCK_MONOTONIC);
        const double processor_begin = seconds_on(CLOCK_THREAD_CPUTIME_ID);
        std::uint64_t done = 0;
        do done += work[thread]();
        while (!over.load(std::memory_order_relaxed));
        const auto operations = static_cast<double>(done);
        paces[thread] = {operations / (seconds_on(CLOCK_MONOTONIC) - begin),
                         operations / (seconds_on(CLOCK_THREAD_CPUTIME_ID) - processor_begin)};
    };
    run_team(static_cast<unsigned>(work.size()), pin, run, [&] {
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
        over = true;
    });
    return paces;
}

} // namespace syncmap::bench
