// What a live snapshot keeps: the content of the units that were changed since.
//
// A *record* is the content of one unit at the snapshot's instant, made by the first writer that changed the unit after
// it, under the unit's lock. Records are pushed into lists by hash and never taken out before the snapshot's end.
//
// | word                              | written by                                  | read by            |
// |-----------------------------------|---------------------------------------------|--------------------|
// | phase, table, entries, lists' size| before the state is live                    | all                |
// | lists                             | writers (CAS), under a unit's lock          | its readers        |
// | `older`                           | who has the snapshot mutex                  | writers in sections|
// | `kept`                            | `clear`, with the snapshot mutex, once      | its readers        |
#pragma once

#include <cstddef>
#include <cstdint>

#include <syncmap/engine/table/layout.hpp>

namespace syncmap::engine {

/// An entry as it was seen: for inline keys a copy, else a pinned node (and the value beside it).
struct seen_entry {
    word mark;
    word value;
    bool outlier;
};

/// The content of one unit: the entries with hashes from `first` to `last`, or those of the outlier unit.
struct unit_record {
    unit_record* next = nullptr; ///< in its list, or among unused records
    unit_record* next_of_state = nullptr;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    bool outlier = false;
    std::size_t count = 0;
    std::size_t capacity = 0;
    seen_entry* entries = nullptr;

    bool covers(std::uint64_t hash, bool is_outlier) const noexcept {
        return is_outlier ? outlier : !outlier && first <= hash && hash <= last;
    }
};

template <class Header, class Sync>
struct snapshot_state {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    std::uint32_t phase = 0;
    std::uint64_t incarnation = 0;
    std::size_t entries = 0;
    unsigned log2 = 0; ///< of the number of lists; no unit of the map was coarser at the snapshot's instant
    bool mapped = false;
    atomic<unit_record*>* lists = nullptr; ///< one for each hash prefix, and one for the outlier unit
    atomic<snapshot_state*> older{nullptr};
    atomic<unit_record*> records{nullptr}; ///< all of them
    snapshot_state* next_dropped = nullptr; ///< in the control block's list, when it is not live any more
    atomic<Header*> kept{nullptr}; ///< the table that `clear` took out and left to the snapshots of its life

    std::size_t list_count() const noexcept { return (std::size_t{1} << log2) + 1; }
    atomic<unit_record*>& list_of(std::uint64_t hash, bool outlier) const noexcept {
        return lists[outlier ? list_count() - 1 : log2 == 0 ? 0 : static_cast<std::size_t>(hash >> (64 - log2))];
    }

    void push(unit_record& r) noexcept {
        link(records, r, &unit_record::next_of_state);
        link(list_of(r.first, r.outlier), r, &unit_record::next);
    }

    const unit_record* find(std::uint64_t hash, bool outlier) const noexcept {
        const unit_record* r = list_of(hash, outlier).load(std::memory_order_acquire);
        while (r != nullptr && !r->covers(hash, outlier)) r = r->next;
        return r;
    }

private:
    static void link(atomic<unit_record*>& list, unit_record& r, unit_record* unit_record::* next) noexcept {
        unit_record* head = list.load(std::memory_order_relaxed);
        do {
            r.*next = head;
            // release: a reader sees the record whole.
        } while (!list.compare_exchange_weak(head, &r, std::memory_order_release, std::memory_order_relaxed));
    }
};

} // namespace syncmap::engine
