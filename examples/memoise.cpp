// Recipe: memoise an expensive function; each argument is computed once, whoever asks first.
#include <atomic>
#include <cstdint>
#include <iostream>
#include <thread>
#include <vector>

#include <syncmap/map.hpp>

std::atomic<int> computations = 0;

/// How many steps the Collatz sequence takes from `n` to 1.
std::uint64_t collatz_steps(std::uint64_t n) {
    ++computations;
    std::uint64_t steps = 0;
    for (; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    return steps;
}

int main() {
    syncmap::map<std::uint64_t, std::uint64_t> known;
    std::atomic<int> wrong = 0;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&] {
                for (std::uint64_t n = 1; n <= 1'000; ++n) {
                    // A hit is a plain load. On a miss one thread computes; other threads that want this n wait for it.
                    const auto [steps, loaded] = known.load_or_compute(n, [n] { return collatz_steps(n); });
                    if (n == 27 && steps != 111) ++wrong;
                }
            });
        }
    }
    std::cout << "4 threads asked 4000 times, " << computations << " computations\n";
    return computations == 1'000 && wrong == 0 ? 0 : 1;
}
