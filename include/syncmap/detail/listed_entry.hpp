// The entries of a list in braces: {{key, value}, {key, value}}.
#pragma once

#include <type_traits>
#include <utility>

#include <syncmap/detail/conversions.hpp>
#include <syncmap/detail/value_forms.hpp>

namespace syncmap::detail {

/// Two arguments that are a key and a value by their types. Numbers may still lose something.
template <class Key, class T, class K, class U>
concept listed_from = makeable_from<Key, K> && converts_unasked<Key, K> && makeable_from<T, U> && converts_unasked<T, U>;

/// Returns a `To`, by the conversion that the map has checked; it makes an object of another type in its place.
template <class To, class From>
constexpr decltype(auto) converted(From&& from) {
    if constexpr (std::is_arithmetic_v<To> && !std::is_same_v<std::remove_cvref_t<From>, To>) {
        return static_cast<To>(from);
    } else {
        return std::forward<From>(from);
    }
}

/// One entry of such a list. A `std::pair` would convert its two arguments, and drop bits, without a word.
template <class Key, class T>
struct listed_entry {
    given_t<Key> first;
    given_t<T> second;

    template <class K = given_t<Key>, class U = given_t<T>>
        requires listed_from<Key, T, K, U>
    explicit(false) listed_entry(K&& key, U&& value)
        : first(converted<given_t<Key>>(std::forward<K>(key))), second(converted<given_t<T>>(std::forward<U>(value))) {
        check_key<Key, K, false>();
        check_value<T, U>();
    }
    /// For lists that have pairs as well: {{1, 2}, pair}.
    template <class K, class U>
        requires listed_from<Key, T, const K&, const U&>
    explicit(false) listed_entry(const std::pair<K, U>& entry) : listed_entry(entry.first, entry.second) {}
};

/// An entry whose arguments are no key and no value of the map. It does not compile, and says which one is wrong.
template <class Key, class T>
struct unfit_entry {
    template <class K = given_t<Key>, class U = given_t<T>>
    explicit(false) unfit_entry(K&&, U&&) {
        check_key<Key, K, false>();
        check_value<T, U>();
    }
};

} // namespace syncmap::detail
