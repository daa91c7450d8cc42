// Values that several threads may change at once, where they lie in a map.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <type_traits>

namespace syncmap {

/// Whether objects of type `T` synchronise themselves, so that any number of threads may call their non-const members at
/// once. A map shows such a value as `T&` where it shows others as `const T&`: to `visit`, to walks, and by `pin`.
///
/// It is true for `std::atomic`. A type of your own says so by a member type, and then keeps that promise itself:
///
///     struct log {
///         using synchronizes_itself = void;
///         std::mutex mutex;
///         std::vector<std::string> lines;
///     };
///     syncmap::map<std::string, log> logs;
///     logs.emplace("main");
///     logs.visit("main", [](log& l) {
///         const std::lock_guard lock(l.mutex);
///         l.lines.push_back("started");
///     });
///
/// For a type that you cannot change, specialise this.
///
/// Such a value always lies in memory of its own, and its address stays the same until it is erased or replaced. An overwrite
/// is another object: changes that are made through a reference to the former one are lost with it. A snapshot, and an entry
/// that is pinned, show the object, and so also what is changed in it later.
template <class T>
inline constexpr bool synchronizes_itself = requires { typename T::synchronizes_itself; };
template <class T>
inline constexpr bool synchronizes_itself<std::atomic<T>> = true;

namespace detail {

/// What callbacks are shown of a value.
template <class T>
using shown_t = std::conditional_t<synchronizes_itself<T>, T&, const T&>;

/// No map makes its values const: what is shown so is an object that may be changed.
template <class T>
shown_t<T> shown(const T& value) noexcept {
    return const_cast<shown_t<T>>(value);
}

} // namespace detail
} // namespace syncmap
