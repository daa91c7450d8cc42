// What a live snapshot keeps: the content of the buckets that were changed since.
//
// A *record* is the content of one bucket at the snapshot's instant, made by the first writer that changed the bucket after
// it, under the bucket's lock. Records are carved from *slabs* of the snapshot's own, so that hardly a write allocates, and
// dropping a snapshot frees a few slabs; they are pushed into lists by hash and never taken out before its end.
//
// | word                               | written by                             | read by             |
// |------------------------------------|----------------------------------------|---------------------|
// | phase, table, entries, lists' size | before the state is live               | all                 |
// | lists, slabs, a slab's `used`      | writers (CAS), under a bucket's lock   | readers; writers    |
// | `older`                            | the thread with the snapshot mutex     | writers in sections |
// | `kept`                             | `clear`, with the snapshot mutex, once | its readers         |
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/layout.hpp>

namespace syncmap::engine {

/// An entry as it was seen: for inline keys a copy, else a pinned node (and the value beside it).
struct seen_entry {
    word slot_word;
    word value;
    bool sentinel_key;
};

/// The content of one bucket: the entries with hashes from `first` to `last`, or those of the sentinel-key bucket. They follow
/// it in memory.
struct bucket_record {
    struct kept_entry {
        word slot_word;
        word value;
    };

    bucket_record* next = nullptr; ///< in its list
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint32_t count = 0;
    bool sentinel_key = false;

    static constexpr std::size_t bytes_for(std::size_t entries) noexcept {
        return sizeof(bucket_record) + entries * sizeof(kept_entry);
    }
    std::size_t bytes() const noexcept { return bytes_for(count); }

    void add(word slot_word, word value) noexcept { ::new (place(count++)) kept_entry{slot_word, value}; }
    seen_entry entry(std::size_t i) const noexcept {
        const kept_entry& e = *std::launder(reinterpret_cast<const kept_entry*>(place(i)));
        return {e.slot_word, e.value, sentinel_key};
    }
    bool covers(std::uint64_t hash, bool is_sentinel_key) const noexcept {
        return is_sentinel_key ? sentinel_key : !sentinel_key && first <= hash && hash <= last;
    }

private:
    const std::byte* place(std::size_t i) const noexcept { return reinterpret_cast<const std::byte*>(this) + bytes_for(i); }
    std::byte* place(std::size_t i) noexcept { return reinterpret_cast<std::byte*>(this) + bytes_for(i); }
};

/// Memory for records, which follows it: they are carved off one after the other and live as long as the slab.
template <class Sync>
struct record_slab {
    record_slab* older = nullptr; ///< of the same snapshot
    std::size_t size = 0;         ///< of the slab and what follows it, in bytes
    typename Sync::template atomic<std::size_t> used{sizeof(record_slab)};

    /// Null: there is no room.
    std::byte* carve(std::size_t bytes) noexcept {
        std::size_t at = used.load(std::memory_order_relaxed);
        do {
            if (size - at < bytes) return nullptr;
            // relaxed: memory that was carved off is this thread's alone; what is put there is published by a list.
        } while (!used.compare_exchange_weak(at, at + bytes, std::memory_order_relaxed, std::memory_order_relaxed));
        return reinterpret_cast<std::byte*>(this) + at;
    }

    /// By the only thread that uses the slab.
    template <class F>
    void each_record(F&& f) noexcept {
        auto* const begin = reinterpret_cast<std::byte*>(this);
        const std::size_t end = used.load(std::memory_order_relaxed);
        for (std::size_t at = sizeof(record_slab); at < end;) {
            bucket_record& r = *std::launder(reinterpret_cast<bucket_record*>(begin + at));
            at += r.bytes();
            f(r);
        }
    }
};

template <class Header, class Sync>
struct snapshot_state {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

    std::uint32_t phase = 0;
    std::uint64_t generation = 0;
    std::size_t entries = 0;
    unsigned log2 = 0; ///< of the number of lists; no bucket of the map was coarser at the snapshot's instant
    bool mapped = false;
    atomic<bucket_record*>* lists = nullptr; ///< one for each hash prefix, and one for the sentinel-key bucket
    atomic<snapshot_state*> older{nullptr};
    atomic<record_slab<Sync>*> slabs{nullptr}; ///< newest first
    snapshot_state* next_dropped = nullptr; ///< in the control block's list, when it is not live any more
    atomic<Header*> kept{nullptr}; ///< the table that `clear` took out and left to the snapshots of its generation

    std::size_t list_count() const noexcept { return (std::size_t{1} << log2) + 1; }
    atomic<bucket_record*>& list_of(std::uint64_t hash, bool sentinel_key) const noexcept {
        return lists[sentinel_key ? list_count() - 1 : log2 == 0 ? 0 : static_cast<std::size_t>(hash >> (64 - log2))];
    }

    /// Room for a record in the newest slab; null: there is none.
    std::byte* carve(std::size_t bytes) noexcept {
        // acquire: pairs with the release of the thread that added it, for its size.
        auto* const newest = slabs.load(std::memory_order_acquire);
        return newest == nullptr ? nullptr : newest->carve(bytes);
    }
    /// The size of the next slab: they double, so that what is kept for a few changes is little.
    std::size_t next_slab_bytes() const noexcept {
        auto* const newest = slabs.load(std::memory_order_acquire); // as in carve
        return detail::lesser(newest == nullptr ? Sync::first_slab_bytes : 2 * newest->size, Sync::most_slab_bytes);
    }
    void add(record_slab<Sync>& slab) noexcept { link(slabs, slab, &record_slab<Sync>::older); }

    void push(bucket_record& r) noexcept { link(list_of(r.first, r.sentinel_key), r, &bucket_record::next); }

    const bucket_record* find(std::uint64_t hash, bool sentinel_key) const noexcept {
        const bucket_record* r = list_of(hash, sentinel_key).load(std::memory_order_acquire);
        while (r != nullptr && !r->covers(hash, sentinel_key)) r = r->next;
        return r;
    }

private:
    template <class Link>
    static void link(atomic<Link*>& list, Link& l, Link* Link::* next) noexcept {
        Link* head = list.load(std::memory_order_relaxed);
        do {
            l.*next = head;
            // release: a reader sees the record whole, a writer the slab.
        } while (!list.compare_exchange_weak(head, &l, std::memory_order_release, std::memory_order_relaxed));
    }
};

} // namespace syncmap::engine
