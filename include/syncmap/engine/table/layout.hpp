// How an entry lies in a line, and how a line is searched: the three slot formats of docs/design.md, section 1.
//
//   pair, inline key     (key bits | value bits)       4 a line   integers, enumerations, pointers with small values
//   pair, node key       (tagged node | value bits)    4 a line   any key with a small value: overwritten in place
//   single               (tagged node)                 8 a line   everything else
//
// The first word of a slot is its *slot word*. Three slot words are no entries: EMPTY (zero), LINK and MOVED.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/detail/conversions.hpp>
#include <syncmap/detail/functional.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/reclaim/node.hpp>
#include <syncmap/synchronized_values.hpp>

namespace syncmap::engine {

using word = std::uint64_t;

/// Returns an address as a word. (A direct cast of a 32-bit address to 64 bits may extend its sign.)
inline word address_word(const void* address) noexcept { return reinterpret_cast<std::uintptr_t>(address); }

/// Bit copies between small trivially copyable types and words.
template <class T>
word to_word(const T& value) noexcept {
    word bits = 0;
    std::memcpy(&bits, std::addressof(value), sizeof value);
    return bits;
}
template <class T>
T from_word(word bits) noexcept {
    struct {
        std::byte bytes[sizeof(T)];
    } first;
    std::memcpy(&first, &bits, sizeof(T));
    return std::bit_cast<T>(first);
}

/// The word of a value that may be absent. (What std::optional would do, but compilers keep this in registers.)
class maybe_word {
public:
    constexpr maybe_word() noexcept = default;
    constexpr explicit maybe_word(word value) noexcept : value_(value), present_(true) {}

    constexpr explicit operator bool() const noexcept { return present_; }
    constexpr word operator*() const noexcept { return value_; }
    friend constexpr bool operator==(const maybe_word&, const maybe_word&) noexcept = default;

private:
    word value_ = 0;
    bool present_ = false;
};

/// Hash and equality are the library's or the language's own: they call nothing back, cannot throw, and
/// equal keys have equal bits, so that keys may be compared as words, and under a bucket's lock.
template <class Key, class Hash, class KeyEqual>
inline constexpr bool has_trusted_key =
    (std::is_integral_v<Key> || std::is_enum_v<Key> || std::is_pointer_v<Key>) && sizeof(Key) <= sizeof(word) &&
    (std::same_as<Hash, syncmap::hash<Key>> || std::same_as<Hash, std::hash<Key>>) &&
    (std::same_as<KeyEqual, std::equal_to<Key>> || std::same_as<KeyEqual, std::equal_to<>>);

/// No padding: two copies of a value have the same bits. (Of the other types, only `float` and `double` are allowed.)
/// A value that synchronises itself is one object, and is not copied.
template <class T>
inline constexpr bool has_small_value =
    !syncmap::detail::is_text<T> && !synchronizes_itself<T> && std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(word) &&
    (std::has_unique_object_representations_v<T> || std::is_same_v<T, float> || std::is_same_v<T, double>);

/// `InNodes`: all entries are nodes, whatever their types.
template <class Key, class T, class Hash, class KeyEqual, class Sync, bool InNodes = false>
struct layout {
    static constexpr bool pairs = !InNodes && has_small_value<T> && Sync::has_pair_access;
    static constexpr bool inline_key = pairs && has_trusted_key<Key, Hash, KeyEqual>;
    static constexpr std::size_t words_per_slot = pairs ? 2 : 1;
    static constexpr std::size_t slots_per_line = detail::cache_line_bytes / (words_per_slot * sizeof(word));
    static constexpr std::size_t last = slots_per_line - 1;

    using sync = Sync;
    using atomic_word = typename Sync::template atomic<word>;

    // ---- control words ----

    /// LOCK, MOVED, the version (node keys: inserts, and moves within the bucket) and the stamp: the phase of the newest
    /// snapshot for which the bucket's content was preserved. Inline keys need no version, so their control words are half as
    /// large.
    using control_word = std::conditional_t<inline_key, std::uint32_t, std::uint64_t>;
    using atomic_control = typename Sync::template atomic<control_word>;
    static constexpr control_word lock_bit = 1;
    static constexpr control_word moved_bit = 2;
    static constexpr int stamp_shift = inline_key ? 2 : 40;
    static constexpr std::uint32_t last_phase = inline_key ? (std::uint32_t{1} << 30) - 1 : (std::uint32_t{1} << 24) - 1;

    static constexpr std::uint32_t stamp_of(control_word control) noexcept {
        return static_cast<std::uint32_t>(control >> stamp_shift);
    }
    static constexpr control_word stamped(control_word control, std::uint32_t phase) noexcept {
        const control_word below = (control_word{1} << stamp_shift) - 1;
        return (control & below) | static_cast<control_word>(phase) << stamp_shift;
    }
    /// Returns the control word with its version incremented: an entry was inserted, or moved.
    static constexpr control_word with_next_version(control_word control) noexcept {
        if constexpr (inline_key) {
            return control;
        } else {
            const control_word version = ((control_word{1} << stamp_shift) - 1) & ~(lock_bit | moved_bit);
            return (control & ~version) | ((control + 4) & version);
        }
    }

    /// Returns the number of inserts so far, in a table that is not published yet.
    static constexpr std::size_t version_of(control_word control) noexcept {
        static_assert(!inline_key);
        return static_cast<std::size_t>((control & ((control_word{1} << stamp_shift) - 1)) >> 2);
    }

    // ---- sentinels ----

    static constexpr word empty = 0;
    static constexpr word moved = inline_key ? ~word{0} : word{1};
    static constexpr word link = inline_key ? ~word{1} : word{2};

    /// An 8-byte inline key can have any value. The three that look like sentinels lie in the sentinel-key bucket, with every
    /// second bit flipped. Smaller keys carry a bit above their value instead.
    static constexpr bool has_sentinel_keys = inline_key && sizeof(Key) == sizeof(word);
    static bool is_sentinel_key(word key_bits) noexcept { return has_sentinel_keys && key_bits + 2 < 3; }

    static word inline_slot_word(word key_bits) noexcept {
        if constexpr (has_sentinel_keys) {
            return is_sentinel_key(key_bits) ? key_bits ^ sentinel_key_flip : key_bits;
        } else {
            return key_bits | (word{1} << 32);
        }
    }
    static Key key_of(word slot_word, bool in_sentinel_key_bucket) noexcept {
        return from_word<Key>(in_sentinel_key_bucket ? slot_word ^ sentinel_key_flip : slot_word);
    }

    /// Returns a node's address with 16 bits of its hash above. One of these is always set, so that a tagged address
    /// never looks like a link. (User addresses have 48 bits on x86-64 and AArch64.)
    static constexpr int tag_shift = 48;
    static word tagged(const void* node, std::uint64_t hash) noexcept { return address_word(node) | tag_of(hash) << tag_shift; }
    static word tag_of(std::uint64_t hash) noexcept { return (hash | 1) & 0xFFFFU; }
    static bool tag_matches(word slot_word, std::uint64_t hash) noexcept { return slot_word >> tag_shift == tag_of(hash); }
    static void* address(word slot_word) noexcept {
        return reinterpret_cast<void*>(slot_word & ((word{1} << tag_shift) - 1) & ~word{7});
    }

    static bool is_link(word slot_word) noexcept {
        if constexpr (inline_key) {
            return slot_word == link;
        } else {
            return (slot_word & link) != 0; // single: the address of the next line lies in the same word
        }
    }
    static bool is_entry(word slot_word) noexcept {
        if constexpr (inline_key) {
            return slot_word != empty && slot_word < link;
        } else {
            return slot_word >> tag_shift != 0;
        }
    }

    /// What is left of an entry in a table that was taken out of the map: no entry, no sentinel, but the node's address. (Lines
    /// that are free hold addresses without a bit.)
    static constexpr word disowned_bit = 4;
    static word disowned(word slot_word) noexcept { return (slot_word & ((word{1} << tag_shift) - 1)) | disowned_bit; }
    static bool is_disowned(word slot_word) noexcept { return slot_word >> tag_shift == 0 && (slot_word & 7) == disowned_bit; }

private:
    static constexpr word sentinel_key_flip = 0x5555555555555555U;
};

/// 64 bytes of slots. They are searched with vector instructions where the Sync policy has them, else slot by slot. One acquire
/// load reads each word either way.
template <class Layout>
struct alignas(detail::cache_line_bytes) line {
    using Sync = typename Layout::sync;
    using atomic_word = typename Layout::atomic_word;

    atomic_word words[detail::cache_line_bytes / sizeof(word)]{};

    atomic_word* slot(std::size_t i) noexcept { return words + i * Layout::words_per_slot; }
    const atomic_word* slot(std::size_t i) const noexcept { return words + i * Layout::words_per_slot; }

    /// acquire: pairs with the release that published the entry or the sentinel there.
    word slot_word(std::size_t i) const noexcept { return slot(i)->load(std::memory_order_acquire); }

    /// Returns the line to which the last slot leads by a LINK, or null.
    line* next_line() const noexcept {
        const word last = slot_word(Layout::last);
        if (!Layout::is_link(last)) return nullptr;
        if constexpr (Layout::pairs) {
            const auto both = Sync::load_pair(slot(Layout::last));
            return Layout::is_link(both.first) ? reinterpret_cast<line*>(both.second) : nullptr;
        } else {
            return reinterpret_cast<line*>(Layout::address(last));
        }
    }

    // ---- keys that lie in the line ----

    /// Returns whether the line has the key, and writes its value to `value`. It reads both together [I3].
    bool find_pair(word of_key, word& value) const noexcept {
        if constexpr (requires { Sync::find_pair(words, of_key, value); }) {
            return Sync::find_pair(words, of_key, value);
        } else {
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
                if (slot_word(i) != of_key) continue;
                const auto both = Sync::load_pair(slot(i));
                if (both.first != of_key) continue; // erased meanwhile
                value = both.second;
                return true;
            }
            return false;
        }
    }

    /// Returns whether `find_pair_at_once` may be called. It does the same as `find_pair`, inlined.
    static bool finds_at_once() noexcept {
        if constexpr (requires { Sync::finds_pairs_at_once(); }) {
            return Sync::finds_pairs_at_once();
        } else {
            return true;
        }
    }
    bool find_pair_at_once(word of_key, word& value) const noexcept {
        if constexpr (requires { Sync::find_pair_at_once(words, of_key, value); }) {
            return Sync::find_pair_at_once(words, of_key, value);
        } else {
            return find_pair(of_key, value);
        }
    }

    // ---- any entries ----

    /// Returns the slots with this slot word, as bits.
    unsigned match(word wanted) const noexcept {
        if constexpr (Layout::pairs && requires { Sync::match_pairs(words, wanted); }) {
            return Sync::match_pairs(words, wanted);
        } else if constexpr (!Layout::pairs && requires { Sync::match_words(words, wanted); }) {
            return Sync::match_words(words, wanted);
        } else {
            unsigned found = 0;
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i)
                found |= static_cast<unsigned>(slot_word(i) == wanted) << i;
            return found;
        }
    }

    /// Returns the first slot with this slot word, or `slots_per_line`.
    std::size_t first_match(word wanted) const noexcept {
        if constexpr (Layout::pairs || requires { Sync::match_words(words, wanted); }) {
            return static_cast<std::size_t>(std::countr_zero(match(wanted) | 1U << Layout::slots_per_line));
        } else {
            std::size_t i = 0;
            while (i < Layout::slots_per_line && slot_word(i) != wanted) ++i;
            return i;
        }
    }

    /// Returns the slots with an entry, as bits: a hint, where other threads write meanwhile. Of keys that lie in nodes.
    unsigned entries() const noexcept {
        if constexpr (requires { Sync::match_tags(words, std::size_t{}, std::uint64_t{}); }) {
            return ~Sync::match_tags(words, Layout::words_per_slot, 0) & ((1U << Layout::slots_per_line) - 1);
        } else {
            unsigned found = 0;
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i)
                found |= static_cast<unsigned>(Layout::is_entry(slot_word(i))) << i;
            return found;
        }
    }

    /// Returns the slots whose node may have this hash, as bits.
    [[gnu::always_inline]] unsigned match_hash(std::uint64_t hash) const noexcept {
        if constexpr (requires { Sync::match_tags(words, std::size_t{}, std::uint64_t{}); }) {
            return Sync::match_tags(words, Layout::words_per_slot, Layout::tag_of(hash));
        } else {
            unsigned found = 0;
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
                found |= static_cast<unsigned>(Layout::tag_matches(slot_word(i), hash)) << i;
            }
            return found;
        }
    }
};

} // namespace syncmap::engine
