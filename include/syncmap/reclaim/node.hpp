// What a node carries for its reclamation, and how a thread holds one.
//
// State of `pins`: a count in the upper bits and one flag, HANDED. The scan destroys a node that has no hazard and no pin. If
// the node is pinned, the scan sets HANDED in the same read-modify-write that saw the pins; the thread that removes the last
// pin then destroys the node. Exactly one of the two does (models: pin).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/reclaim/domain.hpp>

namespace syncmap::reclaim {

/// Aligned also where addresses have 32 bits: the engine keeps marks in the lowest three bits of a node's address.
template <class Sync>
struct alignas(8) node_base {
    static constexpr std::uint32_t handed = 1;
    static constexpr std::uint32_t one_pin = 2;

    explicit node_base(std::uint64_t l) noexcept : label(l) {}

    std::uint64_t label; ///< what the engine knows its node by; constant while other threads can find the node
    union {
        node_base* next_retired = nullptr; ///< written by the thread that retires the node, then by the scan
        std::uint64_t next_label;          ///< the engine's, while no thread has retired the node
    };
    typename Sync::template atomic<std::uint32_t> pins{0};

    /// Prepares the memory for another node. Called by the only thread that can reach it.
    void renew(std::uint64_t l) noexcept {
        label = l;
        next_retired = nullptr;
        pins.store(0, std::memory_order_relaxed);
    }

    void pin() noexcept {
        // relaxed: the caller holds the node by a hazard, which it clears after this with the release of (5), or no other
        // thread can reach the node.
        pins.fetch_add(one_pin, std::memory_order_relaxed);
    }
    /// Returns true if this was the last pin of a node that is HANDED: the caller destroys the node.
    [[nodiscard]] bool unpin() noexcept {
        // (1) release: pairs with the acquire of (1), (2) and (3); without it the node may be destroyed during this thread's
        // last access. acquire: pairs with the releases of (1) and (3); without it this thread may destroy the node during
        // another thread's access.
        return pins.fetch_sub(one_pin, std::memory_order_acq_rel) == (one_pin | handed);
    }
    /// Returns true if the node has no pin: the scan destroys it. Called once, by the scan, after it saw no hazard on the node.
    [[nodiscard]] bool hand_over() noexcept {
        // (2) acquire: pairs with the release of the last unpin (1). A node that no thread can reach and that has no pin gets
        // none any more: a thread that pins a node holds it by a hazard until after the pin, and the scan saw no hazard.
        if (pins.load(std::memory_order_acquire) == 0) [[likely]]
            return true;
        return pins.fetch_or(handed, std::memory_order_acq_rel) == 0; // (3) pairs with (1), both ways
    }
};

/// Holds one node at a time for one thread, by a hazard. A nested operation (a callback that uses the map) takes the next free
/// hazard of the thread's hazard record. When that one is full, it takes a further hazard record.
template <class Sync>
class hazard_guard {
public:
    [[gnu::always_inline]] explicit hazard_guard(hazard_record<Sync>& own) : hazard_record_(&own), hazard_(own.hazard) {
        if (!is_free()) [[unlikely]]
            look_further();
    }
    /// Makes a second hazard guard of the same operation. The first one may hold nothing yet, so that its hazard looks free.
    hazard_guard(hazard_record<Sync>& own, const hazard_guard& first)
        : hazard_record_(&own), hazard_(first.hazard_record_ == &own ? first.hazard_ + 1 : own.hazard) {
        if (is_behind() || !is_free()) look_further();
    }
    hazard_guard(const hazard_guard&) = delete;
    hazard_guard& operator=(const hazard_guard&) = delete;
    [[gnu::always_inline]] ~hazard_guard() {
        drop();
        if (borrowed_) [[unlikely]]
            domain<Sync>::give_back(*hazard_record_);
    }

    /// Holds `p` if `still_linked()`, called after the hazard became visible, returns true. The light barrier pairs with the
    /// heavy barrier of held_nodes::look(), which lies between the unlinking and the look at the hazards. So either the
    /// reclaimer sees the hazard, or this thread sees the unlinking.
    template <class StillLinked>
    [[gnu::always_inline]] bool protect(const void* p, StillLinked still_linked) noexcept {
        // (4) release: pairs with the acquire of (4) in domain::hazards(); without it the node that the hazard named before
        // may be destroyed during this thread's last read of it.
        hazard_->store(p, std::memory_order_release);
        Sync::light_barrier();
        return still_linked();
    }

    /// Returns whether this is the first hazard of the thread's own hazard record: the thread then holds nothing else.
    bool is_first() const noexcept { return hazard_ == hazard_record_->hazard && !borrowed_; }

    void drop() noexcept { hazard_->store(nullptr, std::memory_order_release); } // (5) release: as (4)

private:
    /// Chooses the first free hazard, so that a signal handler that interrupts a reader leaves the reader's hazard unchanged.
    [[gnu::cold, gnu::noinline]] void look_further() {
        do {
            if (is_behind()) {
                hazard_record_ = &hazard_record_->home->take();
                borrowed_ = true;
                hazard_ = hazard_record_->hazard;
            } else {
                ++hazard_;
            }
        } while (is_behind() || !is_free());
    }
    bool is_behind() const noexcept { return hazard_ == hazard_record_->hazard + hazard_record<Sync>::hazards; }
    bool is_free() const noexcept { return hazard_->load(std::memory_order_relaxed) == nullptr; }

    hazard_record<Sync>* hazard_record_;
    typename Sync::template atomic<const void*>* hazard_;
    bool borrowed_ = false;
};

} // namespace syncmap::reclaim
