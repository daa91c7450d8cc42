// Requests for keys in the sample [LE1], from the threads that make them to the one that tells the leaning of them.
//
// A thread notes its requests in the ring that its slot number names; threads beyond the eighth share rings. The thread that
// tells takes them out of all rings: one at a time, as leaning.hpp says. All words are read and written with relaxed loads and
// stores. What finds no room is lost, and so is what two threads write at once: hit ratio, never memory safety.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/cache_line.hpp>

namespace syncmap::cache_detail {

/// How a request went. Known: the history has counted the key before.
enum class request : std::uint8_t { hit, known_miss, new_miss };

template <class Sync>
class request_notes {
public:
    /// `slot`: of the calling thread. `name`: of the key, see `sample`.
    void add(std::uint32_t slot, std::uint16_t name, request how) noexcept {
        ring& own = rings_[slot % ring_count];
        const std::uint32_t at = own.added.load(std::memory_order_relaxed);
        if (at - own.taken.load(std::memory_order_relaxed) >= room) return;
        own.notes[at % room].store(static_cast<std::uint32_t>(how) << 16 | name, std::memory_order_relaxed);
        own.added.store(at + 1, std::memory_order_relaxed);
    }

    /// Calls `f(name, request)` for each note, in the order of its thread.
    template <class F>
    void take(F f) noexcept {
        for (ring& each : rings_) {
            const std::uint32_t end = each.added.load(std::memory_order_relaxed);
            std::uint32_t at = each.taken.load(std::memory_order_relaxed);
            if (end - at > room) at = end; // of two threads that share it, one has set it back
            for (; at != end; ++at) {
                const std::uint32_t note = each.notes[at % room].load(std::memory_order_relaxed);
                f(static_cast<std::uint16_t>(note), static_cast<request>(note >> 16));
            }
            each.taken.store(end, std::memory_order_relaxed);
        }
    }

private:
    template <class U>
    using atomic = typename Sync::template atomic<U>;
    static constexpr std::size_t ring_count = 8;
    static constexpr std::uint32_t room = 128; ///< a power of two: positions are counted modulo 2^32

    struct ring {
        alignas(detail::cache_line_bytes) atomic<std::uint32_t> added{0};
        alignas(detail::cache_line_bytes) atomic<std::uint32_t> taken{0};
        atomic<std::uint32_t> notes[room] = {};
    };
    ring rings_[ring_count];
};

} // namespace syncmap::cache_detail
