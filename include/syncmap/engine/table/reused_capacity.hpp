// What is kept of a node that was freed, for the thread's next one: its block, and the memory of its strings.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <syncmap/detail/sorting.hpp>

namespace syncmap::engine {

/// Strings whose memory comes from `std::allocator`: a program cannot tell one that is assigned to from one that is made.
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

    /// Asks for the memory that the string owns, which the caller reads, or (`ForWriting`) writes, soon.
    template <bool ForWriting>
    static void fetch(const string& s) noexcept {
        __builtin_prefetch(s.data(), ForWriting ? 1 : 0);
    }

    /// As if `to` were made from `from`. Its memory is used where that would take about as much: an entry is not to keep what
    /// a longer one needed before it. New memory has room for a few more characters, so that it serves similar lengths later.
    /// Calls `on_free()` if it frees memory of `to`.
    template <class From, class OnFree>
    [[gnu::always_inline]] static void assign(string& to, From&& from, OnFree on_free) {
        if constexpr (shows_its_text<From>) {
            const std::basic_string_view<Char, Traits> text = from;
            if (!fits(to.capacity(), text.size())) [[unlikely]]
                make_room(to, text.size(), on_free);
            if (text.size() <= to.size()) { // fewer instructions than `assign`, which looks whether the two overlap
                Traits::copy(to.data(), text.data(), text.size());
                to.resize(text.size());
            } else {
                to.assign(text.data(), text.size());
            }
        } else {
            replace(to, string(std::forward<From>(from)), on_free);
        }
    }

private:
    /// What the constructor would read as a text, without being moved from.
    template <class From>
    static constexpr bool shows_its_text =
        std::is_same_v<From, const string&> || std::is_same_v<From, string&> ||
        std::is_same_v<std::decay_t<From>, const Char*> || std::is_same_v<std::decay_t<From>, Char*> ||
        std::is_same_v<std::remove_cvref_t<From>, std::basic_string_view<Char, Traits>>;

    static constexpr std::size_t most_idle_bytes = 24; ///< or half of what is used

    /// Gives `to` another memory. An assignment could keep the memory it has.
    template <class OnFree>
    static void replace(string& to, string&& other, OnFree on_free) {
        if (to.capacity() > string().capacity()) on_free();
        other.swap(to);
    }
    template <class OnFree>
    [[gnu::cold, gnu::noinline]] static void make_room(string& to, std::size_t size, OnFree on_free) {
        replace(to, string(rounded(size), Char()), on_free);
    }

    static bool fits(std::size_t capacity, std::size_t size) noexcept {
        const std::size_t in_place = string().capacity();
        const std::size_t most_idle = detail::greater(size / 2, most_idle_bytes / sizeof(Char));
        // If the size is larger than the capacity, the difference wraps around to more than any size.
        return capacity - size <= most_idle && (size > in_place || capacity <= in_place);
    }
    /// The largest length whose memory common allocators round up to the same size, 8 bytes below a multiple of 16.
    static std::size_t rounded(std::size_t size) noexcept {
        if (size <= string().capacity()) return size;
        const std::size_t bytes = (size + 1) * sizeof(Char);
        return ((bytes + 8 + 15) / 16 * 16 - 8) / sizeof(Char) - 1;
    }
};

/// A node of these has such strings beside its block.
template <class Key, class T, bool ValueInSlot>
inline constexpr bool keeps_string_memory =
    reused_capacity<Key>::keeps_memory || (!ValueInSlot && reused_capacity<T>::keeps_memory);

} // namespace syncmap::engine
