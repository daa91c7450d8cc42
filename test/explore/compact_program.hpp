// The compact cache under exploration: tiny ones, whose books are looked at when all threads have ended.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <explore/allocator.hpp>
#include <explore/cache_program.hpp>
#include <explore/explorer.hpp>
#include <explore/map_layouts.hpp>
#include <explore/sync.hpp>

#include <syncmap/cache/compact/basic_compact_cache.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/marked_map.hpp>

namespace explore {

using compact_engine = syncmap::marked_map_engine<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, std::equal_to<>,
                                                  allocator<std::pair<const std::uint64_t, std::uint64_t>>,
                                                  syncmap::cache_detail::compact_state, sync_policy>;

/// The keys that have slots of their own, in the bucket behind all others.
inline constexpr std::array<std::uint64_t, 3> sentinel_keys = {0, ~std::uint64_t{0}, ~std::uint64_t{1}};

class explored_compact_cache : public syncmap::basic_compact_cache<compact_engine, std::uint32_t> {
    using base = syncmap::basic_compact_cache<compact_engine, std::uint32_t>;
    using state = syncmap::cache_detail::compact_state;

public:
    explicit explored_compact_cache(std::size_t capacity) : base({.capacity = capacity, .statistics = false}) {}

    compact_engine& engine() { return engine_; }

    /// With no thread in a call: no permit is lost or made from nothing, and each small entry is in the small queue.
    void check_books() {
        using inspector = syncmap::cache_detail::eviction_inspector<std::remove_cvref_t<decltype(eviction_)>>;
        {
            syncmap::cache_detail::acting_thread<compact_engine> by(engine_);
            while (engine_.has_cleared()) {
                engine_.ensure_table(by);
                eviction_.take_apart(by, 1024);
            }
        }
        std::size_t entries = 0;
        engine_.for_each([&](const std::uint64_t& key, const std::uint64_t& with_mark) {
            ++entries;
            if (state::is_small(with_mark))
                require(inspector::queued(eviction_, engine_.hash_of_key(key)), "a small entry is in the small queue");
            return true;
        });
        require(entries == size(), "each entry is counted");
        require(entries <= capacity(), "the bound holds");
        require(static_cast<std::int64_t>(entries) + inspector::free_permits(eviction_) ==
                    static_cast<std::int64_t>(capacity()),
                "entries and free permits are the capacity");
    }
};

/// A compact cache whose books are in order at the end.
template <class Body>
void with_compact(std::size_t capacity, Body body) {
    auto cache = std::make_unique<explored_compact_cache>(capacity);
    body(*cache);
    cache->check_books();
}

} // namespace explore
