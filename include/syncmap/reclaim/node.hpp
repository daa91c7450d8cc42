// What a node carries for its reclamation, and how a thread holds one.
//
// State of `pins`: a count in the upper bits and one flag, HANDED. A node is destroyed by the scan that finds
// it unheld and unpinned; if it is pinned then, the scan sets HANDED in the same read-modify-write that saw the
// pins, and who removes the last pin destroys it. Exactly one of the two does (models: pin).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/reclaim/domain.hpp>

namespace syncmap::reclaim {

template <class Sync>
struct node_base {
    static constexpr std::uint32_t handed = 1;
    static constexpr std::uint32_t one_pin = 2;

    explicit node_base(std::uint64_t l) noexcept : label(l) {}

    std::uint64_t label; ///< what the engine knows its node by; constant while other threads can find the node
    union {
        node_base* next_retired = nullptr; ///< written by who retires it, then by the scan
        std::uint64_t next_label;          ///< the engine's, while no thread has retired the node
    };
    typename Sync::template atomic<std::uint32_t> pins{0};

    /// For another life of its memory, by who has it for himself.
    void renew(std::uint64_t l) noexcept {
        label = l;
        next_retired = nullptr;
        pins.store(0, std::memory_order_relaxed);
    }

    void pin() noexcept {
        // relaxed: the caller holds the node otherwise, and clears that hazard guard (release) after this.
        pins.fetch_add(one_pin, std::memory_order_relaxed);
    }
    /// True: the caller was the last holder of a node that was handed to it, and destroys it.
    [[nodiscard]] bool unpin() noexcept {
        // release: this thread's accesses happen before the destruction; acquire: so do all others'.
        return pins.fetch_sub(one_pin, std::memory_order_acq_rel) == (one_pin | handed);
    }
    /// Called once, by the scan, after it saw no hazard on the node. True: nobody has a pin, destroy it.
    [[nodiscard]] bool hand_over() noexcept {
        // acquire: pairs with the release of the last unpin. A node that is out of reach and has no pin gets none any more:
        // a thread that pinned it held it until after the pin, and that hazard guard is gone.
        if (pins.load(std::memory_order_acquire) == 0) [[likely]]
            return true;
        return pins.fetch_or(handed, std::memory_order_acq_rel) == 0;
    }
};

/// A hazard guard of one thread on one node at a time: a hazard. Nested operations (a callback that uses the map) take
/// the next free hazard of the thread's hazard record, and a further hazard record when that one is full.
template <class Sync>
class hazard_guard {
public:
    explicit hazard_guard(hazard_record<Sync>& own) : hazard_record_(&own), hazard_(own.hazard) { find_free(); }
    /// A second hazard guard of the same operation, while the first may hold nothing yet.
    hazard_guard(hazard_record<Sync>& own, const hazard_guard& first)
        : hazard_record_(&own), hazard_(first.hazard_record_ == &own ? first.hazard_ + 1 : own.hazard) {
        find_free();
    }
    hazard_guard(const hazard_guard&) = delete;
    hazard_guard& operator=(const hazard_guard&) = delete;
    ~hazard_guard() {
        drop();
        if (borrowed_) domain<Sync>::give_back(*hazard_record_);
    }

    /// Holds `p` if `still_linked()` is true after the hazard became visible. Pairs with the heavy barrier
    /// between unlinking and reading the hazards: either the reclaimer sees the hazard, or this sees the unlinking.
    template <class StillLinked>
    bool protect(const void* p, StillLinked still_linked) noexcept {
        // release: what this thread read in the node it held before happens before that one's destruction.
        hazard_->store(p, std::memory_order_release);
        Sync::light_barrier();
        return still_linked();
    }

    /// The thread holds nothing else: this is the first hazard of its own hazard record.
    bool is_first() const noexcept { return hazard_ == hazard_record_->hazard && !borrowed_; }

    void drop() noexcept { hazard_->store(nullptr, std::memory_order_release); }

private:
    /// The first free one, so that a signal handler that interrupts a reader leaves its hazard alone.
    void find_free() {
        if (!is_free()) [[unlikely]]
            look_further();
    }
    [[gnu::cold, gnu::noinline]] void look_further() {
        do {
            if (is_behind()) {
                hazard_record_ = &hazard_record_->home->take();
                borrowed_ = true;
                hazard_ = hazard_record_->hazard;
            } else {
                ++hazard_;
            }
        } while (!is_free());
    }
    bool is_behind() const noexcept { return hazard_ == hazard_record_->hazard + hazard_record<Sync>::hazards; }
    bool is_free() const noexcept { return !is_behind() && hazard_->load(std::memory_order_relaxed) == nullptr; }

    hazard_record<Sync>* hazard_record_;
    typename Sync::template atomic<const void*>* hazard_;
    bool borrowed_ = false;
};

} // namespace syncmap::reclaim
