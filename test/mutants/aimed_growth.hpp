// The programs about growth: a full bucket, tables whose memory is used again, and helpers that come late. See aimed.hpp, which
// includes this.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mutants/aimed.hpp>

namespace mutants {

template <class Layout>
void aimed<Layout>::add_growth() {
    const preparation<Layout> full(setting::growth, true);
    const std::uint64_t last = full.used() - 1; // at the end of the bucket's chain
    const auto insert = [](map_type& map) { map.store(key(keys::trigger), value(30)); };

    for (const std::uint64_t wanted : {keys::first, last}) {
        const std::string at = wanted == last ? "the last key" : "the first key";
        add("growth|" + at + " stays", 3, [full, insert, wanted] {
            map_type map;
            full.bring(map);
            side_by_side([&] { insert(map); }, [&] { require(map.contains(key(wanted)), "who stays is found"); });
        });
        add("growth|" + at + " is overwritten", 1, [full, insert, wanted] {
            map_type map;
            full.bring(map);
            side_by_side([&] { insert(map); },
                         [&] {
                             require(!map.store(key(wanted), value(90)), "it was there");
                             require(Layout::value_of(*map.load(key(wanted))) == 90, "it is what was stored");
                             require(map.erase(key(wanted)), "it is still there");
                         });
            require_consistent(map);
        });
        // The copy in the new table is not freed while a reader can still come to it by the old one.
        add("growth|" + at + " is erased", 3, [full, insert, wanted] {
            map_type map;
            full.bring(map);
            side_by_side([&] { insert(map); }, [&] { map.erase(key(wanted)); },
                         [&] { static_cast<void>(map.load(key(wanted))); });
        });
    }
    // The thread that makes the new table the root's has moved the last buckets, and another thread the first.
    const preparation<Layout> large(setting::shrink, true);
    add("shrinking|moved by two", 1, [large] {
        map_type map;
        large.bring(map);
        side_by_side([&] { map.erase(key(keys::trigger)); },
                     [&] {
                         for (std::uint64_t i = 0; i != 3; ++i) map.store(key(keys::apart), value(40 + i));
                     },
                     [&] { require(map.contains(key(keys::first)), "who stays is found"); });
    });
    // The thread that withdraws the call for help has seen what it was about.
    add("growth|goes on", 2, [full, insert] {
        map_type map;
        full.bring(map);
        side_by_side([&] { insert(map); }, [&] { map.store(key(keys::apart), value(60)); });
        write_on(map);
        require(!map.engine().is_moving(), "a growth that has begun is finished by those who write");
    });
    add("growth|cleared", 3, [full, insert] {
        map_type map;
        full.bring(map);
        side_by_side([&] { insert(map); }, [&] { map.clear(); });
        require(map.size() <= 1, "a cleared map has what came after");
        require_consistent(map);
    });
    // What is looked at first was not written to by the thread that moved it there.
    add("growth|cleared, what was moved comes first", 2, [full] {
        map_type map;
        full.bring(map);
        side_by_side([&] { map.store(key(in_bucket(3, slots)), value(30)); }, [&] { map.clear(); });
        require(map.size() <= 1, "a cleared map has what came after");
        require_consistent(map);
    });
    // One reads in a line behind, one that erases stands in the home line, and a third moves the bucket.
    if constexpr (std::is_same_v<key_type, probe>) {
        using slow = with_hesitation<Layout>;
        const preparation<slow> full_and_slow(setting::growth, true);
        add("growth|erased in the midst of a move", 0, [full_and_slow] {
            static constexpr std::uint64_t behind = keys::fillers + slots - 2; // in the first slot of the first line behind
            visible_map<slow> map;
            slow::wanted = {};
            full_and_slow.bring(map);
            side_by_side(
                [&] {
                    slow::wanted[0] = {sync_policy::this_thread(), behind};
                    static_cast<void>(map.load(key(behind + 1)));
                },
                [&] {
                    slow::wanted[1] = {sync_policy::this_thread(), keys::first};
                    map.erase(key(behind + 1));
                },
                [&] { map.store(key(keys::trigger), value(30)); });
        });
    }
    // An update of many keys looks for the table that it would need.
    add("growth|many at once", 0, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        std::vector<key_type> many;
        for (std::uint64_t i = 0; i != slots + 2; ++i) many.push_back(key(keys::fillers + i));
        side_by_side(
            [&] {
                map.update(many, [](std::span<syncmap::update_slot<mapped_type>> s) {
                    for (auto& each : s) each.assign(value(2));
                });
            },
            [&] { map.widen(entries_of_eight_buckets); });
        require(map.size() == slots + 3, "all are there");
    });
}

template <class Layout>
void aimed<Layout>::add_tables_used_again() {
    // From two buckets to eight and back: the memory of the first table is the last one's.
    const auto there_and_back = [](map_type& map) {
        grow(map);
        map.shrink_to_fit();
    };
    add("used again|load", 2, [there_and_back] {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::apart), value(1));
        side_by_side([&] { there_and_back(map); }, [&] { require(map.contains(key(keys::first)), "who stays is found"); });
    });
    // It comes to the table by the root of before, and finds it empty: used again, and not filled yet.
    add("used again|erase", 2, [there_and_back] {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::apart), value(1));
        side_by_side([&] { there_and_back(map); }, [&] { require(map.erase(key(keys::first)), "who stays is erased"); });
        require_consistent(map);
    });
    add("used again|walk", 2, [there_and_back] {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::apart), value(1));
        side_by_side([&] { there_and_back(map); },
                     [&] {
                         const seen_keys seen = walk(map);
                         require(seen[keys::first] == 1 && seen[keys::apart] == 1, "a walk misses nothing that stays");
                     });
    });
    // A bucket that was filled by moves alone has the version of one that was zeroed.
    add("used again|walk, with a rest", 3, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::apart), value(1));
        side_by_side(
            [&] {
                grow(map);
                map.shrink_to_fit();
                sync_policy::pause();
                map.widen(entries_of_eight_buckets);
            },
            [&] {
                const seen_keys seen = walk(map);
                require(seen[keys::first] == 1 && seen[keys::apart] == 1, "a walk misses nothing that stays");
            });
    });
    // What was at the end of a chain lies in a home line afterwards.
    const preparation<Layout> full(setting::growth, true);
    const std::uint64_t last = full.used() - 1;
    const auto there_and_back_with_few = [last](map_type& map) {
        map.store(key(keys::trigger), value(30));
        for (std::uint64_t k = keys::fillers; k != last; ++k) map.erase(key(k));
        map.flush();
        map.shrink_to_fit();
    };
    add("used again|load behind", 1, [full, last, there_and_back_with_few] {
        map_type map;
        full.bring(map);
        side_by_side([&] { there_and_back_with_few(map); }, [&] { require(map.contains(key(last)), "who stays is found"); });
    });
    add("used again|walk behind", 1, [full, last, there_and_back_with_few] {
        map_type map;
        full.bring(map);
        side_by_side([&] { there_and_back_with_few(map); },
                     [&] {
                         const seen_keys seen = walk(map);
                         require(seen[keys::first] == 1 && seen[last] == 1, "a walk misses nothing that stays");
                     });
    });
    // The thread that moved the last bucket has only just let go of it.
    add("used again|moved by another", 2, [] {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::apart), value(1));
        side_by_side([&] { map.widen(entries_of_eight_buckets); },
                     [&] {
                         map.flush();
                         map.shrink_to_fit();
                         map.store(key(keys::first), value(2));
                         map.store(key(keys::apart), value(2));
                     });
        require_consistent(map);
    });
    const preparation<Layout> moving(setting::moving, true);
    // The thread that moved the last buckets lets go of them after the table was left; and it is the first one of another
    // generation then.
    add(
        "used again|by the first table of another generation", 1,
        [moving] {
            map_type map;
            moving.bring(map);
            map.store(key(keys::first), value(1)); // inline keys: the sentinel keys alone are left to move
            side_by_side([&] { map.store(key(keys::first), value(2)); },
                         [&] {
                             map.clear();
                             map.reserve(1);
                             // An sentinel key. By a thread: outside of them an endless loop is none that is noticed.
                             if constexpr (std::is_same_v<key_type, std::uint64_t>) map.store(key_type{0}, value(3));
                         });
        },
        2);
    // A bucket that was filled by moves alone, and then by moves again, has one and the same version.
    add("used again|walk, filled by moves twice", 6, [moving, full, there_and_back] {
        map_type map;
        moving.bring(map);
        map.store(key(keys::apart), value(1));
        write_on(map);
        for (std::uint64_t k = keys::fillers; k != full.used(); ++k) map.erase(key(k)); // begins to shrink
        write_on(map);
        side_by_side(
            [&] {
                const seen_keys seen = walk(map);
                require(seen[keys::first] == 1 && seen[keys::apart] == 1, "a walk misses nothing that stays");
            },
            [&] { there_and_back(map); });
    });
    // A table that is filled before it is published.
    for (const setting where : {setting::plain, setting::moving}) {
        const preparation<Layout> prepared(where, true);
        add(
            std::string("used again|replaced, ") + name_of(where), 2,
            [prepared] {
                map_type map, next;
                prepared.bring(map);
                next.store(key(keys::first), value(77));
                std::uint64_t seen = 0, seen_next = 0;
                side_by_side(
                    [&] {
                        grow(map);
                        map.replace(std::move(next));
                    },
                    [&] {
                        seen = Layout::value_of(*map.load(key(keys::first)));
                        seen_next = Layout::value_of(*map.load(key(keys::first)));
                    });
                require(!(seen == 77 && seen_next == 1), "what has been replaced does not come back");
            },
            2);
    }
    add(
        "used again|updated", 0,
        [moving] {
            map_type map;
            moving.bring(map);
            side_by_side([&] { map.update(key(keys::first), [](const mapped_type*) { return value(1000); }); },
                         [&] {
                             map.shrink_to_fit();
                             map.widen(entries_of_eight_buckets);
                         });
            require(Layout::value_of(*map.load(key(keys::first))) == 1000, "an update is not lost");
            require_consistent(map);
        },
        2);
}

template <class Layout>
void aimed<Layout>::add_late_helpers() {
    const preparation<Layout> full(setting::growth, true);
    const std::uint64_t used = full.used();
    add("late helper|shrunk again", 0, [full, used] {
        map_type map;
        full.bring(map);
        side_by_side([&] { map.store(key(keys::trigger), value(30)); },
                     [&] {
                         for (std::uint64_t k = keys::fillers; k != used; ++k) map.erase(key(k));
                         map.shrink_to_fit();
                     });
        write_on(map);
        require(map.contains(key(keys::first)) && map.contains(key(keys::trigger)), "who stays is found");
        require_consistent(map);
    });

    const preparation<Layout> moving(setting::moving, true);
    const auto fill = [used](map_type& map) {
        for (std::uint64_t k = keys::fillers; k != used; ++k) map.store(key(k), value(2 * k));
        map.store(key(keys::trigger), value(30));
    };
    const auto finish = [used](map_type& map) {
        write_on(map);
        require(!map.engine().is_moving(), "a growth that has begun is finished by those who write");
        for (std::uint64_t k = keys::fillers; k != used; ++k) require(map.contains(key(k)), "who stays is found");
        require_consistent(map);
    };
    add("late helper|grown again", 0, [moving, used, fill, finish] {
        map_type map;
        moving.bring(map);
        side_by_side([&] { map.store(key(keys::apart), value(40)); },
                     [&] {
                         grow(map);
                         for (std::uint64_t k = keys::fillers; k != used; ++k) map.erase(key(k));
                         map.shrink_to_fit();
                         fill(map);
                     });
        finish(map);
    });
    // By writes alone, which let no thread go first; the helper is the first of the threads, and nothing is left to do when it
    // ends.
    add("late helper|grown again, by writes", 0, [moving, used, fill, finish] {
        map_type map;
        moving.bring(map);
        parallel([&] { map.store(key(keys::apart), value(40)); },
                 [&] {
                     write_on(map); // the growth ends, and its table is free
                     for (std::uint64_t k = keys::fillers; k != used; ++k) map.erase(key(k));
                     write_on(map); // so ends the shrinking, and the larger one is free
                     fill(map); // into the same two tables
                 });
        finish(map);
    });
    // The thread that owns its key does not look at the root again, and finds a table that is being filled again.
    add("late writer|in a table used again", 0, [moving, used] {
        map_type map;
        map.store(key(keys::apart), value(1));
        moving.bring(map);
        map.store(key(keys::first), value(1)); // helps: the bucket of the key apart is moved
        parallel([&] { map.update(key(keys::apart), [](const mapped_type*) { return value(1000); }); },
                 [&] {
                     write_on(map);
                     for (std::uint64_t k = keys::fillers; k != used; ++k) map.erase(key(k));
                     write_on(map);
                     for (std::uint64_t k = keys::fillers; k != used; ++k) map.store(key(k), value(2 * k));
                 });
        write_on(map);
        require(Layout::value_of(*map.load(key(keys::apart))) == 1000, "an update is not lost");
        require_consistent(map);
    });
    add("late helper|cleared", 0, [moving, fill, finish] {
        map_type map;
        moving.bring(map);
        side_by_side([&] { map.store(key(keys::apart), value(40)); },
                     [&] {
                         map.clear();
                         map.store(key(keys::first), value(1));
                         fill(map);
                     });
        finish(map);
    });
    // A writer comes to a bucket of a table that is being filled again, and lets go of it when it has its stamp.
    add("late writer|beside a merge", 1, [] {
        const auto shown = shown_beside_a_merge(write_on, [](map_type& map) { map.store(key(keys::apart), value(60)); });
        require(shown == 1U || shown == 60U, "it shows what was there");
    });
    // The same by one that changes nothing and asks for no stamp of its own.
    if constexpr (std::equality_comparable<mapped_type>) {
        add("late writer|lets go of a bucket that was filled", 1, [] {
            const auto shown =
                shown_beside_a_merge([](map_type& map) { map.shrink_to_fit(); },
                                     [](map_type& map) {
                                         mapped_type expected = value(77);
                                         static_cast<void>(map.compare_exchange(key(keys::apart), expected, value(60)));
                                     });
            require(shown == 1U, "it shows what was there");
        });
    }
}

} // namespace mutants
