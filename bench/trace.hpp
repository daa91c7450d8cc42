// A trace of a cache: which keys were asked for, one after the other.
#pragma once

#include <cstdint>
#include <vector>

namespace syncmap::bench {

struct trace {
    std::vector<std::uint32_t> requests; ///< numbers of keys, below `keys`
    std::uint32_t keys = 0;
};

} // namespace syncmap::bench
