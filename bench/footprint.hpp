// What a map costs that holds nothing, or next to nothing.
#pragma once

#include <optional>
#include <string>

#include "subject.hpp"

namespace syncmap::bench {

struct footprint {
    std::string failure{};
    double empty = 0; ///< bytes on the heap, beside the map object itself
    double four = 0;  ///< the same with four entries
    double forty = 0; ///< and with forty
};

/// In a process of its own, on the second map: what is made once for a process does not count. Nothing where the C
/// library does not tell how much of its heap is in use.
std::optional<footprint> measure_footprint(const candidate& map);

} // namespace syncmap::bench
