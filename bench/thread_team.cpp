#include "thread_team.hpp"

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

namespace syncmap::bench {
namespace {

#ifdef __linux__
std::vector<int> allowed_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> processors;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        for (int i = 0; i < CPU_SETSIZE; ++i) {
            if (CPU_ISSET(static_cast<std::size_t>(i), &set)) processors.push_back(i);
        }
    }
    return processors;
}

void stay_on(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(processor), &set);
    sched_setaffinity(0, sizeof set, &set); // a refusal costs steadiness, nothing else
}
#else
std::vector<int> allowed_processors() { return {}; }
void stay_on(int) {}
#endif

} // namespace

unsigned usable_processors() {
    const auto allowed = static_cast<unsigned>(allowed_processors().size());
    return allowed != 0 ? allowed : std::max(1U, std::thread::hardware_concurrency());
}

void run_team(unsigned threads, bool pin, const std::function<void(unsigned)>& work, const std::function<void()>& meanwhile) {
    const std::vector<int> processors = pin ? allowed_processors() : std::vector<int>{};
    std::barrier start(static_cast<std::ptrdiff_t>(threads) + 1);
    std::vector<std::jthread> thread_team;
    thread_team.reserve(threads);
    for (unsigned thread = 0; thread < threads; ++thread) {
        thread_team.emplace_back([&, thread] {
            if (threads <= processors.size()) stay_on(processors[thread]);
            start.arrive_and_wait();
            work(thread);
        });
    }
    start.arrive_and_wait();
    if (meanwhile) meanwhile();
}

} // namespace syncmap::bench
