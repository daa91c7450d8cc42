// Programs made for one step of the protocol each: few threads, a small table, and the one meeting that needs the step.
//
// Each says how many loads of an execution may return an older store before it shows what is wrong; where the step only
// matters when a thread is left twice, how many preemptions. Threads stay until all are done (`side_by_side`): one that
// took over the row of another that has ended would learn from it all that it did.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <explore/map_suite.hpp>

#include <syncmap/engine/table/living_maps.hpp>
#include <syncmap/snapshot.hpp>

namespace mutants {

using namespace explore;

template <class... F>
void side_by_side(F&&... functions) {
    sync_policy::atomic<unsigned> ended{0};
    const auto staying = [&](auto& f) {
        return [&] {
            f();
            ended.fetch_add(1, std::memory_order_relaxed);
            while (ended.fetch_add(0, std::memory_order_relaxed) != sizeof...(F)) sync_policy::pause();
        };
    };
    parallel(staying(functions)...);
}

/// A value in a slot whose comparison is the user's: what is to be done with it is not decided under the lock.
struct boxed {
    std::uint64_t number = 0;
    friend bool operator==(const boxed& a, const boxed& b) noexcept { return a.number == b.number; }
};

template <class Layout>
struct with_boxed_values : Layout {
    using mapped_type = boxed;
    using Layout::value_of;
    static std::uint64_t value_of(const boxed& value) noexcept { return value.number; }
};

/// Compares as the keys do, but lets the other threads go first where its own has asked for that.
template <class Layout>
struct with_hesitation : Layout {
    struct hesitation {
        const void* thread;
        std::uint64_t at;
    };
    static inline std::array<hesitation, 2> wanted{};

    struct key_equal {
        bool operator()(const probe& stored, const probe& key) const {
            for (hesitation& each : wanted) {
                if (each.thread != sync_policy::this_thread() || each.at != stored.number()) continue;
                each.thread = nullptr; // once
                sync_policy::pause();
            }
            return stored == key;
        }
    };
};

template <class Layout>
class aimed {
public:
    struct program {
        std::string name;
        std::function<void()> body;
        unsigned stale_reads;
        unsigned preemptions;
    };

    static std::vector<program> all() {
        aimed a;
        a.add_counts();
        a.add_owners();
        a.add_growth();
        a.add_tables_used_again();
        a.add_late_helpers();
        a.add_lines();
        a.add_moves_home();
        a.add_threads();
        a.add_snapshots();
        return std::move(a.list_);
    }

private:
    using key_type = typename Layout::key_type;
    using mapped_type = typename Layout::mapped_type;
    using map_type = visible_map<Layout>;
    using flag = sync_policy::atomic<int>;
    using seen_keys = std::array<unsigned, contents::keys>;

    static constexpr std::size_t slots = visible_engine<Layout>::slots;
    static constexpr std::size_t entries_of_eight_units = slots * 5 / 8 * 7;
    static constexpr std::uint64_t absent = contents::keys - 1; ///< in no setting
    static key_type key(std::uint64_t number) { return Layout::key(number); }
    static mapped_type value(std::uint64_t number) { return mapped_type(number); }

    void add(std::string name, unsigned stale_reads, std::function<void()> body, unsigned preemptions = 1) {
        list_.push_back({std::string(Layout::name) + " aimed " + name, std::move(body), stale_reads, preemptions});
    }

    static void require_consistent(map_type& map) {
        std::size_t seen = 0;
        map.for_each([&](const key_type&, const mapped_type&) { ++seen; });
        require(map.size() == seen, "size agrees with a walk");
    }
    static seen_keys walk(map_type& map) {
        seen_keys seen{};
        map.for_each([&](const key_type& k, const mapped_type&) { ++seen[Layout::number_of(k)]; });
        for (const unsigned each : seen) require(each <= 1, "a walk shows no key twice");
        return seen;
    }
    /// The writes that are enough to finish any resize of so small a table.
    static void write_on(map_type& map) {
        for (std::uint64_t i = 0; i != 8; ++i) map.store(key(keys::first), value(70 + i));
    }
    /// Makes the map one of eight units, and lets go of the table that it had.
    static void grow(map_type& map) {
        map.widen(entries_of_eight_units);
        map.flush();
    }

    // ---- size ----

    void add_counts() {
        // What a stripe counts belongs to one life of the map. The first table is larger, so that the next life has one
        // of its own.
        add("counts|before and after a life", 2, [] {
            map_type map;
            map.widen(entries_of_eight_units);
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
                    require(n == 3 || n <= 1, "size is that of one life");
                });
        });
        for (const bool exact : {true, false}) {
            add(exact ? "counts|after a life" : "counts|about, after a life", 3, [exact] {
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
                        require((exact ? map.size() : map.approx_size()) <= 1, "an earlier life counts no more");
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
        // The slot that a stripe announces is empty again. (By a computation: other writers have a fence behind their
        // lock, and who counts has one, too.) What came between is not counted either.
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
        // An update of two keys has no fence behind its locks, and its stripes may be ones that who counts has not seen yet.
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

    // ---- computations ----

    /// An update is dropped because `clear` came first, so it is ordered before that; who writes to the cleared table
    /// after it must not find the value that it has replaced.
    template <class L>
    static void drop_an_update() {
        using shown = typename L::mapped_type;
        visible_map<L> map;
        map.store(key(keys::first), shown(1));
        flag cleared{0};
        std::uint64_t computed_from = 0, exchanged = 0;
        side_by_side(
            [&] {
                map.update(key(keys::first), [&](const shown* v) {
                    computed_from = v == nullptr ? 0 : L::value_of(*v);
                    while (map.contains(key(keys::first)) && cleared.fetch_add(0, std::memory_order_relaxed) == 0) {
                        sync_policy::pause();
                    }
                    return shown(2);
                });
            },
            [&] {
                map.clear();
                cleared.fetch_add(1, std::memory_order_relaxed);
            },
            [&] {
                if (const auto had = map.exchange(key(keys::first), shown(4))) exchanged = L::value_of(*had);
            });
        require(!(computed_from == 1 && exchanged == 1), "a value is replaced once");
    }

    void add_owners() {
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
                        map.erase(key(absent)); // has its row from here on
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

    // ---- growth: a full unit, and the insert that makes it move ----

    void add_growth() {
        const preparation<Layout> full(setting::growth, true);
        const std::uint64_t last = full.used() - 1; // at the end of the unit's chain
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
        // Who makes the new table the root's has moved the last units, and another thread the first.
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
        // Whoever withdraws the call for help has seen what it was about.
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
        // What is looked at first was not written to by who moved it there.
        add("growth|cleared, what was moved comes first", 2, [full] {
            map_type map;
            full.bring(map);
            side_by_side([&] { map.store(key(in_unit(3, slots)), value(30)); }, [&] { map.clear(); });
            require(map.size() <= 1, "a cleared map has what came after");
            require_consistent(map);
        });
        // One reads in a line behind, one who erases stands in the home line, and a third moves the unit.
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
                [&] { map.widen(entries_of_eight_units); });
            require(map.size() == slots + 3, "all are there");
        });
    }

    // ---- tables whose memory becomes another table's while somebody looks at it ----

    void add_tables_used_again() {
        // From two units to eight and back: the memory of the first table is the last one's.
        const auto there_and_back = [](map_type& map) {
            grow(map);
            map.shrink_to_fit();
        };
        add("used again|load", 2, [there_and_back] {
            map_type map;
            map.store(key(keys::first), value(1));
            map.store(key(keys::apart), value(1));
            side_by_side([&] { there_and_back(map); },
                         [&] { require(map.contains(key(keys::first)), "who stays is found"); });
        });
        add("used again|walk", 2, [there_and_back] {
            map_type map;
            map.store(key(keys::first), value(1));
            map.store(key(keys::apart), value(1));
            side_by_side([&] { there_and_back(map); },
                         [&] {
                             const seen_keys seen = walk(map);
                             require(seen[keys::first] == 1 && seen[keys::apart] == 1,
                                     "a walk misses nothing that stays");
                         });
        });
        // A unit that was filled by moves alone has the version of one that was zeroed.
        add("used again|walk, with a rest", 3, [] {
            map_type map;
            map.store(key(keys::first), value(1));
            map.store(key(keys::apart), value(1));
            side_by_side(
                [&] {
                    grow(map);
                    map.shrink_to_fit();
                    sync_policy::pause();
                    map.widen(entries_of_eight_units);
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
            side_by_side([&] { there_and_back_with_few(map); },
                         [&] { require(map.contains(key(last)), "who stays is found"); });
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
        // Who moved the last unit has only just let go of it.
        add("used again|moved by another", 2, [] {
            map_type map;
            map.store(key(keys::first), value(1));
            map.store(key(keys::apart), value(1));
            side_by_side([&] { map.widen(entries_of_eight_units); },
                         [&] {
                             map.flush();
                             map.shrink_to_fit();
                             map.store(key(keys::first), value(2));
                             map.store(key(keys::apart), value(2));
                         });
            require_consistent(map);
        });
        const preparation<Layout> moving(setting::moving, true);
        // Who moved the last units lets go of them after the table was left; and it is the first one of another life then.
        add(
            "used again|by the first table of another life", 1,
            [moving] {
                map_type map;
                moving.bring(map);
                map.store(key(keys::first), value(1)); // inline keys: the outliers alone are left to move
                side_by_side([&] { map.store(key(keys::first), value(2)); },
                             [&] {
                                 map.clear();
                                 map.reserve(1);
                                 // An outlier. By a thread: outside of them an endless loop is none that is noticed.
                                 if constexpr (std::is_same_v<key_type, std::uint64_t>) map.store(key_type{0}, value(3));
                             });
            },
            2);
        // A unit that was filled by moves alone, and then by moves again, has one and the same version.
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
                                 map.widen(entries_of_eight_units);
                             });
                require(Layout::value_of(*map.load(key(keys::first))) == 1000, "an update is not lost");
                require_consistent(map);
            },
            2);
    }

    // ---- helpers that come late: the resize is over, and its tables are others ----

    void add_late_helpers() {
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
        // By writes alone, which let nobody go first; the helper is the first of the threads, and nothing is left to do when it ends.
        add("late helper|grown again, by writes", 0, [moving, used, fill, finish] {
            map_type map;
            moving.bring(map);
            parallel([&] { map.store(key(keys::apart), value(40)); },
                     [&] {
                         write_on(map); // the growth ends, and its table is free
                         for (std::uint64_t k = keys::fillers; k != used; ++k) map.erase(key(k));
                         write_on(map); // so ends the shrinking, and the larger one is free
                         fill(map);     // into the same two tables
                     });
            finish(map);
        });
        // Whoever owns its key does not look at the root again, and finds a table that is being filled again.
        add("late writer|in a table used again", 0, [moving, used] {
            map_type map;
            map.store(key(keys::apart), value(1));
            moving.bring(map);
            map.store(key(keys::first), value(1)); // helps: the unit of the key apart is moved
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
        // A writer comes to a unit of a table that is being filled again, and lets go of it when it has its stamp.
        add("late writer|beside a merge", 1, [] {
            const auto shown = shown_beside_a_merge(write_on, [](map_type& map) { map.store(key(keys::apart), value(60)); });
            require(shown == 1U || shown == 60U, "it shows what was there");
        });
        // The same by one that changes nothing and asks for no stamp of its own.
        if constexpr (std::equality_comparable<mapped_type>) {
            add("late writer|lets go of a unit that was filled", 1, [] {
                const auto shown = shown_beside_a_merge([](map_type& map) { map.shrink_to_fit(); },
                                                        [](map_type& map) {
                                                            mapped_type expected = value(77);
                                                            static_cast<void>(map.compare_exchange(key(keys::apart), expected, value(60)));
                                                        });
                require(shown == 1U, "it shows what was there");
            });
        }
    }

    /// What a snapshot shows of the key apart, 1 at first, where that was changed after it and its unit is moved by `finish`, into
    /// a table that is used again, beside a late `write`.
    template <class Finish, class Write>
    static std::optional<std::uint64_t> shown_beside_a_merge(Finish finish, Write write) {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::trigger), value(1));
        map.store(key(keys::apart), value(1));
        std::optional<syncmap::snapshot<visible_engine<Layout>>> taken;
        side_by_side(
            [&] {
                grow(map);
                taken.emplace(map.snapshot());
                map.store(key(keys::apart), value(50));
                map.erase(key(keys::trigger)); // begins to shrink; the unit of the key apart is to come
                sync_policy::pause();
                finish(map);
            },
            [&] { write(map); });
        const auto seen = taken->load(key(keys::apart));
        if (!seen) return std::nullopt;
        return Layout::value_of(*seen);
    }

    // ---- overflow lines that go from unit to unit ----

    /// The n-th key of one of the units 1 to 3 of eight.
    static std::uint64_t in_unit(std::uint64_t unit, std::uint64_t n) {
        std::uint64_t number = keys::fillers;
        while (keys::octant(number) != unit) ++number;
        return number + 3 * n;
    }
    static void fill_unit(map_type& map, std::uint64_t unit, std::size_t entries) {
        for (std::uint64_t n = 0; n != entries; ++n) map.store(key(in_unit(unit, n)), value(in_unit(unit, n)));
    }
    static void store_one_more(map_type& map, std::uint64_t unit) {
        map.store(key(in_unit(unit, slots)), value(in_unit(unit, slots)));
    }

    void add_lines() {
        add("lines|taken and given back", 0, [] {
            map_type map;
            map.widen(entries_of_eight_units);
            for (const std::uint64_t unit : {1U, 2U, 3U}) fill_unit(map, unit, slots);
            for (const std::uint64_t unit : {1U, 2U}) store_one_more(map, unit); // the two lines of the table
            for (const std::uint64_t unit : {1U, 2U}) {                          // and both are free again
                map.erase(key(in_unit(unit, slots)));
                map.erase(key(in_unit(unit, slots - 1)));
                map.store(key(in_unit(unit, slots - 1)), value(in_unit(unit, slots - 1)));
            }
            side_by_side([&] { store_one_more(map, 1); },
                         [&] {
                             store_one_more(map, 2);
                             store_one_more(map, 3);
                             map.erase(key(in_unit(2, slots)));
                             map.erase(key(in_unit(2, slots - 1)));
                         });
            fill_unit(map, 2, slots + 1);
            for (const std::uint64_t unit : {1U, 2U, 3U}) {
                for (std::uint64_t n = 0; n != slots + 1; ++n) {
                    const auto found = map.load(key(in_unit(unit, n)));
                    require(found && Layout::value_of(*found) == in_unit(unit, n), "each has what was stored");
                }
            }
            require_consistent(map);
        });
        add("lines|walked through", 0, [] {
            map_type map;
            map.widen(entries_of_eight_units);
            for (const std::uint64_t unit : {1U, 2U}) fill_unit(map, unit, slots);
            store_one_more(map, 1);
            side_by_side([&] { walk(map); },
                         [&] {
                             map.erase(key(in_unit(1, slots)));
                             map.erase(key(in_unit(1, slots - 1)));
                             store_one_more(map, 2);
                         });
        });
    }

    // ---- entries that come from an overflow line to the home line ----

    static constexpr std::uint64_t one_more = keys::fillers + slots - 2;

    /// One full line, the first key in its last slot.
    static void fill_line(map_type& map) {
        map.store(key(keys::trigger), value(30));
        for (std::uint64_t n = keys::fillers; n != one_more; ++n) map.store(key(n), value(n));
        map.store(key(keys::first), value(1));
    }

    void add_moves_home() {
        const auto chain = [](map_type& map) {
            fill_line(map);
            map.store(key(one_more), value(1));
        };
        const auto erase = [](map_type& map) { map.erase(key(keys::trigger)); };
        add("home|looked up on the way", 1, [chain, erase] {
            map_type map;
            chain(map);
            side_by_side([&] { erase(map); }, [&] { require(map.contains(key(keys::first)), "who stays is found"); });
        });
        add("home|stored on the way", 1, [chain, erase] {
            map_type map;
            chain(map);
            side_by_side([&] { erase(map); }, [&] { require(!map.store(key(keys::first), value(90)), "it was there"); });
            require_consistent(map);
        });
        add("home|walked over on the way", 1, [chain, erase] {
            map_type map;
            chain(map);
            side_by_side([&] { erase(map); }, [&] { require(walk(map)[keys::first] == 1, "who stays is walked over"); });
        });
        // All behind comes home, and the line is given back: its second word is the stack's then, and a slot's before.
        add("home|the line is given back", 1, [chain] {
            map_type map;
            chain(map);
            side_by_side(
                [&] {
                    map.erase(key(keys::trigger));
                    map.erase(key(keys::fillers));
                },
                [&] { require(map.contains(key(one_more)), "who stays is found"); });
        });
        add("home|the line is taken again", 3, [chain] {
            map_type map;
            chain(map);
            side_by_side([&] { require(map.contains(key(one_more)), "who stays is found"); },
                         [&] {
                             map.erase(key(keys::trigger));
                             map.erase(key(keys::fillers)); // the line is given back
                             map.store(key(keys::trigger), value(31));
                             map.store(key(keys::fillers), value(32)); // and taken
                         });
        });
        add("home|walked over on the way, by an update of two", 0, [chain] {
            map_type map;
            chain(map);
            parallel([&] { require(walk(map)[keys::first] == 1, "who stays is walked over"); },
                     [&] {
                         const std::array<key_type, 2> both{key(keys::trigger), key(keys::apart)};
                         map.update(both, [](std::span<syncmap::update_slot<mapped_type>> s) {
                             s[0].erase();
                             s[1].assign(value(8));
                         });
                     });
        });
        // From the last slot to a new line, in a table that the reader has come to by MOVED. (Inline keys: the unit of the
        // outliers is still to be moved, so that the root stays what it is.)
        if constexpr (std::is_same_v<key_type, std::uint64_t>) {
            add("home|to a line behind, in the next table", 0, [] {
                map_type map;
                fill_unit(map, 1, slots); // a whole home line of the next table, in this order
                for (const std::uint64_t unit : {2U, 3U}) fill_unit(map, unit, slots - 1);
                map.store(key(keys::trigger), value(30)); // the old unit is full: the table is left, and that unit moved
                require(map.engine().is_moving(), "the map is moving");
                parallel([&] { require(map.contains(key(in_unit(1, slots - 1))), "who stays is found"); },
                         [&] { store_one_more(map, 1); });
            });
        }
        // From the last slot to a new line, and back into another slot.
        for (const unsigned preemptions : {1U, 3U}) {
            add("home|there and back, left " + std::to_string(preemptions) + " times", 0,
                [erase] {
                    map_type map;
                    fill_line(map);
                    side_by_side(
                        [&] {
                            map.store(key(one_more), value(1));
                            erase(map);
                        },
                        [&] { require(map.contains(key(keys::first)), "who stays is found"); });
                },
                preemptions);
        }
    }

    // ---- threads: their stripes, and their end in a fork ----

    void add_threads() {
        // The third and fourth thread of a map share a block of stripes.
        add("threads|far stripes", 1, [] {
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
            using living = syncmap::engine::living_maps<sync_policy>;
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

    // ---- snapshots ----

    void add_snapshots() {
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
            side_by_side([&] { map.widen(entries_of_eight_units); }, [&] { map.clear(); });
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
        // Its unit is changed, and then becomes one of another table, without a stamp.
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
        // The table is emptied, and the unit not filled yet.
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
        // The table of the cut is left, and another life is prepared in it, before its entries are counted.
        const preparation<Layout> moving(setting::moving, true);
        add(
            "snapshots|taken while another life is prepared", 0,
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
                                "a snapshot is of no later life than what is seen after it");
                    });
            },
            2);
        // Who reads one waits for nobody: all others stand still from some point on.
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
        // Phases begin anew, by a resize to the same size, while another one is made.
        add("snapshots|phases used up", 1, [] {
            syncmap::basic_map<few_phases> map;
            map.store(key(keys::first), value(1));
            map.store(key(keys::apart), value(1));
            for (std::uint32_t i = 0; i != scarce_phases::most_snapshots; ++i) static_cast<void>(map.snapshot());
            side_by_side(
                [&] {
                    const auto taken = map.snapshot();
                    require(taken.size() == 2 && taken.load(key(keys::first)).has_value(), "it shows what is there");
                },
                [&] { map.widen(entries_of_eight_units); });
        });
    }

    struct scarce_phases : sync_policy {
        static constexpr std::uint32_t most_snapshots = 2;
    };
    using few_phases =
        syncmap::engine::table<key_type, mapped_type, typename Layout::hasher, typename Layout::key_equal,
                               allocator<std::pair<const key_type, mapped_type>>, scarce_phases>;

    std::vector<program> list_;
};

} // namespace mutants
