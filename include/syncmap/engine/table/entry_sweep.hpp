// Sweeping over the entries of a map, bucket by bucket, round after round: for extensions that look at entries in turn.
//
// The position is a hash. A table of any size has its entries in the order of their hashes, so a sweep goes on where it
// was, whatever table the map has by then. A bucket that was moved is looked at where it is now, as readers do. A sweep may
// overlook an entry that moves meanwhile, or meet it twice: the next round sees it.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/prefetch.hpp>
#include <syncmap/engine/table/entry_removal.hpp>

namespace syncmap::engine {

template <class Types>
class entry_sweep : public entry_removal<Types> {
    using base = entry_removal<Types>;

public:
    using base::base;
    using visitor = typename base::visitor;
    using sighting = typename base::sighting;

    /// Calls `f(seen, place)` for the entries of the bucket that has the hash `from`, in the order of their places there, until
    /// it returns false; from the place `first` on. `seen` holds the entry for that call. Returns the first hash behind the
    /// bucket; 0 behind the last one.
    ///
    /// Progress: lock-free, waits for no thread. `f` may do anything.
    template <class F>
    [[gnu::always_inline]] std::uint64_t sweep_bucket(const visitor& by, std::uint64_t from, F f, std::size_t first = 0) const {
        sighting seen(by);
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header_type* t = base::table_of(root);
            if (t == nullptr) return 0;
            while (t != nullptr && is_moved(*t, from)) t = t->successor();
            if (t == nullptr) continue; // the map was cleared: it has another root
            const std::size_t bucket = t->bucket_of(from);
            show_entries(root, *t, bucket, first, seen, f);
            return bucket + 1 == t->buckets() ? 0 : t->first_hash_of(bucket + 1);
        }
    }

    /// Fetches what a sweep will look at that begins there, at this place of the bucket: the next two nodes, and the line of
    /// the next bucket.
    void prefetch_sweep(std::uint64_t from, std::size_t place) const noexcept {
        const header_type* const t = base::table_of(this->root_.load(std::memory_order_acquire));
        if (t == nullptr) return;
        const std::size_t bucket = t->bucket_of(from);
        const std::size_t last = t->buckets() - 1;
        const std::size_t next = bucket < last ? bucket + 1 : last;
        constexpr auto slot_count = static_cast<unsigned>(layout::slots_per_line);
        const unsigned here = t->home(bucket).entries() >> (place < slot_count ? place : slot_count);
        // As bits, the entries from there on, and behind them the next bucket's. Without an entry any slot, so that there is no
        // branch.
        constexpr unsigned any_slot = 1U << (2 * slot_count - 1);
        unsigned entries = here << (place < slot_count ? place : slot_count) | t->home(next).entries() << slot_count | any_slot;
        for (int i = 0; i < 2; ++i) {
            const auto at = static_cast<std::size_t>(std::countr_zero(entries));
            base::prefetch_node(t->home(at < slot_count ? bucket : next).slot_word(at % slot_count));
            entries = (entries & (entries - 1)) | any_slot;
        }
        syncmap::detail::prefetch(t->home(next < last ? next + 1 : last).words);
        syncmap::detail::prefetch_to_write(t->controls + next);
    }

    /// How many buckets a whole round has.
    std::size_t bucket_count() const noexcept {
        const header_type* const t = base::table_of(this->root_.load(std::memory_order_acquire));
        return t == nullptr ? 0 : t->buckets();
    }

private:
    using header_type = typename Types::header;
    using layout = typename Types::layout;

    static bool is_moved(const header_type& t, std::uint64_t hash) noexcept {
        return t.home(t.bucket_of(hash)).slot_word(layout::last) == layout::moved;
    }

    template <class F>
    [[gnu::always_inline]] void show_entries(word root, header_type& t, std::size_t bucket, std::size_t first, sighting& seen,
                                             F& f) const {
        std::size_t begins = 0; // the place of the line's first slot
        auto* line = &t.home(bucket);
        // Under the sweep a line may go to another bucket, and lead on from there: a chain that long is not looked through.
        for (std::size_t seen_lines = 0; line != nullptr && seen_lines < most_lines; line = line->next_line(), ++seen_lines) {
            for (std::size_t i = first > begins ? first - begins : 0; i < layout::slots_per_line; ++i) {
                const word slot_word = line->slot_word(i);
                if (!layout::is_entry(slot_word)) continue;
                const bool linked = seen.held_.protect(base::map_core::node_at(slot_word),
                                                       [&] { return line->slot_word(i) == slot_word; }); // [R3]
                if (!linked) continue;
                seen.is_at(root, t, *line->slot(i), slot_word);
                if (!f(seen, begins + i)) return;
            }
            begins += layout::slots_per_line;
        }
    }

    static constexpr std::size_t most_lines = 256;
};

} // namespace syncmap::engine
