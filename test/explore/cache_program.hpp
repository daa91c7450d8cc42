// The cache under exploration: tiny ones, whose books are looked at when all threads have ended.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <explore/allocator.hpp>
#include <explore/explorer.hpp>
#include <explore/map_layouts.hpp>
#include <explore/sync.hpp>

#include <syncmap/cache/basic_cache.hpp>
#include <syncmap/marked_map.hpp>

namespace syncmap::cache_detail {

/// Looks at what only an eviction knows.
template <class Eviction>
struct eviction_inspector {
    static std::int64_t free_permits(Eviction& e) { return e.permits_.free_now(); }
    static bool queued(Eviction& e, std::uint64_t hash) { return e.policy_.now().small_ring.has(hash); }
};

} // namespace syncmap::cache_detail

namespace explore {

using marked_engine =
    syncmap::marked_map_engine<probe, probe, probe_hash, std::equal_to<>, allocator<std::pair<const probe, probe>>,
                               syncmap::cache_detail::entry_state<sync_policy>, sync_policy>;

/// A clock whose time is what a program sets; each reading is a step.
struct explored_clock {
    using time_of_cache = sync_policy::atomic<std::int64_t>;
    const time_of_cache* time = nullptr;
    std::function<void()>* after_reading = nullptr; ///< called once, by the thread that has read the time

    std::chrono::time_point<std::chrono::steady_clock> now() const {
        const std::chrono::nanoseconds read(time == nullptr ? 0 : time->load(std::memory_order_seq_cst));
        if (after_reading != nullptr && *after_reading) std::exchange(*after_reading, nullptr)();
        return std::chrono::time_point<std::chrono::steady_clock>(read);
    }
};

class explored_cache : public syncmap::basic_cache<marked_engine, explored_clock> {
    using base = syncmap::basic_cache<marked_engine, explored_clock>;
    using inspector = syncmap::cache_detail::eviction_inspector<typename base::eviction_type>;

public:
    using listener = std::function<void(const probe&, const probe&, syncmap::removal)>;
    explicit explored_cache(std::size_t capacity, listener told = {})
        : base({.capacity = capacity, .on_removal = std::move(told), .statistics = false}) {}
    explicit explored_cache(const base::options_type& options) : base(options) {}
    /// Each entry weighs the number of its value.
    struct by_number {};
    explored_cache(std::size_t capacity, by_number)
        : base({.capacity = capacity,
                .weigh = [](const probe&, const probe& value) { return static_cast<std::size_t>(value.number()); },
                .statistics = false}) {}

    marked_engine& engine() { return engine_; }

    std::optional<std::uint64_t> number(std::uint64_t key) const {
        std::optional<std::uint64_t> seen;
        visit(probe(key), [&](const probe& value) { seen = value.number(); });
        return seen;
    }

    /// With no thread in a call: no permit is lost or made from nothing, and each small entry is in the small queue.
    void check_books() {
        flush(); // takes apart what was cleared
        std::size_t entries = 0;
        std::size_t weight = 0;
        engine_.each_entry([&](const auto& found) { // expired ones, too
            ++entries;
            weight += eviction_.is_weighted() ? found.value().number() : 1;
            const auto where = found.mark.where();
            require(where != syncmap::cache_detail::queue::left, "no entry of the table is left for another node");
            if (where == syncmap::cache_detail::queue::in_small)
                require(inspector::queued(eviction_, found.hash()), "a small entry is in the small queue");
            return true;
        });
        require(entries == size(), "each entry is counted");
        require(weight <= capacity(), "the bound holds");
        require(static_cast<std::int64_t>(weight) + inspector::free_permits(eviction_) == static_cast<std::int64_t>(capacity()),
                "what the entries weigh and free permits are the capacity");
    }
};

/// A cache whose books are in order at the end. `made_with`: a capacity, or options.
template <class MadeWith, class Body>
void with_cache(const MadeWith& made_with, Body body) {
    auto cache = std::make_unique<explored_cache>(made_with);
    body(*cache);
    cache->check_books();
}

} // namespace explore
