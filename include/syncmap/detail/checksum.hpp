// A checksum for files: XXH64 of Yann Collet, after its published specification ("xxHash fast digest algorithm", version
// 0.1.1).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace syncmap::detail {

/// Returns the XXH64 of `size` bytes. Numbers are read in the machine's byte order. It finds torn and changed bytes, and is no
/// protection from an attacker, which can forge it easily.
inline std::uint64_t checksum(const void* bytes, std::size_t size, std::uint64_t seed) noexcept {
    constexpr std::uint64_t prime1 = 0x9E3779B185EBCA87U;
    constexpr std::uint64_t prime2 = 0xC2B2AE3D27D4EB4FU;
    constexpr std::uint64_t prime3 = 0x165667B19E3779F9U;
    constexpr std::uint64_t prime4 = 0x85EBCA77C2B2AE63U;
    constexpr std::uint64_t prime5 = 0x27D4EB2F165667C5U;
    const char* at = static_cast<const char*>(bytes);
    const char* const end = at + size;
    const auto left = [&] { return static_cast<std::size_t>(end - at); };
    const auto next = [&]<class Word>(Word word) {
        std::memcpy(&word, at, sizeof word);
        at += sizeof word;
        return std::uint64_t{word};
    };
    const auto next8 = [&] { return next(std::uint64_t{}); };
    const auto mixed_in = [](std::uint64_t sum, std::uint64_t word) { return std::rotl(sum + word * prime2, 31) * prime1; };

    std::uint64_t sum = seed + prime5;
    if (size >= 32) {
        std::uint64_t sums[4] = {seed + prime1 + prime2, seed + prime2, seed, seed - prime1};
        do {
            for (std::uint64_t& each : sums) each = mixed_in(each, next8());
        } while (left() >= 32);
        sum = std::rotl(sums[0], 1) + std::rotl(sums[1], 7) + std::rotl(sums[2], 12) + std::rotl(sums[3], 18);
        for (const std::uint64_t each : sums) sum = (sum ^ mixed_in(0, each)) * prime1 + prime4;
    }
    sum += size;
    while (left() >= 8) sum = std::rotl(sum ^ mixed_in(0, next8()), 27) * prime1 + prime4;
    if (left() >= 4) sum = std::rotl(sum ^ next(std::uint32_t{}) * prime1, 23) * prime2 + prime3;
    while (at != end) sum = std::rotl(sum ^ next(std::uint8_t{}) * prime5, 11) * prime1;
    sum = (sum ^ sum >> 33) * prime2;
    sum = (sum ^ sum >> 29) * prime3;
    return sum ^ sum >> 32;
}

} // namespace syncmap::detail
