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

    explicit node_base(std::uint64_t h) noexcept : hash(h) {}

    std::uint64_t hash; ///< constant while other threads can find the node
    union {
        node_base* next_retired = nullptr; ///< written by who retires it, then by the scan
        std::uint64_t next_hash;           ///< while the node goes over to another map
    };
    typename Sync::template atomic<std::uint32_t> pins{0};

    /// For another life of its memory, by who has it for himself.
    void renew(std::uint64_t h) noexcept {
        hash = h;
        next_retired = nullptr;
        pins.store(0, std::memory_order_relaxed);
    }

    void pin() noexcept {
        // relaxed: the caller holds the node otherwise, and clears that hold (release) after this.
        pins.fetch_add(one_pin, std::memory_order_relaxed);
    }
    /// True: the caller was the last holder of a node that was handed to it, and destroys it.
    [[nodiscard]] bool unpin() noexcept {
        // release: this thread's accesses happen before the destruction; acquire: so do all others'.
        return pins.fetch_sub(one_pin, std::memory_order_acq_rel) == (one_pin | handed);
    }
    /// Called once, by the scan, after it saw no hazard on the node. True: nobody has a pin, destroy it.
    [[nodiscard]] bool hand_over() noexcept {
        return pins.fetch_or(handed, std::memory_order_acq_rel) == 0;
    }
};

/// A hold of one thread on one node at a time: a hazard. Nested operations (a callback that uses the map) take
/// the next free hazard of the thread's row, and a further row when that one is full.
template <class Sync>
class hold {
public:
    explicit hold(row<Sync>& own) : row_(&own) { find_free(); }
    /// A second hold of the same operation, while the first may hold nothing yet.
    hold(row<Sync>& own, const hold& first) : row_(&own), index_(first.row_ == &own ? first.index_ + 1 : 0) { find_free(); }
    hold(const hold&) = delete;
    hold& operator=(const hold&) = delete;
    ~hold() {
        drop();
        if (borrowed_) domain<Sync>::give_back(*row_);
    }

    /// Holds `p` if `still_linked()` is true after the hazard became visible. Pairs with the heavy barrier
    /// between unlinking and reading the hazards: either the reclaimer sees the hazard, or this sees the unlinking.
    template <class StillLinked>
    bool protect(const void* p, StillLinked still_linked) noexcept {
        // release: what this thread read in the node it held before happens before that one's destruction.
        row_->hazard[index_].store(p, std::memory_order_release);
        Sync::light_barrier();
        return still_linked();
    }

    /// The thread holds nothing else: this is the first hazard of its own row.
    bool is_first() const noexcept { return index_ == 0 && !borrowed_; }

    void drop() noexcept { row_->hazard[index_].store(nullptr, std::memory_order_release); }

private:
    /// The first free one, so that a signal handler that interrupts a reader leaves its hazard alone.
    void find_free() {
        for (;; ++index_) {
            if (index_ == row<Sync>::hazards) {
                row_ = &row_->home->take();
                borrowed_ = true;
                index_ = 0;
            }
            if (row_->hazard[index_].load(std::memory_order_relaxed) == nullptr) return;
        }
    }

    row<Sync>* row_;
    std::size_t index_ = 0;
    bool borrowed_ = false;
};

} // namespace syncmap::reclaim
