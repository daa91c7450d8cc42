// Recipe: a registry whose entries expire: threads report, a sweep removes those that were silent too long.
#include <chrono>
#include <cstddef>
#include <iostream>
#include <thread>
#include <vector>

#include <syncmap/map.hpp>

using std::chrono::steady_clock;
using namespace std::chrono_literals;

int main() {
    syncmap::map<int, steady_clock::time_point> last_seen; // connection -> its last sign of life
    const steady_clock::time_point start = steady_clock::now();
    for (int connection = 0; connection < 1'000; ++connection) last_seen.store(connection, start - 1h);
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&, thread] { // every tenth connection is still alive, and says so
                for (int i = thread; i < 100; i += 4) last_seen.store(10 * i, start);
            });
        }
    }
    // Each entry is judged and erased in one step: one that reports in between is judged by its new time.
    const std::size_t expired = last_seen.erase_if([&](int, steady_clock::time_point seen) { return start - seen > 30min; });

    std::cout << expired << " connections expired, " << last_seen.size() << " are alive\n";
    return expired == 900 && last_seen.size() == 100 && last_seen.contains(990) ? 0 : 1;
}
