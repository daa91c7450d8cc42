// What `syncmap_map*` and `syncmap_cursor*` point to.
#pragma once

#include <syncmap.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "any_engine.hpp"
#include "late_release.hpp"

struct syncmap_map {
    explicit syncmap_map(std::unique_ptr<syncmap::dynamic::any_engine> made) noexcept
        : entries(std::move(made)), is_late(entries->destroys_late()) {}

    const std::unique_ptr<syncmap::dynamic::any_engine> entries;
    const bool is_late;
    std::atomic<bool> has_held_handles{false};
    syncmap::dynamic::late_release releases{};
};

struct syncmap_cursor {
    explicit syncmap_cursor(syncmap_map& walked) noexcept : map(walked) {}

    syncmap_map& map;
    syncmap::dynamic::walk place{};
    std::size_t next = 0; ///< of `place.entries`; the one before is being shown
};

namespace syncmap::dynamic {

/// One call of a map, from its beginning to its end.
class call {
public:
    explicit call(syncmap_map& map) noexcept : map_(map), begun_in_(map.is_late ? map.releases.begin_call() : 0) {}
    call(const call&) = delete;
    call& operator=(const call&) = delete;
    ~call() {
        if (map_.is_late) map_.releases.end_call(begun_in_, departed_, [this] { map_.entries->flush(); });
    }

    any_engine* operator->() const noexcept { return map_.entries.get(); }

    /// A handle has left the map, as far as this call can tell.
    void handle_departed(bool did) noexcept { departed_ = departed_ || did; }
    void handle_arrived(bool did) noexcept {
        // Looked at first: the line is shared by all threads.
        if (did && !map_.has_held_handles.load(std::memory_order_relaxed)) {
            map_.has_held_handles.store(true, std::memory_order_relaxed);
        }
    }
    void everything_departed() noexcept { handle_departed(map_.has_held_handles.load(std::memory_order_relaxed)); }

private:
    syncmap_map& map_;
    const std::uint64_t begun_in_;
    bool departed_ = false;
};

} // namespace syncmap::dynamic
