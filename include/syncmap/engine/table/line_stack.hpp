// Overflow lines that no bucket uses.
#pragma once

#include <cstddef>

#include <syncmap/engine/table/layout.hpp>

namespace syncmap::engine {

/// Their slots are all EMPTY, and no LINK leads to them.
///
/// A stack. Any thread pushes at any time. One thread at a time pops, and POPPING is set meanwhile. No other thread removes a
/// line then, so a line that the popping thread reads cannot return under another one. A thread that finds POPPING spins for
/// about a microsecond. Then it takes the turn, which gets the next number. The thread that had the turn notices that when it
/// removes a line. So a stopped thread keeps no other thread from the lines. (The numbers repeat after two million turns, of as
/// many stopped threads. To do harm, one of these would have to be stopped all that time.)
template <class Layout, class Sync>
class line_stack {
public:
    using line_type = line<Layout>;

    line_type* pop() noexcept {
        word top = top_.load(std::memory_order_relaxed);
        for (int looks = 0; line_at(top) != nullptr;) {
            if ((top & popping) != 0 && looks < Sync::spins_before_sleep) {
                ++looks;
                Sync::pause();
                top = top_.load(std::memory_order_relaxed);
                continue;
            }
            const word mine = ((top & popping) != 0 ? next_turn(top) : top) | popping;
            // (1) acquire: pairs with the release of (2) in push(); without it this thread may see a line's slots before they
            // are EMPTY, or miss the line below it.
            if (!top_.compare_exchange_weak(top, mine, std::memory_order_acquire, std::memory_order_relaxed)) continue;
            if (line_type* const l = pop_in_turn(mine, top)) return l;
        }
        return nullptr;
    }

    void push(line_type& l) noexcept {
        word top = top_.load(std::memory_order_relaxed);
        do {
            below(l).store(top & address_bits, std::memory_order_release);
            // (2) release: pairs with the acquire of (1) and (3).
        } while (!top_.compare_exchange_weak(top, with_address(top, address_word(&l)), std::memory_order_release,
                                             std::memory_order_relaxed));
    }

    void forget() noexcept { top_.store(0, std::memory_order_relaxed); }

private:
    static constexpr word popping = 1;
    static constexpr word address_bits = (word{1} << Layout::tag_shift) - alignof(line_type);
    /// The turn: the bits beside the address and POPPING. A carry out of the lower part goes to the upper one.
    static constexpr word lower_turn = alignof(line_type) - 1 - popping;
    static_assert(lower_turn != 0 && Layout::tag_shift == 48);

    /// Returns the line that it has removed. Null: another thread has taken the turn; `top` is the present word.
    line_type* pop_in_turn(word mine, word& top) noexcept {
        top = mine;
        do {
            line_type* const l = line_at(top);
            const word under = below(*l).load(std::memory_order_relaxed);
            // (3) acquire: pairs with (2), where this fails because a thread has pushed another line. (Where it succeeds, later
            // threads still see earlier pushes: every change of the word is a read-modify-write.)
            if (top_.compare_exchange_weak(top, with_address(top, under) & ~popping, std::memory_order_acquire)) {
                below(*l).store(Layout::empty, std::memory_order_release);
                return l;
            }
        } while (((top ^ mine) & ~address_bits) == 0);
        return nullptr;
    }

    static line_type* line_at(word top) noexcept { return reinterpret_cast<line_type*>(top & address_bits); }
    static word with_address(word top, word address) noexcept { return (top & ~address_bits) | (address & address_bits); }
    static word next_turn(word top) noexcept {
        const word lower = ((top & lower_turn) + 2 * popping) & lower_turn;
        const word upper = (top >> Layout::tag_shift) + (lower == 0 ? 1 : 0);
        return upper << Layout::tag_shift | (top & (address_bits | popping)) | lower;
    }
    /// The link of the stack lies in the second word of a line. A reader may still be in the line. It takes the link for the
    /// value of an EMPTY slot (pairs), or for a slot word that is no entry and, outside of the last slot, no LINK. That reader
    /// must see that the entry which was there has moved to the home line before [I2]: hence the release of these stores.
    static auto& below(line_type& l) noexcept { return l.words[1]; }

    typename Layout::atomic_word top_{0};
};

} // namespace syncmap::engine
