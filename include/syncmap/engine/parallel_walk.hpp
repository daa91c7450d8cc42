// A walk by several threads at once, over any source of walks in steps: an engine, or an instant of one.
#pragma once

#include <atomic>
#include <cstddef>

#include <syncmap/detail/parallel.hpp>
#include <syncmap/walk_position.hpp>

namespace syncmap::engine {

/// Calls `f(key, value)`, on several threads at once, until it returns false; returns the calls.
template <class Source, class F>
std::size_t walk_in_parallel(std::size_t threads, const Source& source, F f) {
    constexpr std::size_t parts_a_thread = 8; // threads do not all run equally fast
    const std::size_t parts =
        threads < walk_range::most_parts / parts_a_thread ? threads * parts_a_thread : walk_range::most_parts;
    std::atomic<std::size_t> calls{0};
    std::atomic<bool> stopped{false};
    syncmap::detail::in_parallel(threads, parts, [&](std::size_t part) {
        std::size_t mine = 0;
        const auto show = [&](const auto& key, const auto& value) {
            if (stopped.load(std::memory_order_relaxed)) return;
            ++mine;
            if (!f(key, value)) stopped.store(true, std::memory_order_relaxed);
        };
        for (auto rest = walk_range::part(part, parts); !rest.at_end() && !stopped.load(std::memory_order_relaxed);) {
            rest = source.for_each_from(rest, show);
        }
        calls.fetch_add(mine, std::memory_order_relaxed);
    });
    return calls.load(std::memory_order_relaxed);
}

} // namespace syncmap::engine
