// What each entry of a compact cache carries beside its value, in the same word: how often it was used lately, and which queue
// it is in. The same as entry_state.hpp for entries in nodes.
//
//   | bits    | 63      | 62 to 60                            | 59       | 58              | 57, 56 | 55 to 0   |
//   |---------|---------|-------------------------------------|----------|-----------------|--------|-----------|
//   | of what | nothing | how often the hand passed it, small | is small | is in no sample | uses   | the value |
//
// Every change is a compare-exchange of the whole slot. A change of the queue is never lost. A use may be: it is tried once.
#pragma once

#include <cstddef>
#include <cstdint>

#include <syncmap/cache/entry_state.hpp>
#include <syncmap/marked_map.hpp>

namespace syncmap::cache_detail {

struct compact_state {
    using word = engine::word;

    static constexpr std::size_t value_bytes = 7;
    static constexpr word value_mask = (word{1} << 8 * value_bytes) - 1;

    // ---- words ----

    /// `is_in_sample`: the leaning hears of its key's requests (policy/leaning.hpp).
    static constexpr word begin_in(queue where, bool is_in_sample) noexcept {
        return (where == queue::in_small ? small_bit : 0) | (is_in_sample ? 0 : unsampled_bit);
    }
    static constexpr bool is_small(word w) noexcept { return (w & small_bit) != 0; }
    static constexpr unsigned uses(word w) noexcept { return static_cast<unsigned>((w & uses_mask) >> uses_shift); }
    static constexpr word with_uses(word w, unsigned n) noexcept { return (w & ~uses_mask) | word{n} << uses_shift; }
    /// Whether a read of the entry leaves a trace: it changes the word, or its key is in the sample.
    static constexpr bool notes_use(word w) noexcept {
        return (w & (uses_mask | unsampled_bit)) != (uses_mask | unsampled_bit);
    }
    static constexpr bool counts_use(word w) noexcept { return (w & uses_mask) != uses_mask; }
    static constexpr bool is_in_sample(word w) noexcept { return (w & unsampled_bit) == 0; }
    static constexpr word after_use(word w) noexcept { return w + (word{1} << uses_shift); }
    /// The same entry with another value.
    static constexpr word with_value(word w, word value) noexcept { return (w & ~value_mask) | value; }
    static constexpr bool has_value(word w, word value) noexcept { return ((w ^ value) & value_mask) == 0; }

    // ---- for the table, see engine/table/marked_node.hpp ----

    /// The same queue. What was put under the key meanwhile may leave as well.
    static constexpr bool is_same(word a, word b) noexcept { return is_small(a) == is_small(b); }

    /// The mark of an entry that was seen, for the eviction. `Place`: `engine::inline_sighting`.
    template <class Place>
    class view {
    public:
        explicit view(Place& place) noexcept : place_(place) {}
        view(const view&) = delete;
        view& operator=(const view&) = delete;
        Place& place() const noexcept { return place_; }

        unsigned uses() const noexcept { return compact_state::uses(place_.seen()); }
        void set_uses(unsigned n) noexcept {
            if (uses() != n) static_cast<void>(place_.change(with_uses(place_.seen(), n)));
        }
        queue where() const noexcept { return is_small(place_.seen()) ? queue::in_small : queue::in_main; }
        /// The hand passes a small entry. True after the eighth time: the small queue has lost its name.
        bool pass() noexcept {
            const word before = place_.seen();
            if ((before & passes_mask) == passes_mask) return true;
            static_cast<void>(place_.change(before + (word{1} << passes_shift)));
            return false;
        }
        /// From small to main, with so many uses. False: the entry has changed meanwhile, or left; it has to be looked for
        /// again.
        bool promote(unsigned uses = 0) noexcept {
            return !is_small(place_.seen()) || place_.change(with_uses(place_.seen() & ~(small_bit | passes_mask), uses));
        }

    private:
        Place& place_;
    };

private:
    static constexpr int uses_shift = 56;
    static constexpr int passes_shift = 60;
    static constexpr word uses_mask = word{3} << uses_shift;
    static constexpr word small_bit = word{1} << 59;
    static constexpr word unsampled_bit = word{1} << 58;
    static constexpr word passes_mask = word{7} << passes_shift;
};

/// Values that fit beside that.
template <class T>
concept compact_value = engine::has_small_value<T> && sizeof(T) <= compact_state::value_bytes;

} // namespace syncmap::cache_detail
