// What a cache's policy may lean to. How it behaves then: leaning.hpp.
#pragma once

#include <cstdint>

namespace syncmap::cache_detail {

enum class lean : std::uint8_t { balanced, frequency, recency, guarded };
inline constexpr unsigned leanings = 4;

/// Whether a return comes into small, and has to win a duel.
inline bool returns_duel(lean l) noexcept { return l == lean::frequency || l == lean::guarded; }

} // namespace syncmap::cache_detail
