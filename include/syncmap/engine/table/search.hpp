// The search of one line: with vector instructions where the Sync policy has them, else slot by slot. One acquire load reads
// each word either way.
#pragma once

#include <syncmap/engine/table/layout.hpp>

namespace syncmap::engine {

template <class Layout, class Sync>
struct search {
    using line_type = line<Layout>;

    /// Pairs with inline keys: returns whether the line has the key, and writes its value to `value`. It reads both together
    /// [I3].
    static bool find_pair(const line_type& l, word slot_word, word& value) noexcept {
        if constexpr (requires { Sync::find_pair(l.words, slot_word, value); }) {
            return Sync::find_pair(l.words, slot_word, value);
        } else {
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
                if (l.slot_word(i) != slot_word) continue;
                const auto both = Sync::load_pair(l.slot(i));
                if (both.first != slot_word) continue; // erased meanwhile
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
    static bool find_pair_at_once(const line_type& l, word slot_word, word& value) noexcept {
        if constexpr (requires { Sync::find_pair_at_once(l.words, slot_word, value); }) {
            return Sync::find_pair_at_once(l.words, slot_word, value);
        } else {
            return find_pair(l, slot_word, value);
        }
    }

    /// Returns the slots with this slot word, as bits.
    static unsigned match(const line_type& l, word slot_word) noexcept {
        if constexpr (Layout::pairs && requires { Sync::match_pairs(l.words, slot_word); }) {
            return Sync::match_pairs(l.words, slot_word);
        } else {
            unsigned found = 0;
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i)
                found |= static_cast<unsigned>(l.slot_word(i) == slot_word) << i;
            return found;
        }
    }

    /// Returns the first slot with this slot word, or `slots_per_line`.
    static std::size_t first_match(const line_type& l, word slot_word) noexcept {
        if constexpr (Layout::pairs) {
            return static_cast<std::size_t>(std::countr_zero(match(l, slot_word) | 1U << Layout::slots_per_line));
        } else {
            std::size_t i = 0;
            while (i < Layout::slots_per_line && l.slot_word(i) != slot_word) ++i;
            return i;
        }
    }

    /// Returns the slots whose node may have this hash, as bits.
    static unsigned match_hash(const line_type& l, std::uint64_t hash) noexcept {
        if constexpr (requires { Sync::match_tags(l.words, std::size_t{}, std::uint64_t{}); }) {
            return Sync::match_tags(l.words, Layout::words_per_slot, Layout::tag_of(hash));
        } else {
            unsigned found = 0;
            for (std::size_t i = 0; i < Layout::slots_per_line; ++i) {
                found |= static_cast<unsigned>(Layout::tag_matches(l.slot_word(i), hash)) << i;
            }
            return found;
        }
    }
};

} // namespace syncmap::engine
