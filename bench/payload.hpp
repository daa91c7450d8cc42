// The keys and values of all workloads, made from a running index.
#pragma once

#include <cstdint>
#include <string>

#include "random.hpp"

namespace syncmap::bench {

enum class key_kind : unsigned char { integer, string };

/// What belongs to a key type: its values, how both are made from an index (different indexes, different
/// keys), how a read-modify-write changes a value, and a few bits of a value that prove it was read.
template <class Key>
struct payload;

template <>
struct payload<std::uint64_t> {
    using value_type = std::uint64_t;
    static constexpr key_kind kind = key_kind::integer;

    static std::uint64_t key(std::uint64_t index) noexcept { return scramble(index); }
    static value_type value(std::uint64_t index) noexcept { return index; }
    static void modify(value_type& value) noexcept { ++value; }
    static std::uint64_t digest(const value_type& value) noexcept { return value; }
};

/// Keys of 16 to 40 bytes with a common prefix, values of 32 bytes: what session and request tables hold.
template <>
struct payload<std::string> {
    using value_type = std::string;
    static constexpr key_kind kind = key_kind::string;

    static std::string key(std::uint64_t index) {
        constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const std::uint64_t identity = scramble(index);
        random_source random(identity);
        std::string text = "user/";
        for (unsigned shift = 0; shift < 64; shift += 6) text += letters[(identity >> shift) & 63]; // 11 letters: unique
        for (std::uint64_t tail = random.below(25); tail > 0; --tail) text += letters[random.below(64)];
        return text;
    }
    static value_type value(std::uint64_t index) { return std::string(32, static_cast<char>('a' + index % 26)); }
    static void modify(value_type& value) noexcept { value.front() = static_cast<char>(value.front() ^ 1); }
    static std::uint64_t digest(const value_type& value) noexcept { return static_cast<unsigned char>(value.front()); }
};

template <class Key>
using value_of = typename payload<Key>::value_type;

} // namespace syncmap::bench
