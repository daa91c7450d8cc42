// syncmap::text: a string as a map keeps it, in one block with the rest of its entry.
#pragma once

#include <syncmap/detail/language.hpp>

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

namespace syncmap {

/// As the key type or the value type of a `syncmap::map`: strings whose bytes lie in the entry itself, behind one byte
/// that tells their length (nine from 255 bytes on), instead of in a `std::string` with memory of its own.
///
///     syncmap::map<syncmap::text, syncmap::text> sessions;
///     sessions.store("ann", "at the door");                                   // anything that std::string_view is made from
///     std::optional<std::string> where = sessions.load("ann");                // copies out are std::string
///     sessions.visit("ann", [](std::string_view where) { show(where); });     // callbacks read in place
///
/// A `text` lives in a map and nowhere else: callbacks and handles show it as `const text&`, which converts to
/// `std::string_view` and compares with whatever does, and is neither made, copied nor moved by others. Its bytes may be
/// any, zeros too; no zero is added behind them. Its address is odd or even as it comes: it has no alignment.
class text {
public:
    text(const text&) = delete;
    text& operator=(const text&) = delete;

    /// Valid for as long as the entry that it belongs to may be looked at.
    std::string_view view() const noexcept {
        const char* const behind = reinterpret_cast<const char*>(this) + sizeof(text);
        if (length_ != long_one) [[likely]]
            return {behind, length_};
        std::size_t length = 0;
        std::memcpy(&length, behind, sizeof length);
        return {behind + sizeof length, length};
    }
    operator std::string_view() const noexcept { return view(); }

    std::size_t size() const noexcept { return view().size(); }
    bool empty() const noexcept { return length_ == 0; }
    /// A copy.
    std::string str() const { return std::string(view()); }

    friend bool operator==(const text& a, const text& b) noexcept { return a.view() == b.view(); }
    friend std::strong_ordering operator<=>(const text& a, const text& b) noexcept { return a.view() <=> b.view(); }
    template <std::convertible_to<std::string_view> S>
    friend bool operator==(const text& a, const S& b) noexcept(std::is_nothrow_convertible_v<const S&, std::string_view>) {
        return a.view() == static_cast<std::string_view>(b);
    }
    template <std::convertible_to<std::string_view> S>
    friend std::strong_ordering operator<=>(const text& a,
                                            const S& b) noexcept(std::is_nothrow_convertible_v<const S&, std::string_view>) {
        return a.view() <=> static_cast<std::string_view>(b);
    }

    // ---- for the map ----

    /// What a text of these bytes takes.
    static constexpr std::size_t bytes_of(std::string_view content) noexcept {
        return sizeof(text) + (content.size() < long_one ? 0 : sizeof(std::size_t)) + content.size();
    }
    /// Makes one where there is room for it, and returns the place behind it.
    static std::byte* write(std::byte* place, std::string_view content) noexcept {
        const bool is_long = content.size() >= long_one;
        ::new (static_cast<void*>(place)) text(is_long ? long_one : static_cast<unsigned char>(content.size()));
        place += sizeof(text);
        if (is_long) {
            const std::size_t length = content.size();
            std::memcpy(place, &length, sizeof length);
            place += sizeof length;
        }
        if (!content.empty()) std::memcpy(place, content.data(), content.size());
        return place + content.size();
    }
    /// The place behind it.
    const std::byte* end() const noexcept {
        const std::string_view content = view();
        return reinterpret_cast<const std::byte*>(content.data()) + content.size();
    }

private:
    static constexpr unsigned char long_one = 255; ///< the length stands behind it, as a `std::size_t`

    explicit text(unsigned char length) noexcept : length_(length) {}

    unsigned char length_;
};

} // namespace syncmap
