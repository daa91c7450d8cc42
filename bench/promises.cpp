#include "promises.hpp"

#include <array>

#include "promise_parts.hpp"

namespace syncmap::bench {
namespace {

constexpr std::array catalogue{
    promise{"size-cost", "the speed of other operations with the accounting for size(), by that of the same engine without it",
            measure_size_cost},
    promise{"snapshot-alive", "the speed of a writer and a reader while a snapshot is alive, by that without one",
            measure_living_snapshot},
    promise{"snapshot-taking", "how long taking and dropping a snapshot takes", measure_taking_snapshots},
    promise{"clear", "how long after the call of clear() another thread sees the map empty", measure_clear},
    promise{"replace", "how long the reads of another thread take across replace()", measure_replace},
};

} // namespace

std::span<const promise> promises() { return catalogue; }

} // namespace syncmap::bench
