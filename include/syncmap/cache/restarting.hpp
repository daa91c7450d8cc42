// Saving a cache and loading it again: the operations, for programs that include syncmap/cache/warm_restart.hpp, which has
// what they do. Others do not pay for it.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace syncmap {

/// What `load` of a cache may be told.
struct restart_options {
    /// How long the program was down: entries are so much older, and those that have ended are left out. Without it, as long as
    /// the system's wall clock says; nothing, if that has gone back.
    std::optional<std::chrono::nanoseconds> time_down{};
};

namespace cache_detail {

/// By its namespace the compiler finds `save_entries` and `load_entries`, if they are there when an operation is instantiated.
struct warm_restart_header {};

template <class Cache>
concept can_restart = requires(const Cache& cache, const char* path) { save_entries(warm_restart_header{}, cache, path); };

/// What these may use of a cache.
struct restart_access;

/// A name of a file, or what bytes are written to or read from: see warm_restart.hpp.
template <class T>
concept file_name = std::is_convertible_v<const T&, const char*> || requires(const T& path) {
    { path.c_str() } -> std::convertible_to<const char*>;
};
template <class T>
concept byte_sink = std::invocable<T&, const char*, std::size_t> || requires(T& to, const char* from) { to.write(from, 1); };
template <class T>
concept byte_source =
    std::is_invocable_r_v<std::size_t, T&, char*, std::size_t> || requires(T& from, char* to) { from.read(to, 1).gcount(); };

/// A base of a cache `Cache`.
template <class Cache>
class restarting {
    friend Cache;
    restarting() = default;

public:
    /// Writes all entries to a file, or to a sink of bytes, hottest first. Returns how many. See warm_restart.hpp.
    template <class To>
    std::size_t save(To&& to) const {
        static_assert(file_name<std::remove_cvref_t<To>> || byte_sink<std::remove_reference_t<To>>,
                      "syncmap: save(to) writes to the file of that name, to a function f(const char*, std::size_t), or to a "
                      "std::ostream");
        static_assert(can_restart<Cache>, "syncmap: save: include <syncmap/cache/warm_restart.hpp>");
        if constexpr (can_restart<Cache>)
            return save_entries(warm_restart_header{}, static_cast<const Cache&>(*this), std::forward<To>(to));
    }

    /// Stores the entries of such a file, or source of bytes, whose keys are absent, until the cache is full. Returns how many.
    /// See warm_restart.hpp.
    template <class From>
    std::size_t load(From&& from, const restart_options& with = {}) {
        static_assert(file_name<std::remove_cvref_t<From>> || byte_source<std::remove_reference_t<From>>,
                      "syncmap: load(from) reads what save has written: the file of that name, by a function f(char*, "
                      "std::size_t), or a std::istream. For a key, use get(key), or get_or_load(key, f)");
        static_assert(can_restart<Cache>, "syncmap: load(from) reads what save has written: include "
                                          "<syncmap/cache/warm_restart.hpp>. For a key, use get(key), or get_or_load(key, f)");
        if constexpr (can_restart<Cache>)
            return load_entries(warm_restart_header{}, static_cast<Cache&>(*this), std::forward<From>(from), with);
    }
};

} // namespace cache_detail
} // namespace syncmap
