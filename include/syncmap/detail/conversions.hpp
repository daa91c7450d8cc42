// Which arguments become keys and values: those that can, by a conversion that is implicit and loses nothing.
#pragma once

#include <syncmap/detail/language.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <string_view>
#include <type_traits>

namespace syncmap {

class text;

namespace detail {

template <class T>
inline constexpr bool is_text = std::is_same_v<T, syncmap::text>;

/// A type that is made from texts and converts to a view of one. Null is no text: std::string_view(nullptr) compiles in C++20,
/// and reads at address zero.
template <class T>
concept string_like = std::convertible_to<const T&, std::string_view> && !std::is_pointer_v<T> && !std::is_array_v<T> &&
                      !std::is_same_v<T, std::nullptr_t>;

/// The compiler makes a `To` of a `From` in braces, where it refuses what narrows.
template <class To, class From>
concept becomes_in_braces = requires(From&& from) { To{static_cast<From&&>(from)}; };

/// Returns whether two different values of `From` may become one number, or truth value, of `To`. Between integers the width
/// decides: an `int` is no narrower than an `unsigned`, and -1 remains a value of its own.
template <class To, class From>
constexpr bool loses_values() {
    if constexpr (!std::is_arithmetic_v<To> || std::is_same_v<To, From>) {
        return false;
    } else if constexpr (std::is_same_v<To, bool>) {
        return std::is_scalar_v<From>; // of a pointer, say, whether it is null
    } else if constexpr (std::is_enum_v<From>) {
        return loses_values<To, std::underlying_type_t<From>>();
    } else if constexpr (!std::is_arithmetic_v<From>) { // a class that becomes a number, or an integer beyond the standard's
        return std::is_convertible_v<From, To> && !becomes_in_braces<To, From>;
    } else if constexpr (std::is_floating_point_v<To>) {
        return std::numeric_limits<From>::digits > std::numeric_limits<To>::digits;
    } else {
        return std::is_floating_point_v<From> || sizeof(From) > sizeof(To);
    }
}
template <class To, class From>
concept lossy = loses_values<std::remove_cvref_t<To>,
                             std::conditional_t<std::is_class_v<std::remove_cvref_t<From>>, From, std::decay_t<From>>>();

/// A `T` of the map can be made from a `U`, if need be by an explicit conversion.
template <class T, class U>
concept makeable_from =
    !((is_text<T> || string_like<T>) && std::same_as<std::remove_cvref_t<U>, std::nullptr_t>) &&
    (is_text<T> ? std::convertible_to<std::remove_reference_t<U>&, std::string_view> : std::is_constructible_v<T, U>);

/// An explicit constructor is what makes a std::string of a std::string_view, too.
template <class T, class U>
concept converts_unasked = is_text<T> || std::is_convertible_v<U, T> ||
                           (string_like<T> && std::convertible_to<std::remove_reference_t<U>&, std::string_view>);

/// The operations may make a `T` from a `U`.
template <class T, class U>
concept stored_from = makeable_from<T, U> && converts_unasked<T, U> && !lossy<T, U>;

/// A callback that returns a `U` may make a `T`. Arithmetic with small integers has the type `int`, which may become one of
/// them again.
template <class T, class U>
concept returned_for =
    stored_from<T, U> || (std::is_integral_v<T> && !std::is_same_v<T, bool> && std::is_same_v<std::remove_cvref_t<U>, int>);

/// Fails to compile, with an explanation, if the operations may not make a value from a `U`.
template <class T, class U>
constexpr void check_value() {
    static_assert(makeable_from<T, U>, "syncmap: the value type cannot be made from this argument");
    static_assert(!makeable_from<T, U> || converts_unasked<T, U>,
                  "syncmap: this argument becomes a value by an explicit conversion alone, which no operation makes unasked: "
                  "write that conversion at the call, as in store(key, std::make_unique<T>(...))");
    static_assert(!lossy<T, U>, "syncmap: this number may not fit into the value type: write a constant in braces, as in "
                                "store(key, {1}), and convert anything else with static_cast");
}

template <class T, class U>
constexpr void check_lossless() {
    static_assert(!lossy<T, U>, "syncmap: this number may not fit into the value type: write a constant in braces, as in "
                                "store(key, {1}), and convert anything else with static_cast");
}

/// Does the same for the function that `load_or_compute` calls.
template <class T, class F>
constexpr void check_computation() {
    static_assert(std::is_invocable_v<F>,
                  "syncmap: load_or_compute(key, f) calls f(), without an argument: capture the key in f");
    if constexpr (std::is_invocable_v<F>) {
        static_assert(returned_for<T, std::invoke_result_t<F>>,
                      "syncmap: load_or_compute(key, f): f() returns no value of this map, nor what becomes one without loss");
    }
}

/// Does the same for a key. If the map looks a `K` up as it is, hash and equality have declared it to be the same key: it may
/// become the map's key by an explicit conversion.
template <class Key, class K, bool LookedUpAsItIs>
constexpr void check_key() {
    static_assert(makeable_from<Key, K> && (LookedUpAsItIs || converts_unasked<Key, K>),
                  "syncmap: this type can be looked up, but no key can be made from it to be stored");
    static_assert(!lossy<Key, K>, "syncmap: this number may not fit into the key type, and would become another key: write a "
                                  "constant in braces, as in load({1}), and convert anything else with static_cast");
}

} // namespace detail
} // namespace syncmap
