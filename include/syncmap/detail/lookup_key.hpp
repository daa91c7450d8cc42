// Which types can be looked up in a map, and how.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include <syncmap/detail/conversions.hpp>
#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/hash_parts.hpp>

namespace syncmap::detail {

template <class Hash, class KeyEqual>
concept transparent = requires {
    typename Hash::is_transparent;
    typename KeyEqual::is_transparent;
};

/// Hash and equality take string views: keys that exist in maps alone are looked up by those.
template <class Hash, class KeyEqual>
concept takes_views = transparent<Hash, KeyEqual> && std::invocable<const Hash&, const std::string_view&> &&
                      std::predicate<const KeyEqual&, const std::string_view&, const std::string_view&>;

/// Equality takes two keys. (std::equal_to<Key> is declared for every type.)
template <class Key, class KeyEqual>
concept has_key_equality = requires(const KeyEqual& equal, const Key& key) {
    { equal(key, key) } -> std::convertible_to<bool>;
} && (!std::same_as<KeyEqual, std::equal_to<Key>> || requires(const Key& key) { key == key; });

/// Keys that point to characters, with a hash of the pointer alone.
template <class Key, class Hash>
inline constexpr bool hashes_addresses_of_text = false;
template <class C, class Hash>
    requires(std::is_same_v<Hash, syncmap::hash<C*>> || std::is_same_v<Hash, std::hash<C*>>)
inline constexpr bool hashes_addresses_of_text<C*, Hash> = points_to_characters<C*>;

/// Names the engine of a map, but first fails to compile, with an explanation, if no engine can hold such keys and values.
template <class Key, class T, class Engine>
struct engine_for_types {
    template <class Held>
    static constexpr bool is_held =
        std::is_object_v<Held> && !std::is_const_v<Held> && !std::is_volatile_v<Held> && !std::is_array_v<Held>;
    static_assert(is_held<Key> && is_held<T>, "syncmap: keys and values are plain object types, neither const, volatile nor "
                                              "references; for an array use std::array, for a reference a pointer");
    using type = Engine;
};
template <class Key, class T, class Engine>
using engine_for = typename engine_for_types<Key, T, Engine>::type;

/// Fails to compile, with an explanation, if keys cannot be hashed or compared, or would be by their addresses. Every engine
/// asks for its size.
template <class Key, class Hash, class KeyEqual>
struct key_requirements {
    static_assert(std::invocable<const Hash&, const Key&> || std::invocable<const Hash&, const Key&, const hash_seed&> ||
                      is_text<Key>,
                  "syncmap: this key type has no hash. In the type, write: friend auto syncmap_members(const key& k) { return "
                  "std::tie(k.a, k.b); } with its members, or specialise std::hash, or name a Hash for the map (see "
                  "<syncmap/hash.hpp>)");
    static_assert(has_key_equality<Key, KeyEqual>, "syncmap: this key type has no operator==. In the type, write: bool "
                                                   "operator==(const key&) const = default; or name a KeyEqual for the map");
    static_assert(!hashes_addresses_of_text<Key, Hash>,
                  "syncmap: const char* keys would be compared by their addresses: use std::string or std::string_view as the "
                  "key type, and const void* if addresses are meant");
};

/// A key that the map looks up as it is. (No map takes null for a text, though std::string_view may.)
template <class K, class Key, class Hash, class KeyEqual>
concept looked_up_as_it_is =
    std::same_as<K, Key> || (transparent<Hash, KeyEqual> && !std::same_as<K, std::nullptr_t> &&
                             std::invocable<const Hash&, const K&> && std::predicate<const KeyEqual&, const Key&, const K&>);

/// Such a key, or a value that converts to the map's key.
template <class K, class Key, class Hash, class KeyEqual>
concept lookup_key = looked_up_as_it_is<std::remove_cvref_t<K>, Key, Hash, KeyEqual> ||
                     (std::convertible_to<const K&, Key> && makeable_from<Key, const K&>);

/// Returns the key as the engine takes it: unchanged if the map looks it up as it is, else converted once.
template <class Engine, class K>
decltype(auto) as_key(K&& key) {
    using plain = std::remove_cvref_t<K>;
    using Key = typename Engine::key_type;
    using hasher = typename Engine::hasher;
    using key_equal = typename Engine::key_equal;
    if constexpr (looked_up_as_it_is<plain, Key, hasher, key_equal> && !std::is_volatile_v<std::remove_reference_t<K>>) {
        return std::forward<K>(key);
    } else {
        check_key<Key, K, false>();
        return Key(std::forward<K>(key));
    }
}

} // namespace syncmap::detail
