// The gate: one word by which the whole-map operations tell all writers what to mind.
//
//   bit 0        COUNTING: `size` could not finish; inserts and erases let it go first, once (progress only)
//   bit 1        CUTTING: `snapshot` is finding its instant; no write may be published
//   bits 2..31   ticket: one more with every closing and opening, so that no thread opens what another has closed
//   bits 32..63  the phase of the newest live snapshot, 0 for none
//
// A writer reads it under its bucket's lock, in its section, by one load. Closing is a deadline: a writer that has waited
// too long opens the gate. Then the attempt of the thread that closed it is void; the ticket tells that thread.
#pragma once

#include <cstdint>

namespace syncmap::engine {

struct gate {
    using word = std::uint64_t;

    static constexpr word counting = 1;
    static constexpr word cutting = 2;
    static constexpr word one_ticket = 4;
    static constexpr word ticket_mask = (word{1} << 32) - one_ticket;
    static constexpr int phase_shift = 32;

    static constexpr bool is_open(word g) noexcept { return (g & (counting | cutting)) == 0; }
    static constexpr std::uint32_t ticket(word g) noexcept { return static_cast<std::uint32_t>(g & ticket_mask); }
    static constexpr std::uint32_t newest_phase(word g) noexcept { return static_cast<std::uint32_t>(g >> phase_shift); }

    /// Returns whether no live snapshot lacks the content of a bucket with this stamp [P1].
    static constexpr bool is_preserved(std::uint32_t stamp, word g) noexcept { return stamp >= newest_phase(g); }

    static constexpr word closed(word open, word why) noexcept { return next_ticket(open) | why; }
    static constexpr word opened(word shut) noexcept { return next_ticket(shut & ~(counting | cutting)); }
    static constexpr word with_newest(word g, std::uint32_t phase) noexcept {
        return (g & ((word{1} << phase_shift) - 1)) | static_cast<word>(phase) << phase_shift;
    }

private:
    static constexpr word next_ticket(word g) noexcept { return (g & ~ticket_mask) | ((g + one_ticket) & ticket_mask); }
};

} // namespace syncmap::engine
