// Where a walk over a map stands between two of its steps.
#pragma once

#include <cstdint>

namespace syncmap {

namespace engine {
template <class Types>
class iteration;
}

/// A place in a walk with `for_each_from`. A fresh one is the beginning. It is a plain value: it may be copied (the walk
/// forks), kept for as long as wanted, handed to another thread; it holds nothing of the map.
class walk_position {
public:
    constexpr walk_position() = default;

    /// The position behind the last entry.
    [[nodiscard]] static constexpr walk_position end() noexcept {
        walk_position at;
        at.hash_ = past_the_end;
        return at;
    }
    /// Nothing is left to be shown.
    [[nodiscard]] constexpr bool at_end() const noexcept { return hash_ == past_the_end; }

    friend constexpr bool operator==(const walk_position&, const walk_position&) = default;

private:
    template <class Types>
    friend class engine::iteration;

    // Hash values at which a unit begins have their low bits clear, so that two others can stand for the last stages.
    static constexpr std::uint64_t outliers = 1;
    static constexpr std::uint64_t past_the_end = 3;

    std::uint64_t hash_ = 0;
};

} // namespace syncmap
