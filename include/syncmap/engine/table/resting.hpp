// What is kept of a node that was freed, for the thread's next one: its block, and the memory of its strings.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace syncmap::engine {

/// Strings whose memory comes from `std::allocator`: nobody can tell one that is assigned to from one that is made.
/// Everything else is destroyed when its node is freed.
template <class T>
struct resting {
    static constexpr bool keeps_memory = false;
};
template <class Char, class Traits>
struct resting<std::basic_string<Char, Traits>> {
    using string = std::basic_string<Char, Traits>;

    static constexpr bool keeps_memory = true;
    static constexpr std::size_t most_bytes = 256;

    static bool is_small(const string& s) noexcept { return s.capacity() * sizeof(Char) <= most_bytes; }

    template <class From>
    static void assign(string& to, From&& from) {
        using view = std::basic_string_view<Char, Traits>;
        if constexpr (std::is_same_v<std::remove_cvref_t<From>, string>) {
            to = std::forward<From>(from);
        } else if constexpr (std::is_convertible_v<const std::remove_reference_t<From>&, view>) {
            to = static_cast<view>(from);
        } else {
            to = string(std::forward<From>(from));
        }
    }
};

} // namespace syncmap::engine
