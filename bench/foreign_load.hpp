// How much of the processors other programs took meanwhile: figures from a busy machine say little.
#pragma once

#include <chrono>
#include <optional>

namespace syncmap::bench {

/// From its making on.
class foreign_load {
public:
    foreign_load();
    /// Share (0 to 1) of all processors' time that went to other processes, or nothing where it cannot be told.
    std::optional<double> share() const;

private:
    std::optional<double> busy_; ///< seconds of all processors, of the whole machine
    double own_;                 ///< seconds of this process
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace syncmap::bench
