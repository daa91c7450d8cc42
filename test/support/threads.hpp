// Threads that start together and end before the caller goes on.
#pragma once

#include <barrier>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace test {

/// More threads than the machine for daily work has cores, so that they are preempted anywhere.
inline constexpr std::size_t crowd = 8;

/// Runs `f(0)` ... `f(count - 1)`, each on a thread of its own, from one moment on.
template <class F>
void together(std::size_t count, F f) {
    std::barrier start(static_cast<std::ptrdiff_t>(count));
    std::vector<std::jthread> threads;
    threads.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&start, &f, i] {
            start.arrive_and_wait();
            f(i);
        });
    }
}

/// Small, fast, reproducible random numbers (Marsaglia's xorshift with a multiplication).
class random {
public:
    explicit random(std::uint64_t seed) noexcept : state_(seed * 0x9E3779B97F4A7C15U + 1) {}
    std::uint64_t operator()() noexcept {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545F4914F6CDD1DU;
    }
    std::uint64_t below(std::uint64_t bound) noexcept { return (*this)() % bound; }

private:
    std::uint64_t state_;
};

} // namespace test
