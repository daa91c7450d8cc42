// How much memory an object owns beside itself: what its destruction would free.
//
// A map destroys a value that was erased or replaced a little later (docs/guarantees.md, Memory). The values that wait are
// bounded in bytes if their size is known, and by a small count if not. The size is known for trivially destructible types,
// strings, vectors, arrays, pairs, tuples, optionals and `unique_ptr`s of known types.
//
// For a type of your own, define this function in its namespace:
//
//     std::size_t owned_bytes(const my_type& object) noexcept;
//
// The map calls it when the object has left the map, and `stats` calls it for each object that waits to be freed, with no lock
// held. Other threads may be reading the object.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace syncmap {

/// What `owned_bytes` returns for an object whose memory it does not know. The map counts such objects.
inline constexpr std::size_t unknown_bytes = ~std::size_t{0};

namespace detail {

template <class T>
concept tells_owned_bytes = requires(const T& object) {
    { owned_bytes(object) } noexcept -> std::convertible_to<std::size_t>;
};

/// Returns the sum, or `unknown_bytes` if one of the two is that.
constexpr std::size_t sum_of_bytes(std::size_t a, std::size_t b) noexcept {
    const std::size_t sum = a + b;
    if (sum >= a && sum != unknown_bytes) [[likely]]
        return sum;
    return a == unknown_bytes || b == unknown_bytes ? unknown_bytes : unknown_bytes - 1;
}
constexpr std::size_t product_of_bytes(std::size_t bytes, std::size_t count) noexcept {
    if (bytes == unknown_bytes) return unknown_bytes;
    return count == 0 || bytes < (unknown_bytes - 1) / count ? bytes * count : unknown_bytes - 1;
}

template <class T>
struct owned_memory {
    static std::size_t of(const T&) noexcept { return std::is_trivially_destructible_v<T> ? 0 : unknown_bytes; }
};

template <class T>
std::size_t owned_bytes_of(const T& object) noexcept {
    if constexpr (tells_owned_bytes<T>) {
        return owned_bytes(object);
    } else {
        return owned_memory<T>::of(object);
    }
}

/// Returns what the elements own. It asks few elements one by one; of many it asks the first ones and multiplies.
template <class T>
std::size_t owned_by_elements(const T* first, std::size_t count) noexcept {
    if constexpr (std::is_trivially_destructible_v<T> && !tells_owned_bytes<T>) {
        return 0;
    } else {
        constexpr std::size_t most_looked_at = 16;
        const std::size_t looked_at = count < most_looked_at ? count : most_looked_at;
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < looked_at; ++i) bytes = sum_of_bytes(bytes, owned_bytes_of(first[i]));
        return looked_at == count ? bytes : product_of_bytes(bytes, (count + looked_at - 1) / looked_at);
    }
}

template <class Char, class Traits, class Allocator>
struct owned_memory<std::basic_string<Char, Traits, Allocator>> {
    using string = std::basic_string<Char, Traits, Allocator>;

    static std::size_t of(const string& s) noexcept {
        return s.capacity() * sizeof(Char) < sizeof(string) ? 0 : s.capacity() * sizeof(Char);
    }
};

template <class T, class Allocator>
struct owned_memory<std::vector<T, Allocator>> {
    static std::size_t of(const std::vector<T, Allocator>& v) noexcept {
        if constexpr (std::is_same_v<T, bool>) {
            return v.capacity() / 8;
        } else {
            return sum_of_bytes(v.capacity() * sizeof(T), owned_by_elements(v.data(), v.size()));
        }
    }
};

template <class T, std::size_t N>
struct owned_memory<std::array<T, N>> {
    static std::size_t of(const std::array<T, N>& a) noexcept { return owned_by_elements(a.data(), N); }
};

template <class A, class B>
struct owned_memory<std::pair<A, B>> {
    static std::size_t of(const std::pair<A, B>& p) noexcept {
        return sum_of_bytes(owned_bytes_of(p.first), owned_bytes_of(p.second));
    }
};

template <class... Ts>
struct owned_memory<std::tuple<Ts...>> {
    static std::size_t of(const std::tuple<Ts...>& all) noexcept {
        return std::apply(
            [](const Ts&... each) {
                std::size_t bytes = 0;
                ((bytes = sum_of_bytes(bytes, owned_bytes_of(each))), ...);
                return bytes;
            },
            all);
    }
};

template <class T>
struct owned_memory<std::optional<T>> {
    static std::size_t of(const std::optional<T>& o) noexcept { return o.has_value() ? owned_bytes_of(*o) : 0; }
};

/// An object of a class derived from T may be larger, so the size is unknown for polymorphic classes.
template <class T>
    requires(!std::is_array_v<T>)
struct owned_memory<std::unique_ptr<T>> {
    static std::size_t of(const std::unique_ptr<T>& p) noexcept {
        if constexpr (std::is_polymorphic_v<T>) {
            return p == nullptr ? 0 : unknown_bytes;
        } else {
            return p == nullptr ? 0 : sum_of_bytes(sizeof(T), owned_bytes_of(std::as_const(*p)));
        }
    }
};

} // namespace detail
} // namespace syncmap
