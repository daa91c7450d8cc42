// Programs of `snapshot_map`: the settings are those of the flagship, by what they mean in two indexes.
#pragma once

#include <cstdint>
#include <vector>

#include <explore/map_program.hpp>

#include <syncmap/engine/read_dirty.hpp>

namespace explore {

/// Keys and values that know when they are touched, as in `node_layout`.
struct snapshot_layout : node_layout {
    static constexpr const char* name = "snapshot";
};

template <>
class visible_engine<snapshot_layout> : public made_of<snapshot_layout, syncmap::engine::read_dirty> {
    using base = made_of<snapshot_layout, syncmap::engine::read_dirty>;

public:
    using base::base;

    /// More than an index of a program has room for.
    static constexpr std::size_t many_entries = 16;
};

/// plain: keys are in the dirty map alone. moving: the first key is in the snapshot, a dirty map beside it has one
/// more. growth: keys are in the snapshot, one of them erased, and the other thread's new key makes a dirty map, which
/// expunges it. shrink: the other thread's erase leaves so many dead keys that the snapshot is made anew.
/// chained, which is about lines: the other thread's erase leaves one dead key, and the snapshot as it is.
template <>
class preparation<snapshot_layout> : public prepared_contents {
public:
    preparation(setting where, bool first_present) : prepared_contents(where) {
        if (first_present) add(keys::first, 1);
        switch (where) {
        case setting::plain:
        case setting::smallest: // which is about tables: as plain
            break;
        case setting::moving: add(keys::fillers, 2 * keys::fillers); break;
        case setting::growth:
            add(keys::second, 2);
            add(keys::fillers, 2 * keys::fillers);
            meanwhile_ = {{verb::store, keys::trigger, 30}};
            break;
        case setting::clear:
            add(keys::fillers, 2 * keys::fillers);
            meanwhile_ = {{verb::clear, 0}};
            break;
        case setting::shrink:
            add(keys::trigger, 30);
            for (std::uint64_t i = 0; i != 3; ++i) add(keys::fillers + i, 2 * (keys::fillers + i));
            meanwhile_ = {{verb::erase, keys::trigger}};
            break;
        case setting::chained:
            add(keys::trigger, 30);
            add(keys::fillers, 2 * keys::fillers);
            meanwhile_ = {{verb::erase, keys::trigger}};
            break;
        case setting::reclaim: meanwhile_ = {{verb::exchange, keys::first, 30}, {verb::store, keys::first, 32}}; break;
        }
        const auto gone = [this](std::uint64_t key) { initial_.values[key].reset(); };
        if (where == setting::moving) {
            initial_.values[keys::trigger] = 30;
        } else if (where == setting::growth) {
            gone(keys::second);
        } else if (where == setting::shrink) {
            gone(keys::fillers);
            gone(keys::fillers + 1);
        }
    }

    void bring(visible_map<snapshot_layout>& map) const {
        const auto store = [&](std::uint64_t key, std::uint64_t value) {
            map.store(snapshot_layout::key(key), value_for<snapshot_layout>(value));
        };
        const auto erase = [&](std::uint64_t key) { map.erase(snapshot_layout::key(key)); };
        store_all<snapshot_layout>(map);
        if (where_ != setting::plain) map.for_each([](const probe&, const probe&) {}); // promotes
        if (where_ == setting::moving) store(keys::trigger, 30);
        if (where_ == setting::growth) erase(keys::second);
        if (where_ == setting::shrink) {
            erase(keys::fillers);
            erase(keys::fillers + 1);
        }
    }
};

} // namespace explore
