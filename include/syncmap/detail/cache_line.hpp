// The unit of transfer between cores, by which words that different threads write are kept apart.
#pragma once

#include <cstddef>

namespace syncmap::detail {

/// The unit of transfer between cores. A constant: `std::hardware_destructive_interference_size` may differ
/// between two translation units of one program.
inline constexpr std::size_t cache_line_bytes = 64;

} // namespace syncmap::detail
