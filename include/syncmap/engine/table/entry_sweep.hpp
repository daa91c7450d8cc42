// Sweeping over the entries of a map, bucket by bucket, round after round: for extensions that look at entries in turn.
//
// The position is a hash. A table of any size has its entries in the order of their hashes, so a sweep goes on where it
// was, whatever table the map has by then. A bucket that was moved is looked at where it is now, as readers do. A sweep may
// overlook an entry that moves meanwhile, or meet it twice: the next round sees it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

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
    /// it returns false. `seen` holds the entry for that call. Returns the first hash behind the bucket; 0 behind the last one.
    ///
    /// Progress: lock-free, waits for no thread. `f` may do anything.
    template <class F>
    std::uint64_t sweep_bucket(const visitor& by, std::uint64_t from, F f) const {
        sighting seen(by);
        for (;;) {
            const word root = this->root_.load(std::memory_order_acquire);
            header_type* t = base::table_of(root);
            if (t == nullptr) return 0;
            while (t != nullptr && is_moved(*t, from)) t = t->successor();
            if (t == nullptr) continue; // the map was cleared: it has another root
            const std::size_t bucket = t->bucket_of(from);
            show_entries(root, *t, bucket, seen, f);
            return bucket + 1 == t->buckets() ? 0 : t->first_hash_of(bucket + 1);
        }
    }

    /// Fetches what a sweep will look at that begins there, at this place of the bucket: the next two nodes, and the line of
    /// the next bucket.
    void prefetch_sweep(std::uint64_t from, std::size_t place) const noexcept {
        const header_type* const t = base::table_of(this->root_.load(std::memory_order_acquire));
        if (t == nullptr) return;
        const std::size_t bucket = t->bucket_of(from);
        std::size_t wanted = prefetch_nodes(t->home(bucket), place, 2);
        if (bucket + 1 == t->buckets()) return;
        if (wanted != 0) prefetch_nodes(t->home(bucket + 1), 0, wanted);
        __builtin_prefetch(t->home(bucket + 2 < t->buckets() ? bucket + 2 : bucket + 1).words);
        __builtin_prefetch(t->controls + bucket + 1, 1);
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

    /// Returns how many of so many nodes the line has not.
    static std::size_t prefetch_nodes(const typename Types::line_type& line, std::size_t from, std::size_t wanted) noexcept {
        for (std::size_t i = from; i < layout::slots_per_line && wanted != 0; ++i) {
            if (const word slot_word = line.slot_word(i); layout::is_entry(slot_word)) {
                base::prefetch_node(slot_word);
                --wanted;
            }
        }
        return wanted;
    }

    template <class F>
    void show_entries(word root, header_type& t, std::size_t bucket, sighting& seen, F& f) const {
        std::size_t place = 0;
        auto* line = &t.home(bucket);
        // Under the sweep a line may go to another bucket, and lead on from there: a chain that long is not looked through.
        for (std::size_t seen_lines = 0; line != nullptr && seen_lines < most_lines; line = line->next_line(), ++seen_lines) {
            for (std::size_t i = 0; i < layout::slots_per_line; ++i, ++place) {
                const word slot_word = line->slot_word(i);
                if (!layout::is_entry(slot_word)) continue;
                const bool linked = seen.held_.protect(base::map_core::node_at(slot_word),
                                                       [&] { return line->slot_word(i) == slot_word; }); // [R3]
                if (!linked) continue;
                seen.is_at(root, t, *line->slot(i), slot_word);
                if (!f(seen, place)) return;
            }
        }
    }

    static constexpr std::size_t most_lines = 256;
};

} // namespace syncmap::engine
