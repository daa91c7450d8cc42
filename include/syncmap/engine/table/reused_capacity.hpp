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
struct reused_capacity {
    static constexpr bool keeps_memory = false;
};
template <class Char, class Traits>
struct reused_capacity<std::basic_string<Char, Traits>> {
    using string = std::basic_string<Char, Traits>;

    static constexpr bool keeps_memory = true;
    static constexpr std::size_t most_bytes = 256;

    static bool is_small(const string& s) noexcept { return s.capacity() * sizeof(Char) <= most_bytes; }

    /// As if `to` were made from `from`. Its memory is used where that would take about as much: an entry is not to keep what
    /// a longer one needed before it.
    template <class From>
    static void assign(string& to, From&& from) {
        if constexpr (shows_its_text<From>) {
            const std::basic_string_view<Char, Traits> text = from;
            if (fits(to.capacity(), text.size())) {
                to.assign(text.data(), text.size());
            } else {
                string(text).swap(to); // an assignment could keep the memory
            }
        } else {
            string(std::forward<From>(from)).swap(to);
        }
    }

private:
    /// What the constructor would read as a text, without being moved from.
    template <class From>
    static constexpr bool shows_its_text =
        std::is_same_v<From, const string&> || std::is_same_v<From, string&> ||
        std::is_same_v<std::decay_t<From>, const Char*> || std::is_same_v<std::decay_t<From>, Char*> ||
        std::is_same_v<std::remove_cvref_t<From>, std::basic_string_view<Char, Traits>>;

    static bool fits(std::size_t capacity, std::size_t size) noexcept {
        const std::size_t in_place = string().capacity();
        return size <= capacity && (capacity <= in_place || (size > in_place && capacity - size <= size / 2));
    }
};

} // namespace syncmap::engine
