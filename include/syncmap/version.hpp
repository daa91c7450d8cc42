// The version of the library. CMake, the package files and the tool read it from here alone.
#pragma once

#include <compare>

// Macros, for a user's `#if`; everything else uses the constants below.
#define SYNCMAP_VERSION_MAJOR 0
#define SYNCMAP_VERSION_MINOR 1
#define SYNCMAP_VERSION_PATCH 0

namespace syncmap {

/// Semantic version (semver.org): before 1.0.0 a new minor version may change the interface.
struct version_number {
    int major_number;
    int minor_number;
    int patch_number;

    friend constexpr auto operator<=>(const version_number&, const version_number&) = default;
};

inline constexpr version_number library_version{SYNCMAP_VERSION_MAJOR, SYNCMAP_VERSION_MINOR, SYNCMAP_VERSION_PATCH};

#define SYNCMAP_QUOTED(x) #x
#define SYNCMAP_DOTTED(a, b, c) SYNCMAP_QUOTED(a) "." SYNCMAP_QUOTED(b) "." SYNCMAP_QUOTED(c)
inline constexpr char library_version_text[] =
    SYNCMAP_DOTTED(SYNCMAP_VERSION_MAJOR, SYNCMAP_VERSION_MINOR, SYNCMAP_VERSION_PATCH);
#undef SYNCMAP_DOTTED
#undef SYNCMAP_QUOTED

} // namespace syncmap
