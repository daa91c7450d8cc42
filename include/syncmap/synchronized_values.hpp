// Values that several threads may change at once, in their place in a map.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <type_traits>

namespace syncmap {

/// Whether objects of type `T` synchronise themselves, so that any number of threads may call their non-const members at
/// once. A map shows such a value as `T&` where it shows others as `const T&`: to `visit`, to walks, and by `pin`.
///
/// It is true for `std::atomic`. A type of your own declares it by a member type, and must then keep that promise:
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
/// makes another object: changes through a reference to the former one are lost with it. A snapshot, and a pinned entry, show
/// the object itself, and so also its later changes.
template <class T>
inline constexpr bool synchronizes_itself = requires { typename T::synchronizes_itself; };
template <class T>
inline constexpr bool synchronizes_itself<std::atomic<T>> = true;

namespace detail {

/// The type by which callbacks get a value.
template <class T>
using shown_t = std::conditional_t<synchronizes_itself<T>, T&, const T&>;

/// Returns a value as callbacks get it. The cast is right: no map makes its values const.
template <class T>
shown_t<T> shown(const T& value) noexcept {
    return const_cast<shown_t<T>>(value);
}

} // namespace detail
} // namespace syncmap
