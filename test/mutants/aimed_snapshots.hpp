// The programs about snapshots, and about threads that end or are lost in a fork. See aimed.hpp, which includes this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <mutants/aimed.hpp>

namespace mutants {

template <class Layout>
void aimed<Layout>::add_threads() {
    // The third and fourth thread of a map share a block of thread records.
    add("threads|far thread records", 1, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::apart), value(1));
        side_by_side([&] { map.store(key(keys::second), value(1)); }, [&] { map.erase(key(keys::first)); },
                     [&] { map.erase(key(keys::apart)); });
        require(map.size() == 1, "one is left");
    });
    add("threads|the child of a fork", 2, [] {
        map_type map;
        map.store(key(keys::apart), value(1));
        using living = syncmap::engine::map_registry<sync_policy>;
        side_by_side(
            [&] {
                living::before_fork();
                scheduler::instance().lose_others();
                living::after_fork_in_child();
                const std::size_t n = map.approx_size();
                std::size_t seen = 0;
                map.for_each([&](const key_type&, const mapped_type&) { ++seen; });
                require(n == seen, "who is alone counts what it finds");
                scheduler::instance().finish();
            },
            [&] { map.store(key(keys::first), value(1)); }, [&] { static_cast<void>(map.load(key(keys::apart))); });
    });
}

template <class Layout>
void aimed<Layout>::add_snapshots() {
    const preparation<Layout> large(setting::shrink, true);
    add("snapshots|taken beside a merge", 0, [large] {
        map_type map;
        large.bring(map);
        side_by_side(
            [&] {
                const auto taken = map.snapshot();
                sync_policy::pause();
                require(taken.load(key(keys::fillers)).has_value(), "it shows what is there throughout");
            },
            [&] {
                map.shrink_to_fit();
                map.store(key(keys::first), value(9));
            });
    });
    add("snapshots|beside clear of a larger table", 3, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        const auto taken = map.snapshot();
        side_by_side([&] { map.widen(entries_of_eight_buckets); }, [&] { map.clear(); });
        require(taken.load(key(keys::first)).has_value(), "it shows what was there");
    });
    const preparation<Layout> full(setting::growth, true);
    for (const std::uint64_t wanted : {keys::first, keys::fillers}) {
        add("snapshots|read beside growth, " + std::to_string(wanted), 4, [full, wanted] {
            map_type map;
            full.bring(map);
            const auto taken = map.snapshot();
            side_by_side([&] { map.store(key(keys::trigger), value(30)); },
                         [&] { require(taken.load(key(wanted)).has_value(), "it shows what was there"); });
        });
    }
    // Its bucket is changed, and then becomes one of another table, without a stamp.
    add("snapshots|read beside a table used again", 3, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::apart), value(1));
        const auto taken = map.snapshot();
        side_by_side(
            [&] {
                map.store(key(keys::first), value(2));
                sync_policy::pause();
                grow(map);
                map.shrink_to_fit();
            },
            [&] {
                const auto seen = taken.load(key(keys::first));
                require(seen && Layout::value_of(*seen) == 1, "it shows what was there");
            });
    });
    // The table is emptied, and the bucket not filled yet.
    add("snapshots|read beside a table that is to be filled", 6, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::trigger), value(1));
        map.store(key(keys::apart), value(1));
        const auto taken = map.snapshot();
        side_by_side(
            [&] {
                map.store(key(keys::apart), value(2));
                grow(map);
                map.erase(key(keys::trigger)); // begins to shrink: the first table again
                sync_policy::pause();
            },
            [&] {
                const auto seen = taken.load(key(keys::apart));
                require(seen && Layout::value_of(*seen) == 1, "it shows what was there");
            });
    });
    // The table of the cut is left, and another generation is prepared in it, before its entries are counted.
    const preparation<Layout> moving(setting::moving, true);
    add(
        "snapshots|taken while another generation is prepared", 0,
        [moving] {
            map_type map, next;
            moving.bring(map);
            if constexpr (std::is_same_v<key_type, std::uint64_t>) map.store(key(keys::first), value(1)); // one group is left
            next.store(key(keys::first), value(77));
            parallel(
                [&] { // the first of the threads: it is the first that is left
                    map.store(key(keys::apart), value(40));
                    map.replace(std::move(next));
                },
                [&] {
                    const auto taken = map.snapshot();
                    const auto now = map.load(key(keys::first));
                    const auto then = taken.load(key(keys::first));
                    require(now && then && !(Layout::value_of(*now) == 1 && Layout::value_of(*then) == 77),
                            "a snapshot is of no later generation than what is seen after it");
                });
        },
        2);
    // A reader of one waits for no thread: all others stand still from some point on.
    add("snapshots|read alone", 0, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        const auto taken = map.snapshot();
        side_by_side([&] { map.store(key(keys::first), value(2)); },
                     [&] {
                         scheduler::instance().lose_others();
                         require(taken.load(key(keys::first)).has_value(), "it shows what was there");
                         scheduler::instance().finish();
                     });
    });
    // What one leaves is used by the next one. A writer of before may still push its record.
    add(
        "snapshots|a state used again", 2,
        [] {
            map_type map;
            map.store(key(keys::first), value(1));
            map.store(key(keys::apart), value(1));
            std::optional<snapshot_of_map> taken(map.snapshot());
            side_by_side([&] { map.store(key(keys::first), value(2)); },
                         [&] {
                             taken.reset();
                             const auto again = map.snapshot();
                             const auto then = again.load(key(keys::first));
                             map.store(key(keys::first), value(3));
                             const auto still = again.load(key(keys::first));
                             require(then && still && Layout::value_of(*then) == Layout::value_of(*still),
                                     "it does not change");
                         });
        },
        2);
    add("snapshots|taken beside the end of another one", 2, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        std::optional<snapshot_of_map> taken(map.snapshot());
        map.store(key(keys::first), value(2)); // a record
        side_by_side([&] { taken.reset(); },
                     [&] {
                         const auto again = map.snapshot();
                         map.store(key(keys::first), value(3));
                         const auto then = again.load(key(keys::first));
                         require(then && Layout::value_of(*then) == 2, "it shows what was there");
                     });
    });
    add("snapshots|flush beside the end of one", 2, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        std::optional<snapshot_of_map> taken(map.snapshot());
        map.store(key(keys::first), value(2));
        side_by_side([&] { taken.reset(); }, [&] { map.flush(); });
    });
    add("snapshots|two ends", 0, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        std::optional<snapshot_of_map> one(map.snapshot()), other(map.snapshot());
        side_by_side([&] { one.reset(); }, [&] { other.reset(); });
    });
    // Phases begin anew, by a resize to the same size, while another one is made.
    add("snapshots|phases used up", 1, [] {
        visible_map<few_phases> map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::apart), value(1));
        for (std::uint32_t i = 0; i != scarce_phases::most_snapshots; ++i) static_cast<void>(map.snapshot());
        side_by_side(
            [&] {
                const auto taken = map.snapshot();
                require(taken.size() == 2 && taken.load(key(keys::first)).has_value(), "it shows what is there");
            },
            [&] { map.widen(entries_of_eight_buckets); });
    });
}

} // namespace mutants
