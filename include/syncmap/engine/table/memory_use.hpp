// How much memory a map has: its tables, the nodes of its entries, what waits to be freed. For extensions of the map.
//
// No write counts for it. Tables are few. The nodes are known where all have one size; else their mean is that of a sample.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <syncmap/engine/table/later_clear.hpp>

namespace syncmap::engine {

template <class Types>
class memory_use : public later_clear<Types> {
    using base = later_clear<Types>;
    using Sync = typename Types::sync;
    using header_type = typename Types::header;
    using control_type = typename Types::control;

public:
    using base::base;
    using visitor = typename base::visitor;
    using sighting = typename base::sighting;

    /// Returns how many bytes the map's tables, overflow lines and garbage take. Beside a resize or a clear it may lack one of
    /// their tables. Progress: waits for no thread.
    std::size_t bytes_beside_entries(visitor& by) noexcept {
        control_type& c = by.control_;
        const auto figures = this->stats();
        std::size_t bytes = sizeof(control_type) + *figures.garbage_bytes;
        if (const auto* const rare = c.rare_or_null()) {
            for (auto* l = rare->all_spare_lines.load(std::memory_order_acquire); l != nullptr; l = l->next) bytes += sizeof *l;
        }
        // Memory of a table stays a table's while the map lives.
        for (const header_type* t = base::table_of(this->root_.load(std::memory_order_acquire)); t != nullptr;
             t = t->successor())
            bytes += base::table_bytes(t->log2());
        return bytes + this->cleared_bytes() + base::former_bytes(c);
    }

    /// Returns about how many bytes the nodes of so many entries take, with what their keys and values own. Looks at a few
    /// thousand entries at most: at all, where there are no more. Progress: lock-free.
    std::size_t bytes_of_entries(visitor& by, std::size_t entries) const
        requires(base::entries_are_nodes)
    {
        const std::size_t buckets = this->bucket_count();
        if (buckets == 0) return entries * sizeof(typename Types::node);
        std::size_t seen_entries = 0;
        std::size_t seen_bytes = 0;
        const std::size_t looks = (std::min)(buckets, most_buckets);
        const std::uint64_t step = ~std::uint64_t{0} / looks;
        std::uint64_t at = 0;
        for (std::size_t i = 0; i < looks; ++i) {
            const std::uint64_t next = this->sweep_bucket(by, at, [&](sighting& seen, std::size_t) {
                const std::size_t owned = seen->owned_bytes();
                ++seen_entries;
                seen_bytes += seen->block_bytes() + (owned == unknown_bytes ? 0 : owned);
                return true;
            });
            if (next == 0) break;
            at = looks == buckets ? next : (i + 1) * step;
        }
        if (seen_entries == 0) return entries * sizeof(typename Types::node);
        if (entries == seen_entries) return seen_bytes;
        return static_cast<std::size_t>(static_cast<double>(seen_bytes) / static_cast<double>(seen_entries) *
                                        static_cast<double>(entries));
    }

private:
    static constexpr std::size_t most_buckets = 1024;
};

} // namespace syncmap::engine
