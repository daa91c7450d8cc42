// The position of a walk between two of its steps, and the part of a walk that one of several threads does.
#pragma once

#include <syncmap/detail/language.hpp>

#include <cstddef>
#include <cstdint>

namespace syncmap {

namespace engine {
struct walk_access;
}

/// A place in a walk with `for_each_from`. A default-constructed one is the beginning. It is a plain value that holds nothing
/// of the map: it may be copied (for two walks from there), kept for any time, or passed to another thread.
class walk_position {
public:
    constexpr walk_position() = default;

    /// Returns the position behind the last entry.
    [[nodiscard]] static constexpr walk_position end() noexcept {
        walk_position at;
        at.hash_ = past_the_end;
        return at;
    }
    /// Returns whether the walk has shown everything.
    [[nodiscard]] constexpr bool at_end() const noexcept { return hash_ == past_the_end; }

    friend constexpr bool operator==(const walk_position&, const walk_position&) = default;

private:
    friend struct engine::walk_access;
    friend class walk_range;

    // Hash values at which a bucket begins have their low bits clear, so two other values can name the last stages.
    static constexpr std::uint64_t sentinel_keys = 1;
    static constexpr std::uint64_t past_the_end = 3;

    std::uint64_t hash_ = 0;
};

/// A part of a walk, for `for_each_from`: the entries whose hashes lie in one range. It is a plain value, and depends on no map
/// and no size of a table. Of the parts of one `n` exactly one has a given key, also while tables grow and shrink. The rest of
/// a range is a range.
///
///     // on thread i of n, each with an `at` of its own:
///     for (auto rest = syncmap::walk_range::part(i, n); !rest.at_end();) rest = map.for_each_from(rest, show);
class walk_range {
public:
    static constexpr std::size_t most_parts =
        static_cast<std::size_t>(sizeof(std::size_t) > 4 ? std::uint64_t{1} << 32 : 0xFFFFFFFFU);

    /// Returns part `i`, from 0 on, of `n` parts of about the same size; `n` is from 1 to `most_parts`.
    [[nodiscard]] static constexpr walk_range part(std::size_t i, std::size_t n) noexcept {
        walk_position from;
        from.hash_ = first_hash(i, n);
        return {from, i + 1 < n ? first_hash(i + 1, n) : 0};
    }
    /// Returns an empty range.
    [[nodiscard]] static constexpr walk_range ended() noexcept { return {walk_position::end(), 0}; }
    /// Returns whether the walk has shown everything in the range.
    [[nodiscard]] constexpr bool at_end() const noexcept { return at_.at_end(); }

    friend constexpr bool operator==(const walk_range&, const walk_range&) = default;

private:
    friend struct engine::walk_access;

    static constexpr std::uint64_t first_hash(std::uint64_t i, std::uint64_t n) noexcept {
        return (~std::uint64_t{0} / n * i) & ~std::uint64_t{0xFFFF}; // away from the values that name stages
    }

    constexpr walk_range(walk_position at, std::uint64_t end) noexcept : at_(at), end_(end) {}

    walk_position at_;
    std::uint64_t end_; ///< the first hash behind the range; 0: the range goes to the end of the walk
};

namespace engine {

/// How an engine that walks by hash reads and changes positions.
struct walk_access {
    static constexpr std::uint64_t sentinel_keys = walk_position::sentinel_keys;
    static constexpr std::uint64_t past_the_end = walk_position::past_the_end;

    static constexpr std::uint64_t& hash(walk_position& at) noexcept { return at.hash_; }
    static constexpr walk_position& position(walk_range& part) noexcept { return part.at_; }
    /// Returns the first hash behind the range; 0: the range goes to the end of the walk.
    static constexpr std::uint64_t end(const walk_range& part) noexcept { return part.end_; }
};

} // namespace engine
} // namespace syncmap
