// Figures of a map for `stats()`. No write counts for them, but one that starts a resize or sleeps.
#pragma once

#include <cstddef>

#include <syncmap/engine/table/resizer.hpp>
#include <syncmap/stats.hpp>

namespace syncmap::engine {

template <class Types>
class statistics {
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using control = typename Types::control;
    using header = typename Types::header;
    using node = typename Types::node;
    using thread_record_type = typename control::thread_record_type;

public:
    using map_type = core<Types>;

    static map_stats of(const map_type& map) noexcept {
        map_stats all;
        all.overflow_lines = all.garbage_bytes = 0;
        all.resizes = all.waits = 0;
        control* const c = map.control_.load(std::memory_order_acquire);
        if (c == nullptr) return all;
        std::size_t spare = 0;
        if (const auto* const rare = c->rare_or_null()) {
            for (auto* l = rare->all_spare_lines.load(std::memory_order_acquire); l != nullptr; l = l->next) ++spare;
            retirement<Types>::each_lent_line(*c, [&](const auto&) { ++spare; });
            all.resizes = rare->resizes.load(std::memory_order_relaxed);
            all.waits = rare->waits.load(std::memory_order_relaxed);
        }
        // Memory of a table stays a table's while the map lives.
        if (const header* const t = map_type::table_of(map.root_.load(std::memory_order_acquire))) {
            all.entries = resizer<Types>::counted_entries(*c, *t);
            all.buckets = t->buckets();
            all.places = all.buckets * Layout::slots_per_line;
            all.load = static_cast<double>(all.entries) / static_cast<double>(all.places);
            all.overflow_lines = t->overflow_lines_used() + spare;
        }
        all.garbage_bytes = garbage_bytes(*c);
        return all;
    }

private:
    /// Of what waits in the lists of the map. The nodes of a list are taken out while this thread looks at them, so no thread
    /// frees them. No thread waits for that: `owned_bytes` may run long, and wait for another thread.
    static std::size_t garbage_bytes([[maybe_unused]] control& c) noexcept {
        std::size_t bytes = 0;
        if constexpr (!Layout::inline_key) {
            c.each_thread_record([&](thread_record_type& s) {
                auto* const found = s.retired.take_all();
                for (auto* n = found; n != nullptr; n = n->next_retired) {
                    const auto& one = static_cast<const node&>(*n);
                    const std::size_t owned = one.owned_bytes();
                    bytes += one.block_bytes() + (owned == unknown_bytes ? 0 : owned);
                }
                s.retired.push_all(found);
            });
        }
        return bytes;
    }
};

} // namespace syncmap::engine
