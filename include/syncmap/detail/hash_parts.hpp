// The hash of what is made of parts: of pairs, tuples, arrays, vectors, optionals and variants, of durations and time points of
// std::chrono, and of structs that name their members. A part of hash.hpp. It uses only the standard templates that <utility>,
// <optional> and <vector> bring.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace syncmap {

struct hash_seed;
template <class Key>
struct hash;

namespace detail {

// Of hash.hpp.
constexpr std::uint64_t mix(std::uint64_t word, const hash_seed& seed) noexcept;
template <class Hash, class K>
constexpr std::uint64_t seeded_hash(const Hash& hash, const K& key, const hash_seed& seed);

/// `friend auto syncmap_members(const point& p) { return std::tie(p.x, p.y); }`
template <class Key>
concept names_members = requires(const Key& key) { syncmap_members(key); };

template <class Key>
concept tuple_like = requires { std::tuple_size<Key>::value; };

template <class Key>
concept array_like = tuple_like<Key> && requires(const Key& key) {
    key.begin();
    typename Key::value_type;
};

template <class Key>
inline constexpr bool points_to_characters = false;
template <class C>
inline constexpr bool points_to_characters<C*> =
    std::is_same_v<std::remove_cv_t<C>, char> || std::is_same_v<std::remove_cv_t<C>, wchar_t> ||
    std::is_same_v<std::remove_cv_t<C>, char8_t> || std::is_same_v<std::remove_cv_t<C>, char16_t> ||
    std::is_same_v<std::remove_cv_t<C>, char32_t>;

template <class Key>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class Key>
inline constexpr bool is_vector = false;
template <class T, class Allocator>
inline constexpr bool is_vector<std::vector<T, Allocator>> = !std::is_same_v<T, bool>; // that has a hash of its own

/// A `std::chrono::duration`.
template <class Key>
concept duration_like = requires(const Key& key) {
    typename Key::period;
    { key.count() } -> std::same_as<typename Key::rep>;
};
/// A `std::chrono::time_point`.
template <class Key>
concept time_point_like = requires(const Key& key) {
    typename Key::clock;
    { key.time_since_epoch() } -> std::same_as<typename Key::duration>;
};

template <class Key>
concept variant_like = requires(const Key& key) {
    key.index();
    key.valueless_by_exception();
};

/// The library's hash takes a `Key`, alone or as a part.
template <class Key>
concept hashable =
    std::invocable<const hash<Key>&, const Key&> || std::invocable<const hash<Key>&, const Key&, const hash_seed&>;

template <class Key>
inline constexpr bool has_hashable_alternatives = false;
template <template <class...> class Variant, class... Ts>
inline constexpr bool has_hashable_alternatives<Variant<Ts...>> = (hashable<Ts> && ...);

template <class Key, std::size_t... Index>
constexpr bool has_hashable_elements(std::index_sequence<Index...>) {
    return (hashable<std::remove_cvref_t<std::tuple_element_t<Index, Key>>> && ...);
}

template <class Key>
constexpr bool parts_are_hashable() {
    if constexpr (names_members<Key>) {
        return hashable<std::remove_cvref_t<decltype(syncmap_members(std::declval<const Key&>()))>>;
    } else if constexpr (array_like<Key>) {
        return hashable<typename Key::value_type>;
    } else if constexpr (tuple_like<Key>) {
        return has_hashable_elements<Key>(std::make_index_sequence<std::tuple_size<Key>::value>());
    } else if constexpr (is_optional<Key> || is_vector<Key>) {
        return hashable<typename Key::value_type>;
    } else if constexpr (duration_like<Key> || time_point_like<Key>) {
        return hashable<typename Key::rep>;
    } else {
        return variant_like<Key> && has_hashable_alternatives<Key>;
    }
}
template <class Key>
concept made_of_parts = parts_are_hashable<Key>();

/// Hashes the parts one after the other: mixes each with the secret before it adds the next.
template <class Seed>
class hash_state {
public:
    constexpr explicit hash_state(std::uint64_t first, const Seed& seed) noexcept : seed_(seed), state_(first) {}

    template <class Part>
    constexpr void add(const Part& part) {
        static_assert(!points_to_characters<Part>,
                      "syncmap: the const char* in this key would be compared by its address: use std::string or "
                      "std::string_view, and const void* if the address is meant");
        state_ = mix(std::rotl(state_, 32) + seeded_hash(hash<Part>(), part, seed_), seed_);
    }
    constexpr std::uint64_t result() const noexcept { return state_; }

private:
    const Seed& seed_;
    std::uint64_t state_;
};

template <class Key, class Seed>
constexpr std::uint64_t hash_of_parts(const Key& key, const Seed& seed) {
    if constexpr (names_members<Key>) {
        const auto members = syncmap_members(key);
        return seeded_hash(hash<std::remove_const_t<decltype(members)>>(), members, seed);
    } else if constexpr (array_like<Key>) {
        hash_state<Seed> state(1, seed);
        for (const auto& part : key) state.add(part);
        return state.result();
    } else if constexpr (tuple_like<Key>) {
        hash_state<Seed> state(2, seed);
        [&]<std::size_t... Index>(std::index_sequence<Index...>) {
            using std::get;
            (state.add(get<Index>(key)), ...);
        }(std::make_index_sequence<std::tuple_size<Key>::value>());
        return state.result();
    } else if constexpr (is_optional<Key>) {
        hash_state<Seed> state(3, seed);
        state.add(key.has_value());
        if (key) state.add(*key);
        return state.result();
    } else if constexpr (is_vector<Key>) {
        hash_state<Seed> state(5, seed);
        state.add(key.size());
        for (const auto& part : key) state.add(part);
        return state.result();
    } else if constexpr (duration_like<Key>) {
        return seeded_hash(hash<typename Key::rep>(), key.count(), seed);
    } else if constexpr (time_point_like<Key>) {
        return seeded_hash(hash<typename Key::rep>(), key.time_since_epoch().count(), seed);
    } else {
        hash_state<Seed> state(4, seed);
        state.add(key.index());
        if (!key.valueless_by_exception()) visit([&](const auto& part) { state.add(part); }, key);
        return state.result();
    }
}

} // namespace detail
} // namespace syncmap
