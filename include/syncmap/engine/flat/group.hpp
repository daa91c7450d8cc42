// Eight control bytes, compared at once in one machine word.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace syncmap::engine::flat {

/// The state of eight neighbouring slots of a flat table, one byte each: 0x00 never used, 0x01 erased,
/// 0x80 | seven bits of the hash when full. Fresh memory that is all zero is an empty group.
///
/// The byte of slot i is `word >> 8 * i` by arithmetic, never by address, so byte order does not matter.
class group {
public:
    static constexpr std::size_t width = 8;

    /// A set of slots of one group: the highest bit of each member's byte.
    class members {
    public:
        constexpr explicit members(std::uint64_t bits) noexcept : bits_(bits) {}
        constexpr explicit operator bool() const noexcept { return bits_ != 0; }
        constexpr std::size_t first() const noexcept { return static_cast<std::size_t>(std::countr_zero(bits_)) / 8; }
        constexpr void drop_first() noexcept { bits_ &= bits_ - 1; }
        friend bool operator==(const members&, const members&) = default;

    private:
        std::uint64_t bits_;
    };

    /// Returns the byte of a full slot: seven bits of the hash that the choice of the group does not use.
    static constexpr std::uint64_t tag(std::uint64_t hash) noexcept { return 0x80U | (hash >> 57); }

    constexpr members full() const noexcept { return members(word_ & highs); }
    constexpr members vacant() const noexcept { return members(~word_ & highs); }
    constexpr members never_used() const noexcept { return members(~word_ & ~(word_ << 7) & highs); }
    constexpr members tagged(std::uint64_t tag) const noexcept {
        const std::uint64_t difference = word_ ^ (tag * ones);
        return members(~(((difference & ~highs) + ~highs) | difference) & highs); // bytes that are zero, exactly
    }

    constexpr bool is_never_used(std::size_t slot) const noexcept { return (word_ >> slot * 8 & 0xFFU) == 0; }

    constexpr void fill(std::size_t slot, std::uint64_t tag) noexcept { set(slot, tag); }

    /// Empties a slot. Returns whether it counts as never used again. It does if the group has a slot that was never used: a
    /// search that reaches this group ends here anyway.
    constexpr bool erase(std::size_t slot) noexcept {
        const bool ends_searches = static_cast<bool>(never_used());
        set(slot, ends_searches ? 0x00U : 0x01U);
        return ends_searches;
    }

private:
    static constexpr std::uint64_t ones = 0x0101010101010101U;
    static constexpr std::uint64_t highs = 0x8080808080808080U;

    constexpr void set(std::size_t slot, std::uint64_t byte) noexcept {
        const auto shift = static_cast<unsigned>(slot * 8);
        word_ = (word_ & ~(std::uint64_t{0xFF} << shift)) | (byte << shift);
    }

    std::uint64_t word_ = 0;
};

} // namespace syncmap::engine::flat
