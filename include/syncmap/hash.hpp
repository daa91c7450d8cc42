// The default hash: seeded for each map, and strong enough that an attacker that chooses the keys cannot choose collisions.
#pragma once

#include <syncmap/detail/language.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include <syncmap/detail/conversions.hpp>
#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/hash_parts.hpp>

namespace syncmap {

/// The secret of one map: two random words, drawn when the map makes its first table. Never zero, `multiplier` odd.
struct hash_seed {
    std::uint64_t mask = 0;
    std::uint64_t multiplier = 0x9E3779B97F4A7C15U;
};

namespace detail {

/// Folded multiplication: the two halves of a 128-bit product, xored. One multiplication carries every
/// input bit both up (high half) and to the top of the low half.
constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
#if defined(__SIZEOF_INT128__)
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
#else
    const std::uint64_t a0 = a & 0xFFFFFFFFU, a1 = a >> 32, b0 = b & 0xFFFFFFFFU, b1 = b >> 32;
    const std::uint64_t mid = (a0 * b0 >> 32) + (a1 * b0 & 0xFFFFFFFFU) + (a0 * b1 & 0xFFFFFFFFU);
    const std::uint64_t high = a1 * b1 + (a1 * b0 >> 32) + (a0 * b1 >> 32) + (mid >> 32);
    return (a * b) ^ high;
#endif
}

/// Returns the table position of a word. `seed` decides it, so that a `std::hash<int>` that is the identity does no harm. The
/// word is in both factors. If it were multiplied by the secret alone, consecutive keys would stay in a sequence: under a few
/// secrets in a hundred they would then fill few buckets.
constexpr std::uint64_t mix(std::uint64_t word, const hash_seed& seed) noexcept {
    return fold(word ^ seed.mask, std::rotl(word, 32) ^ seed.multiplier);
}

inline std::uint64_t read_word(const char* p) noexcept {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

inline std::uint64_t read_half(const char* p) noexcept {
    std::uint32_t half;
    std::memcpy(&half, p, sizeof half);
    return half;
}

/// Hashes bytes under a secret. It masks both halves of each block of 16 bytes with secret words before it multiplies them, so
/// no input that is known without the seed makes a factor zero. (The seed-independent collisions of wyhash and similar hashes
/// use their constant secrets for that.) It multiplies the length by a secret too: a text could compensate a known difference
/// between the states of two lengths (docs/decisions/0008).
inline std::uint64_t hash_bytes(const char* p, std::size_t length, const hash_seed& seed) noexcept {
    const std::uint64_t left = seed.mask;
    const std::uint64_t right = std::rotl(seed.multiplier, 29) ^ seed.mask;
    std::uint64_t state = left ^ (length * seed.multiplier);
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    if (length > 16) {
        const char* const last = p + length - 16;
        for (; p < last; p += 16) {
            state = std::rotl(fold(read_word(p) ^ state, read_word(p + 8) ^ right) + seed.multiplier, 23) ^ state;
        }
        a = read_word(last);
        b = read_word(last + 8);
    } else if (length >= 8) {
        a = read_word(p);
        b = read_word(p + length - 8);
    } else if (length >= 4) {
        a = read_half(p);
        b = read_half(p + length - 4);
    } else if (length > 0) {
        a = (static_cast<std::uint64_t>(static_cast<unsigned char>(p[0])) << 16) |
            (static_cast<std::uint64_t>(static_cast<unsigned char>(p[length / 2])) << 8) |
            static_cast<unsigned char>(p[length - 1]);
    }
    return fold(fold(a ^ state, b ^ right) ^ left, seed.multiplier);
}

/// Texts that are known to be equal when their bytes are.
template <class Key>
inline constexpr bool is_text_by_bytes = std::is_same_v<Key, std::string_view>;
template <class Allocator>
inline constexpr bool is_text_by_bytes<std::basic_string<char, std::char_traits<char>, Allocator>> = true;

/// Texts of wider characters, equal when their bytes are. `std::hash` takes them with a known seed.
template <class Key>
inline constexpr bool is_wide_text = false;
template <class C, class Allocator>
    requires(std::is_integral_v<C> && !std::is_same_v<C, char>)
inline constexpr bool is_wide_text<std::basic_string<C, std::char_traits<C>, Allocator>> = true;
template <class C>
    requires(std::is_integral_v<C> && !std::is_same_v<C, char>)
inline constexpr bool is_wide_text<std::basic_string_view<C, std::char_traits<C>>> = true;

} // namespace detail

namespace detail {

/// Returns the hash as the engines use it: the seeded form if the hash has one, else the plain form, mixed.
template <class Hash, class K>
constexpr std::uint64_t seeded_hash(const Hash& hash, const K& key, const hash_seed& seed) {
    if constexpr (std::invocable<const Hash&, const K&, const hash_seed&>) {
        return static_cast<std::uint64_t>(hash(key, seed));
    } else {
        return mix(static_cast<std::uint64_t>(hash(key)), seed);
    }
}

template <class Key>
inline constexpr bool is_whole = std::is_integral_v<Key> || std::is_enum_v<Key>;

/// The types that the library's hash takes, in the order of its operator().
template <class Key>
concept has_default_hash =
    is_whole<Key> || is_wide_text<Key> || made_of_parts<Key> || std::invocable<const std::hash<Key>&, const Key&>;

template <class Key>
constexpr bool hashes_without_throwing() {
    if constexpr (is_whole<Key> || is_wide_text<Key>) {
        return true;
    } else if constexpr (made_of_parts<Key>) {
        return false;
    } else {
        return noexcept(std::hash<Key>{}(std::declval<const Key&>()));
    }
}

} // namespace detail

/// The library's default hash. It mixes integers, enumerations and pointers with the map's secret seed. It hashes strings
/// under that seed; they may be looked up by anything that converts to `std::string_view`. (So may keys of your own types
/// that convert. If their `==` is not that of the bytes, they need a hash of their own.) It hashes pairs, tuples, arrays,
/// vectors, optionals and variants part by part, and durations and time points by their count. It does so too for your own
/// structs that name their members in one line:
///
///     struct point {
///         int x, y;
///         bool operator==(const point&) const = default;
///         friend auto syncmap_members(const point& p) { return std::tie(p.x, p.y); } // std::tie: <tuple>
///     };
///     syncmap::map<point, int> heights;
///
/// For every other type it mixes the result of `std::hash`: keys that collide there collide here. A `const char*` is a
/// pointer: it is hashed by its address, not by its text.
///
/// With two arguments, as maps call it, the result differs from map to map and from run to run. With one argument (outside a
/// map) it uses a fixed seed; do not store that result either, since a new version may change it.
///
/// Complexity: constant for scalars, linear in the length for strings. Throws: nothing for these, else what
/// `std::hash` throws.
///
/// A hash of your own is an object with `hash(key)`, or with `hash(key, hash_seed)` if it can use a secret. The map mixes the
/// result of the first form. It takes the result of the second as it is: each of its 64 bits must depend on the whole key.
/// Add `using is_transparent = void;`, and use `std::equal_to<>`, to look up keys of several types.
template <class Key>
struct hash {
    constexpr std::uint64_t operator()(const Key& key, const hash_seed& seed) const
        noexcept(detail::hashes_without_throwing<Key>())
        requires detail::has_default_hash<Key>
    {
        if constexpr (std::is_integral_v<Key> && sizeof(Key) > sizeof(std::uint64_t)) { // __int128, where it is integral
            const std::uint64_t upper = detail::mix(static_cast<std::uint64_t>(key >> 64), seed);
            return detail::mix(static_cast<std::uint64_t>(key) ^ upper, seed);
        } else if constexpr (detail::is_whole<Key>) {
            return detail::mix(static_cast<std::uint64_t>(key), seed);
        } else if constexpr (detail::is_wide_text<Key>) {
            return detail::hash_bytes(reinterpret_cast<const char*>(key.data()), key.size() * sizeof(*key.data()), seed);
        } else if constexpr (detail::made_of_parts<Key>) {
            return detail::hash_of_parts(key, seed);
        } else {
            return detail::mix(static_cast<std::uint64_t>(std::hash<Key>{}(key)), seed);
        }
    }
    constexpr std::size_t operator()(const Key& key) const
        requires detail::has_default_hash<Key>
    {
        return static_cast<std::size_t>((*this)(key, hash_seed{}));
    }
};

template <detail::string_like Key>
struct hash<Key> {
    using is_transparent = void;
    std::uint64_t operator()(std::string_view key, const hash_seed& seed) const noexcept {
        return detail::hash_bytes(key.data(), key.size(), seed);
    }
    std::size_t operator()(std::string_view key) const noexcept { return static_cast<std::size_t>((*this)(key, hash_seed{})); }
};

} // namespace syncmap
