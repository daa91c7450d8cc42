// Values that prove where they come from: torn, stale or misplaced ones do not pass.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "support/maps.hpp"

namespace test {

/// Which thread wrote a value, for which key, as its how-manieth.
struct origin {
    std::uint64_t key;
    std::uint64_t generation;
    std::uint64_t writer;
    friend bool operator==(const origin&, const origin&) = default;
};

inline std::uint64_t checksum(const origin& o) noexcept {
    std::uint64_t h = o.key * 0x9E3779B97F4A7C15U + o.generation * 0xBF58476D1CE4E5B9U + o.writer * 0x94D049BB133111EBU;
    return h ^ (h >> 29);
}

/// 32 bytes: too large to be kept in place.
struct wide_proof {
    origin from;
    std::uint64_t sum;
    friend bool operator==(const wide_proof&, const wide_proof&) = default;
};

/// How an origin is written into a value of type `T`, and checked.
template <class T>
struct proof;

template <>
struct proof<wide_proof> {
    static wide_proof of(const origin& o) { return {o, checksum(o)}; }
    static bool holds(const wide_proof& value, std::uint64_t key) {
        return value.from.key == key && value.sum == checksum(value.from);
    }
    static std::uint64_t generation(const wide_proof& value) { return value.from.generation; }
};

/// 64 bits: 20 of the key, 24 of the generation, 4 of the writer, 16 of the checksum.
template <>
struct proof<std::uint64_t> {
    static constexpr std::uint64_t key_bits = 20;
    static constexpr std::uint64_t generation_bits = 24;
    static std::uint64_t of(const origin& o) {
        const std::uint64_t body = (o.key & 0xFFFFFU) | (o.generation & 0xFFFFFFU) << 20 | (o.writer & 0xFU) << 44;
        return body | (seal(body) << 48);
    }
    static bool holds(std::uint64_t value, std::uint64_t key) {
        return (value & 0xFFFFFU) == (key & 0xFFFFFU) && value >> 48 == seal(value & 0xFFFFFFFFFFFFU);
    }
    static std::uint64_t generation(std::uint64_t value) { return value >> 20 & 0xFFFFFFU; }

private:
    static std::uint64_t seal(std::uint64_t body) { return checksum({body, 0, 0}) & 0xFFFFU; }
};

/// Text of one or two parts, so that short ones lie in the string and long ones on the heap.
template <>
struct proof<std::string> {
    static std::string of(const origin& o) {
        const std::string body = std::to_string(o.key) + "/" + std::to_string(o.generation) + "/" + std::to_string(o.writer);
        const std::string padding(o.generation % 3 == 0 ? 40 : 0, '.');
        return body + "#" + std::to_string(checksum(o) & 0xFFFFU) + padding;
    }
    static bool holds(const std::string& value, std::uint64_t key) {
        unsigned long long k = 0;
        unsigned long long generation = 0;
        unsigned long long writer = 0;
        if (std::sscanf(value.c_str(), "%llu/%llu/%llu#", &k, &generation, &writer) != 3) return false;
        return k == key && value == of({k, generation, writer});
    }
    static std::uint64_t generation(const std::string& value) { return std::stoull(value.substr(value.find('/') + 1)); }
};

/// The number of a key and back.
template <class Key>
Key key_of(std::uint64_t number) {
    if constexpr (std::is_same_v<Key, std::string>) {
        return (number % 2 == 0 ? "k" : "a key that is longer than the buffer in a string ") + std::to_string(number);
    } else {
        return static_cast<Key>(number);
    }
}
inline std::uint64_t number_of(std::uint64_t key) { return key; }
inline std::uint64_t number_of(const std::string& key) {
    return std::stoull(key.substr(key.find_last_not_of("0123456789") + 1));
}

/// Maps for the tests with many threads: entries in place, values in nodes, everything in nodes.
using proven_maps = detail::product<families, std::pair<std::uint64_t, std::uint64_t>, std::pair<std::uint64_t, wide_proof>,
                                    std::pair<std::string, std::string>>::type;

} // namespace test
