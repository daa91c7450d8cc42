// syncmap::text: a string in a map, in one block with the rest of its entry.
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

/// A key type or value type of a `syncmap::map` for strings. Their bytes lie in the entry itself, and not in a `std::string`
/// with memory of its own. One byte before them has their length (nine bytes from a length of 255 on).
///
///     syncmap::map<syncmap::text, syncmap::text> sessions;
///     sessions.store("ann", "at the door");                                   // anything that std::string_view is made from
///     std::optional<std::string> where = sessions.load("ann");                // copies out are std::string
///     sessions.visit("ann", [](std::string_view where) { show(where); });     // callbacks read in place
///
/// A `text` exists only in a map. Only the map makes one, and it cannot be copied or moved. Callbacks and handles show it as
/// `const text&`, which converts to `std::string_view` and compares with everything that does. Its bytes may be any, zeros
/// too; no zero is added behind them. It has no alignment: its address may be odd.
class text {
public:
    text(const text&) = delete;
    text& operator=(const text&) = delete;

    /// Returns the bytes. Validity: as long as the callback or handle shows the entry.
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
    /// Returns a copy.
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

    /// Returns how many bytes a text with this content takes.
    static constexpr std::size_t bytes_of(std::string_view content) noexcept {
        return sizeof(text) + (content.size() < long_one ? 0 : sizeof(std::size_t)) + content.size();
    }
    /// Makes a text at `place`, which has room for it, and returns the place behind it.
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
    /// Returns the place behind the text.
    const std::byte* end() const noexcept {
        const std::string_view content = view();
        return reinterpret_cast<const std::byte*>(content.data()) + content.size();
    }

private:
    static constexpr unsigned char long_one = 255; ///< the length lies behind it, as a `std::size_t`

    explicit text(unsigned char length) noexcept : length_(length) {}

    unsigned char length_;
};

} // namespace syncmap
