// Threads that work side by side for a while, and how fast each of them was.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace syncmap::bench {

/// A few hundred operations of one thread; returns how many.
using stretch_of_work = std::function<std::uint64_t()>;

/// Operations of one thread by two clocks. On a machine that others use too, the time that they take from a thread is in
/// the first; what the thread waits for by itself is not in the second.
struct pace {
    double per_second = 0;
    double per_processor_second = 0;
};

/// One thread for each kind of work, all together for `seconds`.
std::vector<pace> run_loop(std::span<const stretch_of_work> work, double seconds, bool pin);

} // namespace syncmap::bench
