// How maps and caches hash and compare their keys, whatever form they come in.
#pragma once

#include <syncmap.h>

#include <bit>
#include <concepts>
#include <cstdint>

#include <syncmap/hash.hpp>

#include "argument.hpp"
#include "status.hpp"
#include "value.hpp"

namespace syncmap::dynamic {

/// What keys are hashed and compared by.
inline const syncmap_value& view_of(const syncmap_value& key) noexcept { return key; }
inline const syncmap_value& view_of(const key_argument& key) noexcept { return key.view(); }
inline syncmap_value view_of(const value& key) noexcept { return key.shown(); }

template <class K>
concept any_key = std::same_as<K, syncmap_value> || std::same_as<K, key_argument> || std::same_as<K, value>;

/// +0 and -0 are equal, so they hash alike.
inline double without_sign_of_zero(double d) noexcept { return d == 0 ? 0.0 : d; }

class key_hash {
public:
    using is_transparent = void;

    key_hash() noexcept = default;
    key_hash(std::uint64_t (*function)(void*, syncmap_value), void* context) noexcept
        : function_(function), context_(context) {}

    std::uint64_t operator()(const any_key auto& key, const hash_seed& seed) const {
        const syncmap_value& v = view_of(key);
        return function_ == nullptr ? seeded(v, seed) : callers(v, seed);
    }
    std::size_t operator()(const any_key auto& key) const { return static_cast<std::size_t>((*this)(key, hash_seed{})); }

private:
    /// The kind chooses a part of the secret, so that to know that 1 and 1u are different keys is to know nothing
    /// about their hashes.
    static std::uint64_t seeded(const syncmap_value& v, const hash_seed& seed) noexcept {
        const auto secret = std::rotl(seed.multiplier, static_cast<int>(8 * v.kind + 5));
        const auto word = [&](std::uint64_t bits) { return detail::mix(bits ^ secret, seed); };
        switch (v.kind) {
        case SYNCMAP_BOOL: return word(v.as.boolean ? 1 : 0);
        case SYNCMAP_INT: return word(static_cast<std::uint64_t>(v.as.integer));
        case SYNCMAP_UINT: return word(v.as.natural);
        case SYNCMAP_DOUBLE: return word(std::bit_cast<std::uint64_t>(without_sign_of_zero(v.as.real)));
        case SYNCMAP_BYTES: return detail::hash_bytes(v.as.bytes.data, v.as.bytes.size, seed);
        case SYNCMAP_HANDLE: return word(word(reinterpret_cast<std::uintptr_t>(v.as.handle.pointer)) ^ v.as.handle.type);
        default: return word(0);
        }
    }

    std::uint64_t callers(syncmap_value v, const hash_seed& seed) const {
        if (v.kind == SYNCMAP_DOUBLE) v.as.real = without_sign_of_zero(v.as.real);
        return detail::mix(call_back([&] { return function_(context_, borrowed(v)); }), seed);
    }

    std::uint64_t (*function_)(void*, syncmap_value) = nullptr;
    void* context_ = nullptr;
};

struct key_equal {
    using is_transparent = void;

    bool operator()(const value& a, const value& b) const noexcept { return equal(a, b.shown()); }
    bool operator()(const value& a, const syncmap_value& b) const noexcept { return equal(a, b); }
    bool operator()(const value& a, const key_argument& b) const noexcept { return equal(a, b.view()); }
};

} // namespace syncmap::dynamic
