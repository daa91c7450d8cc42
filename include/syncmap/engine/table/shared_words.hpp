// What the writers of one map share that depends neither on its keys nor on its values: the part of the control block
// that `fork` looks after (living_maps.hpp), from whichever library.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <syncmap/engine/process.hpp>
#include <syncmap/engine/table/gate.hpp>
#include <syncmap/engine/table/stripe.hpp>
#include <syncmap/hash.hpp>

namespace syncmap::engine {

template <class Sync>
class living_maps;

template <class Sync>
struct shared_words {
    using stripe_type = stripe<Sync>;
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    /// Bit of the root: the process is about to fork; no section begins [F2].
    static constexpr word forking = 1;

    // Read by every write, written rarely.
    alignas(detail::cache_line_bytes) atomic<gate::word> gate_word{0};
    atomic<std::uint32_t> sleepers{0}; ///< writers asleep on some unit of this map
    hash_seed seed;
    process<Sync>* home = nullptr; ///< constant once published

    /// Running computations by hash (design 6).
    static constexpr std::size_t computing_counters = 32;
    alignas(detail::cache_line_bytes) atomic<std::uint32_t> computing[computing_counters]{};
    atomic<std::uint32_t>& computing_of(std::uint64_t hash) noexcept { return computing[hash % computing_counters]; }

    /// Only who has it touches the retired nodes of all threads.
    alignas(detail::cache_line_bytes) atomic<bool> scanning{false};
    /// Only who has it touches the lists of tables that are not in use.
    atomic<bool> tidying{false};
    /// The list of live snapshots is changed by who has it; taken by `snapshot_turn` alone.
    typename Sync::mutex snapshot_mutex{};

    // ---- in the list of living maps, under its mutex ----
    living_maps<Sync>* list = nullptr; ///< constant once published
    atomic<word>* root = nullptr;      ///< of the map; constant once published
    shared_words* previous = nullptr;
    shared_words* following = nullptr;

    // ---- stripes, by thread slot: 2, then 2, 4, 8, … more, to four million at once ----
    static constexpr std::size_t first_stripes = 2;
    static constexpr std::size_t chunks = 21;
    stripe_type first[first_stripes];
    atomic<stripe_type*> chunk[chunks]{};

    static std::size_t chunk_of(std::size_t slot) noexcept {
        return static_cast<std::size_t>(std::bit_width(slot / first_stripes)) - 1;
    }
    static std::size_t chunk_size(std::size_t c) noexcept { return first_stripes << c; }

    std::size_t stripe_count() const noexcept {
        std::size_t count = first_stripes;
        for (std::size_t c = 0; c < chunks; ++c) {
            if (chunk[c].load(std::memory_order_relaxed) != nullptr) count += chunk_size(c);
        }
        return count;
    }

    /// Calls `f(stripe)` for every stripe that a thread has used so far.
    template <class F>
    void each_stripe(F&& f) {
        for (stripe_type& s : first) f(s);
        for (std::size_t c = 0; c < chunks; ++c) {
            stripe_type* const more = chunk[c].load(std::memory_order_acquire);
            for (std::size_t i = 0; more != nullptr && i < chunk_size(c); ++i) f(more[i]);
        }
    }
};

} // namespace syncmap::engine
