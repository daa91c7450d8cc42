// What docs/guarantees.md says about order: a thread that sees what a call left also sees what the caller did before.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <explore/map_suite.hpp>

#include <syncmap/pinned.hpp>
#include <syncmap/walk_position.hpp>

namespace explore {

/// A thread notes something outside of the map and then writes the first key; another looks at that key, and if it sees
/// the write, at the note. Calls `f(name, body)` for every kind of write and of look. `after_a_walk`: before all that the
/// map is walked through, which brings the keys of a `snapshot_map` into its snapshot.
template <class Layout, class F>
void each_message(F&& f, bool after_a_walk = false) {
    using value_type = typename Layout::mapped_type;
    enum class write { insert, overwrite, erase, exchange, update, clear, two_keys, erase_two };
    enum class look { load, walk, erase, exchange, snapshot, size, pin, batch, compute, steps, two_keys };
    static constexpr const char* writes[] = {"insert", "overwrite", "erase",    "exchange",
                                             "update", "clear",     "two keys", "erase two"};
    static constexpr const char* looks[] = {"load", "walk",  "erase",   "exchange", "snapshot", "size",
                                            "pin",  "batch", "compute", "steps",    "two keys"};
    for (const write how : {write::insert, write::overwrite, write::erase, write::exchange, write::update, write::clear,
                            write::two_keys, write::erase_two}) {
        for (const look by : {look::load, look::walk, look::erase, look::exchange, look::snapshot, look::size, look::pin,
                              look::batch, look::compute, look::steps, look::two_keys}) {
            using map_type = visible_map<Layout>;
            if (!map_type::updates_several && (how == write::two_keys || how == write::erase_two || by == look::two_keys)) {
                continue;
            }
            if ((!map_type::has_snapshots && by == look::snapshot) || (!map_type::has_pin && by == look::pin) ||
                (!map_type::has_steps && by == look::steps)) {
                continue;
            }
            const bool present = how != write::insert;
            const auto body = [how, by, present, after_a_walk] {
                map_type map;
                if (present) map.store(Layout::key(keys::first), value_type(1));
                map.store(Layout::key(keys::apart), value_type(5));
                if (after_a_walk) map.for_each([](const auto&, const auto&) {});
                sync_policy::atomic<int> note{0};
                // The threads have their hazard records before, as taking one orders them, too. (Without a write: that would
                // lock the bucket, which orders them as well.)
                const auto begin = [] {
                    const syncmap::reclaim::thread_lease<sync_policy> kept(
                        syncmap::engine::process<sync_policy>::instance().threads);
                };
                const auto writer = [&] {
                    begin();
                    note.store(1, std::memory_order_relaxed);
                    const auto key = Layout::key(keys::first);
                    switch (how) {
                    case write::insert:
                    case write::overwrite: map.store(key, value_type(2)); break;
                    case write::erase: map.erase(key); break;
                    case write::exchange: static_cast<void>(map.exchange(key, value_type(2))); break;
                    case write::update: map.update(key, [](const value_type*) { return value_type(2); }); break;
                    case write::clear: map.clear(); break;
                    case write::two_keys:
                        if constexpr (map_type::updates_several) {
                            map.update(std::array{key, Layout::key(keys::second)}, [](auto slots) {
                                for (auto& each : slots) each.assign(value_type(2));
                            });
                        }
                        break;
                    case write::erase_two:
                        if constexpr (map_type::updates_several) {
                            map.update(std::array{key, Layout::key(keys::apart)}, [](auto slots) {
                                for (auto& each : slots) each.erase();
                            });
                        }
                        break;
                    }
                };
                const auto reader = [&] {
                    begin();
                    const auto key = Layout::key(keys::first);
                    held seen;
                    switch (by) {
                    case look::load:
                        if (const auto found = map.load(key)) seen = Layout::value_of(*found);
                        break;
                    case look::walk:
                        map.for_each([&](const auto& k, const auto& v) {
                            if (Layout::number_of(k) == keys::first) seen = Layout::value_of(v);
                        });
                        break;
                    case look::erase:
                        if (const auto found = map.load_and_erase(key)) seen = Layout::value_of(*found);
                        break;
                    case look::exchange:
                        if (const auto found = map.exchange(key, value_type(3))) seen = Layout::value_of(*found);
                        break;
                    case look::snapshot:
                        if constexpr (map_type::has_snapshots) {
                            if (const auto found = map.snapshot().load(key)) seen = Layout::value_of(*found);
                        }
                        break;
                    case look::size:
                        seen = present ? held(1) : held();
                        if (map.size() != (present ? 2U : 1U)) seen = held(2);
                        break;
                    case look::pin:
                        if constexpr (map_type::has_pin) {
                            if (const auto found = map.pin(key)) seen = Layout::value_of(found.value());
                        }
                        break;
                    case look::batch: {
                        std::array<std::optional<value_type>, 1> found{};
                        map.load_many(std::array{key}, found);
                        if (found[0]) seen = Layout::value_of(*found[0]);
                        break;
                    }
                    case look::compute:
                        map.update(key, [&](const value_type* v) {
                            if (v != nullptr) seen = Layout::value_of(*v);
                            return value_type(3);
                        });
                        break;
                    case look::steps:
                        if constexpr (map_type::has_steps) {
                            for (syncmap::walk_position at; !at.at_end();) {
                                at = map.for_each_from(at, [&](const auto& k, const auto& v) {
                                    if (Layout::number_of(k) == keys::first) seen = Layout::value_of(v);
                                });
                            }
                        }
                        break;
                    case look::two_keys:
                        if constexpr (map_type::updates_several) {
                            map.update(std::array{key, Layout::key(keys::second)}, [&](auto slots) {
                                if (slots[0].current() != nullptr) seen = Layout::value_of(*slots[0].current());
                            });
                        }
                        break;
                    }
                    const bool sees = seen != (present ? held(1) : held());
                    if (sees) require(note.load(std::memory_order_relaxed) == 1, "who sees the write sees the note");
                };
                parallel(writer, reader);
            };
            f(std::string(Layout::name) + " weak message " + (after_a_walk ? "after a walk " : "") +
                  writes[static_cast<int>(how)] + " to " + looks[static_cast<int>(by)],
              body);
        }
    }
}

/// Explores them all in weak memory and calls `f(report)`.
template <class Layout, class F>
void explore_messages(limits bounds, F&& f, bool after_a_walk = false) {
    bounds.weak = true;
    each_message<Layout>([&](std::string name, const auto& body) { f(explore(std::move(name), bounds, body)); }, after_a_walk);
}

} // namespace explore
