// The programs about the exact size and about computations. See aimed.hpp, which includes this.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include <mutants/aimed.hpp>

namespace mutants {

template <class Layout>
void aimed<Layout>::add_counts() {
    // What a thread record counts belongs to one generation of the map. The first table is larger, so that the next life has
    // one of its own.
    add("counts|before and after a generation", 2, [] {
        map_type map;
        map.widen(entries_of_eight_buckets);
        map.store(key(keys::apart), value(1));
        map.store(key(keys::trigger), value(1));
        flag stored{0};
        side_by_side(
            [&] {
                map.store(key(keys::first), value(1));
                stored.store(1, std::memory_order_release);
                map.clear();
                map.store(key(keys::second), value(1));
            },
            [&] {
                if (stored.load(std::memory_order_acquire) == 0) return;
                const std::size_t n = map.size();
                require(n == 3 || n <= 1, "size is that of one generation");
            });
    });
    for (const bool exact : {true, false}) {
        add(exact ? "counts|after a generation" : "counts|about, after a generation", 3, [exact] {
            map_type map;
            flag cleared{0};
            side_by_side(
                [&] {
                    map.store(key(keys::first), value(1));
                    map.store(key(keys::second), value(1));
                    map.clear();
                    cleared.store(1, std::memory_order_release);
                    map.store(key(keys::apart), value(1));
                },
                [&] {
                    if (cleared.load(std::memory_order_acquire) == 0) return;
                    require((exact ? map.size() : map.approx_size()) <= 1, "an earlier generation counts no more");
                });
        });
    }
    add("counts|one erases what another has stored", 4, [] {
        map_type map;
        map.store(key(keys::apart), value(1));
        side_by_side([&] { map.store(key(keys::first), value(1)); }, [&] { map.erase(key(keys::first)); },
                     [&] {
                         const std::size_t n = map.size();
                         require(n == 1 || n == 2, "size is that of one instant");
                     });
    });
    // The slot that a thread record announces is empty again. (By a computation: other writers have a fence behind their
    // lock, and the thread that counts has one, too.) What came between is not counted either.
    add("counts|who has seen an entry", 8, [] {
        map_type map;
        map.store(key(keys::second), value(1));
        side_by_side([&] { map.store(key(keys::first), value(1)); }, [&] { map.store(key(keys::apart), value(1)); },
                     [&] {
                         map.update(key(keys::first), [&](const mapped_type*) {
                             sync_policy::pause();
                             std::optional<mapped_type> result;
                             if (!map.contains(key(keys::apart))) result.emplace(value(1));
                             return result;
                         });
                     },
                     [&] {
                         if (!map.contains(key(keys::first))) return;
                         sync_policy::pause();
                         require(map.size() >= 2, "who has seen an entry counts it, or what came after");
                     });
    });
    // An update of two keys has no fence behind its locks, and its thread records may be ones that the counting thread has not
    // seen yet.
    add("counts|who has seen an entry that another replaced", 6, [] {
        map_type map;
        map.store(key(keys::second), value(1));
        flag stage{0};
        const auto next_stage = [&] { stage.fetch_add(1, std::memory_order_relaxed); };
        const auto wait_for = [&](int number) {
            while (stage.fetch_add(0, std::memory_order_relaxed) < number) sync_policy::pause();
        };
        side_by_side(
            [&] {
                map.store(key(keys::first), value(1));
                next_stage();
            },
            [&] {
                wait_for(1);
                const bool seen = map.contains(key(keys::first));
                next_stage();
                wait_for(3);
                if (seen) require(map.size() == 2, "who has seen an entry counts it, or what took its place");
            },
            [&] {
                wait_for(2);
                const std::array<key_type, 2> both{key(keys::first), key(keys::apart)};
                map.update(both, [](std::span<syncmap::update_slot<mapped_type>> s) {
                    if (s[0].current() == nullptr) return; // it has not seen it: keeps both
                    s[0].erase();
                    s[1].assign(value(2));
                });
                next_stage();
            });
    });
    add("counts|who has counted an entry", 1, [] {
        map_type map;
        map.store(key(keys::apart), value(1));
        side_by_side([&] { map.store(key(keys::first), value(1)); },
                     [&] {
                         if (map.size() == 2) require(map.contains(key(keys::first)), "what is counted is there");
                     });
    });
}

template <class Layout>
void aimed<Layout>::add_owners() {
    add("owners|a dropped update", 1, [] { drop_an_update<Layout>(); });
    // Each looks once at the key's owner while that one leaves and another comes.
    add("owners|three updates", 0, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        const auto count_up = [&] {
            map.update(key(keys::first), [](const mapped_type* v) {
                sync_policy::pause();
                return value(Layout::value_of(*v) + 1);
            });
        };
        parallel(count_up, count_up, count_up);
        require(Layout::value_of(*map.load(key(keys::first))) == 4, "all three have counted");
    });
    if constexpr (Layout::has_integral_value) {
        using boxes = with_boxed_values<Layout>;
        add("owners|a dropped update, boxed", 1, [] { drop_an_update<boxes>(); });
        add("boxed values|compare beside clear", 1, [] {
            visible_map<boxes> map;
            map.store(key(keys::first), boxed{1});
            flag note{0};
            side_by_side(
                [&] {
                    map.erase(key(absent)); // has its hazard record from here on
                    note.store(1, std::memory_order_relaxed);
                    map.clear();
                },
                [&] {
                    std::optional<boxed> seen = boxed{1};
                    if (!map.compare_exchange(key(keys::first), seen, boxed{2}) && !seen) {
                        require(note.load(std::memory_order_relaxed) == 1, "who finds it cleared sees the note");
                    }
                });
        });
    }
}

} // namespace mutants
