// Which types can be looked up in a map, and how.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

namespace syncmap::detail {

template <class Hash, class KeyEqual>
concept transparent = requires {
    typename Hash::is_transparent;
    typename KeyEqual::is_transparent;
};

/// Of what keys are made that live in maps alone.
template <class Hash, class KeyEqual>
concept takes_views = transparent<Hash, KeyEqual> && std::invocable<const Hash&, const std::string_view&> &&
                      std::predicate<const KeyEqual&, const std::string_view&, const std::string_view&>;

/// A key that the map can look up as it is, or a value that converts to the map's key.
template <class K, class Key, class Hash, class KeyEqual>
concept lookup_key = std::same_as<std::remove_cvref_t<K>, Key> || std::convertible_to<const K&, Key> ||
                     (transparent<Hash, KeyEqual> && std::invocable<const Hash&, const K&> &&
                      std::predicate<const KeyEqual&, const Key&, const K&>);

/// The key as the engine takes it: unchanged if it can be looked up so, else converted once.
template <class Engine, class K>
decltype(auto) as_key(K&& key) {
    using plain = std::remove_cvref_t<K>;
    using Key = typename Engine::key_type;
    using hasher = typename Engine::hasher;
    using key_equal = typename Engine::key_equal;
    if constexpr (std::same_as<plain, Key> || (transparent<hasher, key_equal> && std::invocable<const hasher&, const plain&> &&
                                               std::predicate<const key_equal&, const Key&, const plain&>)) {
        return std::forward<K>(key);
    } else {
        return Key(std::forward<K>(key));
    }
}

} // namespace syncmap::detail
