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

/// One call of a map or of a cache, from its beginning to its end.
template <class Store>
class call {
public:
    explicit call(Store& store) noexcept : store_(store), begun_in_(store.is_late ? store.releases.begin_call() : 0) {}
    call(const call&) = delete;
    call& operator=(const call&) = delete;
    ~call() {
        if (store_.is_late) store_.releases.end_call(begun_in_, departed_, [this] { store_.entries->flush(); });
    }

    auto* operator->() const noexcept { return store_.entries.get(); }

    /// A handle has left, as far as this call can tell.
    void handle_departed(bool did) noexcept { departed_ = departed_ || did; }
    void handle_arrived(bool did) noexcept {
        // Looked at first: the line is shared by all threads.
        if (did && !store_.has_held_handles.load(std::memory_order_relaxed)) {
            store_.has_held_handles.store(true, std::memory_order_relaxed);
        }
    }
    void everything_departed() noexcept { handle_departed(store_.has_held_handles.load(std::memory_order_relaxed)); }

private:
    Store& store_;
    const std::uint64_t begun_in_;
    bool departed_ = false;
};

} // namespace syncmap::dynamic
