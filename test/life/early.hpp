// A map that is used before main, by another bucket than the one that knows what a map is.
#pragma once

#include <cstdint>

namespace test {

/// Stores, reads and replaces entries; returns how many of those that it looked for were wrong.
std::uint64_t use_the_early_map(std::uint64_t rounds);
/// After all of that: whether nothing is kept that no thread holds.
bool early_map_is_clean();

} // namespace test
