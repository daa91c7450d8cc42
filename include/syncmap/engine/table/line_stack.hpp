// Overflow lines that no bucket uses.
#pragma once

#include <cstddef>

#include <syncmap/engine/table/layout.hpp>

namespace syncmap::engine {

/// All of them have only EMPTY slots, and no LINK leads to them.
///
/// A stack, to which threads push as they come, and from which one at a time pops: it has POPPING set meanwhile. A line
/// that it looks at cannot come back under another one, since nobody else removes any. A thread that finds POPPING looks
/// again for about a microsecond. Then it takes the turn: its own is the next one, and the thread that had the turn finds
/// that out when it wants to remove a line. So a stopped thread keeps nobody from the lines. (A turn would come again if
/// two million threads were stopped with it, while one of them is.)
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
            // acquire: pairs with push; the lines' slots are seen EMPTY, and what is below them.
            if (!top_.compare_exchange_weak(top, mine, std::memory_order_acquire, std::memory_order_relaxed)) continue;
            if (line_type* const l = pop_in_turn(mine, top)) return l;
        }
        return nullptr;
    }

    void push(line_type& l) noexcept {
        word top = top_.load(std::memory_order_relaxed);
        do {
            below(l).store(top & address_bits, std::memory_order_release);
        } while (!top_.compare_exchange_weak(top, with_address(top, reinterpret_cast<word>(&l)), std::memory_order_release,
                                             std::memory_order_relaxed));
    }

    void forget() noexcept { top_.store(0, std::memory_order_relaxed); }

private:
    static constexpr word popping = 1;
    static constexpr word address_bits = (word{1} << Layout::tag_shift) - alignof(line_type);
    /// The turn: what is beside the address and POPPING, its upper part where a carry out of the lower one goes.
    static constexpr word lower_turn = alignof(line_type) - 1 - popping;
    static_assert(lower_turn != 0 && Layout::tag_shift == 48);

    /// Null: another thread has taken the turn; `top` is what there is now.
    line_type* pop_in_turn(word mine, word& top) noexcept {
        top = mine;
        do {
            line_type* const l = line_at(top);
            const word under = below(*l).load(std::memory_order_relaxed);
            // acquire: pairs with push, by which another line lies on top, where this fails. (Where it does not, a later
            // thread sees what was pushed before all the same: every change of the word is a read-modify-write.)
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
    /// The stack runs through the second word of its lines. A reader that still wanders there takes it for the
    /// value of an empty slot (pairs), or for a slot word that is no entry and, outside of the last slot, no link. Then it must
    /// see that the entry which was there has moved to the home line before [I2]: hence the release of these stores.
    static auto& below(line_type& l) noexcept { return l.words[1]; }

    typename Layout::atomic_word top_{0};
};

} // namespace syncmap::engine
