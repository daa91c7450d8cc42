// The longest single operation while a map grows from nothing: one insert must not pay for all.
#pragma once

#include <optional>
#include <string>

#include "subject.hpp"

namespace syncmap::bench {

struct stall_result {
    std::string failure{};
    double longest = 0; ///< milliseconds by the clock on the wall: what a caller waits, the system's pauses included
    double work = 0;    ///< milliseconds of the thread's own processor time, in any one operation
};

/// All keys of the cell inserted by its threads, each insert timed by both clocks. In a process of its own.
stall_result measure_stall(const candidate& map, const cell& cell, bool pin);

} // namespace syncmap::bench
