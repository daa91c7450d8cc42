// Keys that are chosen by an attacker that knows the library's source and common hash functions, but no seed.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <syncmap/hash.hpp>

namespace test::attacks {

/// A family of distinct keys: the i-th of them.
template <class Key>
struct family {
    const char* name;
    Key (*key)(std::uint64_t i);
};

inline std::uint64_t scrambled(std::uint64_t i) noexcept { // splitmix64: a permutation, like random numbers
    i = (i + 0x9E3779B97F4A7C15U) * 0xBF58476D1CE4E5B9U;
    i = (i ^ (i >> 27)) * 0x94D049BB133111EBU;
    return i ^ (i >> 31);
}

/// The inverse of an odd number modulo 2^64 (Newton).
constexpr std::uint64_t inverse(std::uint64_t odd) noexcept {
    std::uint64_t x = odd;
    for (int i = 0; i < 6; ++i) x *= 2 - odd * x;
    return x;
}

// ---- integers ----

inline std::uint64_t spread(std::uint64_t i, unsigned gap) noexcept { // bit j of i at place j * gap
    std::uint64_t result = 0;
    for (unsigned j = 0; j * gap < 64 && i >> j != 0; ++j) result |= (i >> j & 1) << (j * gap);
    return result;
}

inline constexpr std::array integer_families{
    family<std::uint64_t>{"in a row", [](std::uint64_t i) { return i; }},
    family<std::uint64_t>{"in a row, downwards", [](std::uint64_t i) { return ~i; }},
    family<std::uint64_t>{"multiples of 64", [](std::uint64_t i) { return i * 64; }},
    family<std::uint64_t>{"multiples of 4096", [](std::uint64_t i) { return i * 4096; }},
    family<std::uint64_t>{"multiples of the table's size", [](std::uint64_t i) { return i << 19; }},
    family<std::uint64_t>{"upper half", [](std::uint64_t i) { return i << 32; }},
    family<std::uint64_t>{"highest bits", [](std::uint64_t i) { return i << 43; }},
    family<std::uint64_t>{"addresses", [](std::uint64_t i) { return 0x00007F0012340000U + i * 48; }},
    family<std::uint64_t>{"two coordinates", [](std::uint64_t i) { return (i & 0x3FF) | (i >> 10) << 40; }},
    family<std::uint64_t>{"every third bit", [](std::uint64_t i) { return spread(i, 3); }},
    family<std::uint64_t>{"both halves the same", [](std::uint64_t i) { return i | i << 32; }},
    family<std::uint64_t>{"Gray code", [](std::uint64_t i) { return i ^ (i >> 1); }},
    family<std::uint64_t>{"squares", [](std::uint64_t i) { return i * i; }},
    // What the published default multiplier makes a row of again.
    family<std::uint64_t>{"undone multiplication", [](std::uint64_t i) { return i * inverse(0x9E3779B97F4A7C15U); }},
    // What a table without a secret would have in one of 64 places.
    family<std::uint64_t>{"one place of the fixed seed",
                          [](std::uint64_t i) {
                              for (std::uint64_t k = i << 20;; ++k) {
                                  if (syncmap::detail::mix(k, syncmap::hash_seed{}) >> 58 == 17) return k;
                              }
                          }},
};
inline constexpr family<std::uint64_t> random_integers{"random", scrambled};

// ---- texts ----

inline void append(std::string& to, std::uint64_t word) {
    char bytes[sizeof word];
    std::memcpy(bytes, &word, sizeof word);
    to.append(bytes, sizeof bytes);
}

/// `i` chooses, bit by bit, one of two parts for each of 20 places.
template <class PartOf>
std::string chosen(std::uint64_t i, PartOf part_of) {
    std::string result;
    for (unsigned place = 0; place < 20; ++place) part_of(result, place, (i >> place & 1) != 0);
    return result;
}

/// wyhash, rapidhash and their kin multiply (a ^ secret) by (b ^ secret): where one factor is zero the other does not
/// count. The words that make it zero with their published secrets, and with the constants in our own source.
inline constexpr std::array<std::uint64_t, 10> published_secrets{0xA0761D6478BD642FU,
                                                                 0xE7037ED1A0B428DBU,
                                                                 0x8EBC6AF09C88C6E3U,
                                                                 0x589965CC75374CC3U,
                                                                 0x2D358DCCAA6C78A5U,
                                                                 0x8BB84B93962EACC9U,
                                                                 0x4B33A62ED433D4A3U,
                                                                 0x9E3779B97F4A7C15U,
                                                                 std::rotl(0x9E3779B97F4A7C15U, 29),
                                                                 0};

inline std::string zero_factor(std::uint64_t i) {
    std::string result;
    const std::uint64_t secret = published_secrets[i % published_secrets.size()];
    append(result, i);
    append(result, secret);
    append(result, secret);
    append(result, scrambled(i));
    append(result, secret);
    append(result, secret);
    return result;
}

/// MurmurHash2 (64 bits; `std::hash` of libstdc++): two blocks whose inner products differ in the top bit alone. It stays
/// there through h = (h ^ k) * m, and the second block takes it away again, whatever the seed is.
inline std::string murmur(std::uint64_t i) {
    constexpr std::uint64_t m = 0xC6A4A7935BD1E995U;
    const auto block_for = [](std::uint64_t inner) { // the block b with (b*m ^ b*m >> 47) * m == inner
        const std::uint64_t x = inner * inverse(m);
        return (x ^ (x >> 47)) * inverse(m);
    };
    return chosen(i, [&](std::string& to, unsigned place, bool other) {
        const std::uint64_t top = other ? std::uint64_t{1} << 63 : 0;
        append(to, block_for(scrambled(place) ^ top));
        append(to, block_for(scrambled(place + 100) ^ top));
    });
}

/// h = 31 * h + c: "Aa" and "BB" are one.
inline std::string java(std::uint64_t i) {
    return chosen(i, [](std::string& to, unsigned, bool other) { to += other ? "BB" : "Aa"; });
}

/// CRC-32C is linear: adding a multiple of its polynomial changes nothing.
inline std::string crc(std::uint64_t i) {
    return chosen(i, [](std::string& to, unsigned, bool other) {
        // The polynomial, 33 bits, in the reflected order of bits, at the end of 8 bytes.
        append(to, 0x3132333435363738U ^ (other ? std::uint64_t{0x105EC76F1} << 8 : 0));
    });
}

/// Lanes that are xored at the end (AES-based hashes): what is there twice is nothing.
inline std::string twice(std::uint64_t i) {
    std::string block;
    append(block, scrambled(i));
    append(block, scrambled(~i));
    return block + block + block + block;
}

/// Of our own source, once: the states of two lengths differed by a known word, so that two texts whose first words
/// differ by the same one had one hash.
inline std::string two_lengths(std::uint64_t i) {
    constexpr std::uint64_t c = 0x9E3779B97F4A7C15U;
    std::string of_15;
    append(of_15, scrambled(i / 2) ^ (15 * c) ^ (16 * c)); // its last byte is the first one of the other word
    of_15 += std::string("_______");
    if (i % 2 == 0) return of_15;
    std::string of_16;
    append(of_16, scrambled(i / 2));
    return of_16 + of_15.substr(7);
}

inline constexpr std::array text_families{
    family<std::string>{"numbers", [](std::uint64_t i) { return std::to_string(i); }},
    family<std::string>{"numbers behind a long text",
                        [](std::uint64_t i) { return std::string(100, 'x') + std::to_string(i); }},
    family<std::string>{"numbers before a long text",
                        [](std::uint64_t i) { return std::to_string(i) + std::string(100, 'x'); }},
    family<std::string>{"zero bytes",
                        [](std::uint64_t i) {
                            std::string s(i % 1000, '\0');
                            return s + std::to_string(i / 1000);
                        }},
    family<std::string>{"factors of zero", zero_factor},
    family<std::string>{"collisions of MurmurHash2", murmur},
    family<std::string>{"collisions of 31 * h + c", java},
    family<std::string>{"collisions of CRC-32C", crc},
    family<std::string>{"blocks that are there twice", twice},
    family<std::string>{"two lengths", two_lengths},
};
inline constexpr family<std::string> random_texts{"random", [](std::uint64_t i) {
                                                      std::string s;
                                                      append(s, scrambled(i));
                                                      append(s, scrambled(i + 1));
                                                      return s;
                                                  }};

} // namespace test::attacks
