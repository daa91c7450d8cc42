// The value of a 16-byte access (real.hpp): both words are of one instant.
#pragma once

#include <cstdint>

namespace syncmap::sync {

/// Two words that are read and written as one.
struct word_pair {
    std::uint64_t first;
    std::uint64_t second;
};

} // namespace syncmap::sync
