// The programs that look for mutants of one slot format: those of the explorer's tests, and what is made here to reach
// what they reach rarely. Each is a function of its bounds, so that a search can come back to it with more schedules.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <explore/cache_bodies.hpp>
#include <explore/compact_bodies.hpp>
#include <explore/map_bodies.hpp>
#include <explore/map_forms.hpp>
#include <explore/map_messages.hpp>
#include <explore/map_real_time.hpp>
#include <explore/map_sizes.hpp>
#include <explore/map_steps.hpp>
#include <explore/map_suite.hpp>
#include <explore/overwrite_programs.hpp>

#include <syncmap/errors.hpp>
#include <syncmap/walk_position.hpp>

#include "aimed.hpp"

namespace mutants {

enum class kind : unsigned char {
    brief,   ///< a few operations
    by_hand, ///< a few operations that say themselves what is wrong
    lengthy, ///< one operation beside the lives of several tables: best searched depth first
    form,    ///< one form of a write beside an operation on the whole map, or calls for help (explore/map_forms.hpp)
    aimed    ///< made for the steps that it comes by: searched first, and far
};

struct program {
    std::function<report(limits)> run;
    kind of;
};

/// Without an order of the calls, for what is wrong with memory, and with it, for wrong answers.
template <class Layout>
void add_both_orders(std::vector<program>& list, const map_program& m, reuse memory) {
    for (const bool ordered : {false, true}) {
        const auto run = [m, memory, ordered](limits bounds) {
            bounds.memory = memory;
            bounds.ordered_calls = ordered;
            return explore_program<Layout>(m, bounds);
        };
        list.push_back({run, kind::brief});
    }
}

/// Of two threads that write and then look one sees what the other wrote.
template <class Layout>
void add_real_time(std::vector<program>& list) {
    each_two_that_write_and_look<Layout>(std::memory_order_seq_cst,
                                         [&](const std::string& name, std::function<void()> body, looking) {
                                             const auto run = [name, body](limits bounds) {
                                                 bounds.stale_reads = std::max(bounds.stale_reads, 4U);
                                                 return explore::explore(name, bounds, body);
                                             };
                                             list.push_back({run, kind::by_hand});
                                         });
}

template <class Layout>
class programs {
public:
    static std::vector<program> all() {
        programs p;
        p.add_aimed();
        p.add_messages();
        add_real_time<Layout>(p.list_);
        p.add_counts();
        for (const setting where : all_settings) {
            each_pair_on_one_key<Layout>(where, [&](const map_program& m) { p.add(m, reuse::never); });
        }
        each_longer_program([&](const map_program& m, reuse memory) { p.add(m, memory); });
        if constexpr (std::is_same_v<Layout, inline_layout>) {
            each_overwrite_program([&](const char*, const map_program& m) { p.add(m, reuse::never); });
            each_overwrite_form<Layout>([&](const form<Layout>& where, const std::string& name, const auto& threads) {
                p.template add_threads<Layout>(where, name, threads);
            });
        }
        p.add_made_by_hand();
        p.add_two_looks();
        p.add_multi_updates();
        p.add_bodies();
        p.add_caches();
        p.add_boxed_values();
        p.add_forks();
        p.add_chains();
        p.add_forms();
        each_step<Layout>([&](const std::string& name, const std::function<void()>& body) { p.add(name, body); });
        for (unsigned seed = 1; seed <= 300; ++seed)
            p.add(by_chance(seed), seed % 3 == 0 ? reuse::at_once : seed % 3 == 1 ? reuse::by_thread : reuse::never);
        return std::move(p.list_);
    }

private:
    using key_type = typename Layout::key_type;
    using mapped_type = typename Layout::mapped_type;
    using map_type = visible_map<Layout>;

    static constexpr std::uint64_t absent = contents::keys - 1; ///< in no setting
    static key_type key(std::uint64_t number) { return Layout::key(number); }
    static mapped_type value(std::uint64_t number) { return mapped_type(number); }
    static constexpr std::size_t entries_of_eight_buckets() { return visible_engine<Layout>::slots * 5 / 8 * 7; }

    void add(const map_program& m, reuse memory) { add_both_orders<Layout>(list_, m, memory); }
    void add(const std::string& name, const std::function<void()>& body, kind of = kind::by_hand) {
        for (const reuse memory : {reuse::never, reuse::at_once}) {
            const auto run = [name, memory, body](limits bounds) {
                bounds.memory = memory;
                return explore::explore(std::string(Layout::name) + " weak " + name + name_of(memory), bounds, body);
            };
            list_.push_back({run, of});
        }
    }

    template <class L>
    void add_threads(const form<L>& where, const std::string& name, const std::vector<std::vector<step>>& threads) {
        const auto run = [where, name, threads](const limits& bounds) {
            return explore_threads<L>(std::string(L::name) + (bounds.weak ? " weak " : " ") + name, where, threads, bounds);
        };
        list_.push_back({run, kind::form});
    }
    template <class L>
    void add_forms(const std::vector<form<L>>& forms) {
        for (const form<L>& one : forms) {
            each_program_of<L>(one, [&](const std::string& name, const auto& threads) { add_threads<L>(one, name, threads); });
        }
    }
    void add_forms() {
        add_forms(all_forms<Layout>());
        if constexpr (std::is_same_v<Layout, inline_layout>) add_forms(all_sentinel_key_forms());
        each_program_of_help<Layout>([&](const form<Layout>& where, const std::string& name, const auto& threads) {
            add_threads<Layout>(where, name, threads);
        });
    }

    void add_aimed() {
        for (const auto& each : aimed<Layout>::all()) {
            const auto run = [each](limits bounds) {
                bounds.stale_reads = std::max(bounds.stale_reads, each.stale_reads);
                bounds.preemptions = std::max(bounds.preemptions, each.preemptions);
                return explore::explore(each.name, bounds, each.body);
            };
            list_.push_back({run, kind::aimed});
        }
    }

    void add_messages() {
        each_message<Layout>([&](const std::string& name, std::function<void()> body) {
            list_.push_back(
                {[name, body](const limits& bounds) { return explore::explore(name, bounds, body); }, kind::by_hand});
        });
    }

    void add_counts() {
        explore::each_count<Layout>([&](const std::string& name, std::function<void()> body, unsigned stale_reads) {
            list_.push_back({[name, body, stale_reads](limits bounds) {
                                 bounds.stale_reads = std::max(bounds.stale_reads, stale_reads);
                                 return explore::explore(name, bounds, body);
                             },
                             kind::lengthy});
        });
    }

    /// What failed once, and what a removal needs that pairs do not have.
    void add_made_by_hand() {
        const step size{verb::size, 0};
        const auto store = [](std::uint64_t k, std::uint64_t v) { return step{verb::store, k, v}; };
        const auto erase = [](std::uint64_t k) { return step{verb::erase, k}; };
        const std::vector<step> churn{store(keys::first, 100), erase(keys::first), store(keys::first, 102), erase(keys::first)};
        for (const reuse memory : {reuse::never, reuse::at_once}) {
            add({setting::clear,
                 true,
                 {{{verb::update, keys::first, 12}}, {store(keys::second, 21)}, {{verb::update, keys::second, 30}}}},
                memory);
            for (const bool present : {false, true}) {
                add({setting::clear, present, {{{verb::update, keys::first, 12}}, {{verb::exchange, keys::first, 21}}}},
                    memory);
            }
            add({setting::plain, false, {{store(keys::first, 11)}, {{verb::load_or_compute, keys::first, 12}}}}, memory);
            add({setting::shrink, true, {{{verb::load, keys::first}}, {{verb::clear, 0}}}}, memory);
            add({setting::plain, false, {{size, size}, churn, {size, store(keys::apart, 40)}}}, memory);
            add({setting::plain, false, {{size}, {store(keys::first, 10), store(keys::apart, 11), erase(keys::first)}, {size}}},
                memory);
            add({setting::plain, true, {{size}, {erase(keys::first), store(keys::first, 11)}}}, memory);
            add({setting::moving, true, {{size}, {erase(keys::first), store(keys::apart, 11)}}}, memory);
            add({setting::shrink,
                 false,
                 {{{verb::snapshot, 0}}, {store(keys::apart, 40), store(keys::first, 41), store(keys::second, 42)}}},
                memory);
            add({setting::growth,
                 true,
                 {{{verb::for_each, 0}}, {erase(keys::first), store(keys::second, 50), store(keys::first, 51)}}},
                memory);
            // Lines behind the home line: they come and go while they are looked through.
            for (const verb look : {verb::load, verb::store, verb::exchange, verb::erase, verb::for_each, verb::update}) {
                for (const std::uint64_t at : {keys::first, keys::second, keys::fillers + 1}) {
                    add({setting::growth,
                         true,
                         {{make_step(look, at, 1, true)}, {erase(keys::fillers), store(keys::second, 60)}}},
                        memory);
                }
            }
        }
    }

    /// Counts up by comparing and exchanging, and passes a value on by exchanging: nothing is lost.
    void add_boxed_values() {
        if constexpr (Layout::has_integral_value) {
            using boxes = with_boxed_values<Layout>;
            const auto count_up = [](visible_map<boxes>& map) {
                std::optional<boxed> seen = boxed{0};
                while (!map.compare_exchange(key(keys::first), seen, boxed{seen->number + 1})) {}
            };
            add("boxed values|count", [count_up] {
                visible_map<boxes> map;
                map.store(key(keys::first), boxed{0});
                parallel([&] { count_up(map); }, [&] { count_up(map); });
                require(map.load(key(keys::first))->number == 2, "both have counted");
            });
            add("boxed values|exchange", [] {
                visible_map<boxes> map;
                map.store(key(keys::first), boxed{1});
                std::uint64_t a = 0, b = 0;
                parallel([&] { a = map.exchange(key(keys::first), boxed{2})->number; },
                         [&] { b = map.exchange(key(keys::first), boxed{4})->number; });
                require(a + b + map.load(key(keys::first))->number == 7, "each value is given out once");
            });
            add("boxed values|take", [] {
                visible_map<boxes> map;
                std::uint64_t taken = 0;
                parallel([&] { map.store(key(keys::first), boxed{1}); },
                         [&] {
                             const auto had = map.load_or_store(key(keys::first), boxed{2});
                             taken = had.loaded ? had.value.number : 0;
                         });
                const std::uint64_t left = map.load(key(keys::first))->number;
                require(left == 1, "a store is not lost");
                require(taken == 0 || taken == 1, "what is loaded was stored");
            });
        }
    }

    /// A fork in which the parent goes on: the hooks stop the writers and let them go again.
    void add_forks() {
        for (const setting where : all_settings) {
            const preparation<Layout> prepared(where, true);
            for (const verb what : {verb::store, verb::erase, verb::update, verb::clear, verb::snapshot, verb::flush}) {
                add(std::string("fork|") + name_of(where) + "|" + name_of(what), [prepared, what] {
                    map_type map;
                    prepared.bring(map);
                    parallel(
                        [&] {
                            using living = syncmap::engine::map_registry<sync_policy>;
                            living::before_fork();
                            living::after_fork_in_parent();
                        },
                        [&] {
                            switch (what) {
                            case verb::store: map.store(key(keys::first), value(7)); break;
                            case verb::erase: map.erase(key(keys::first)); break;
                            case verb::update: map.update(key(keys::first), [](const mapped_type*) { return value(8); }); break;
                            case verb::clear: map.clear(); break;
                            case verb::snapshot: static_cast<void>(map.snapshot().size()); break;
                            default: map.flush();
                            }
                        },
                        [&] { map.store(key(keys::second), value(9)); });
                    std::size_t seen = 0;
                    map.for_each([&](const key_type&, const mapped_type&) { ++seen; });
                    require(map.size() == seen, "size agrees with a walk");
                });
            }
        }
    }

    /// The lines behind a home line are given back and taken again while others look through them: a thread that finds a key
    /// gone sees what came before. And what a thread that has seen nothing of the map does beside the first store.
    void add_chains() {
        const preparation<Layout> prepared(setting::growth, true);
        const std::uint64_t last = prepared.used() - 1;
        for (const std::uint64_t wanted : {last, last - 1, keys::fillers, keys::first}) {
            for (const bool again : {false, true}) {
                add("chain|" + std::to_string(last - wanted) + (again ? "|again" : ""), [prepared, last, wanted, again] {
                    map_type map;
                    prepared.bring(map);
                    sync_policy::atomic<int> note{0};
                    parallel(
                        [&] {
                            if (!map.contains(key(wanted))) {
                                require(note.load(std::memory_order_relaxed) != 0, "who finds it gone sees the note");
                            }
                        },
                        [&] {
                            note.store(1, std::memory_order_relaxed);
                            for (std::uint64_t k = last; k >= keys::fillers; --k) map.erase(key(k));
                            if (again) {
                                for (std::uint64_t k = keys::fillers; k <= last; ++k) map.store(key(k), value(2 * k));
                            }
                            map.erase(key(keys::first));
                        });
                });
            }
        }
        add("first store|shrink_to_fit", [] {
            map_type map;
            parallel([&] { map.store(key(keys::first), value(1)); }, [&] { map.shrink_to_fit(); });
        });
        add("first store|flush", [] {
            map_type map;
            parallel([&] { map.store(key(keys::first), value(1)); }, [&] { map.flush(); });
        });
        add("first store|load_many", [] {
            map_type map;
            parallel([&] { map.store(key(keys::first), value(1)); },
                     [&] {
                         const std::array<key_type, 2> both{key(keys::first), key(keys::apart)};
                         std::array<std::optional<mapped_type>, 2> found{};
                         map.load_many(both, found);
                     });
        });
        add("first store|approximate size", [] {
            map_type map;
            parallel([&] { map.store(key(keys::first), value(1)); },
                     [&] { require(map.approx_size() <= 1, "no more than was stored"); });
        });
        add("first store|replace", [] {
            map_type map, next;
            next.store(key(keys::first), value(1));
            parallel([&] { map.store(key(keys::apart), value(1)); }, [&] { map.replace(std::move(next)); });
        });
    }

    /// A thread that has seen a write, and looks again by other means, sees it again.
    void add_two_looks() {
        constexpr verb writes[] = {verb::store, verb::erase, verb::update, verb::update_erase, verb::exchange, verb::clear};
        constexpr verb looks[] = {verb::load, verb::for_each, verb::size, verb::snapshot, verb::erase_if, verb::load_or_store};
        for (const setting where : all_settings) {
            for (const verb what : writes) {
                for (const verb one : looks) {
                    for (const verb other : looks) {
                        if (one == other) continue;
                        for (const bool present : {true, false}) {
                            if (!present && where != setting::plain) continue;
                            const std::vector<step> both{make_step(one, keys::first, 1, present),
                                                         make_step(other, keys::first, 1, present)};
                            add({where, present, {{make_step(what, keys::first, 0, present)}, both}}, reuse::never);
                        }
                    }
                }
            }
        }
    }

    // ---- updates of two keys; no program reads two keys one by one, which may see half an update ----

    void add_multi_updates() {
        const auto add_to = [](std::uint64_t k, std::uint64_t other, std::uint64_t operand) {
            return step{verb::add_to_two, k, operand, {}, other};
        };
        const auto swap = [](std::uint64_t k, std::uint64_t other) { return step{verb::swap_two, k, 0, {}, other}; };
        const std::vector<std::vector<step>> others = {
            {add_to(keys::apart, keys::first, 100)},
            {swap(keys::apart, keys::first), {verb::size, 0}},
            {{verb::store, keys::first, 21}, {verb::store, keys::apart, 22}},
            {{verb::update, keys::apart, 21}, {verb::update, keys::first, 22}},
            {{verb::update_erase, keys::first}, {verb::size, 0}},
            {{verb::erase, keys::first}, {verb::snapshot, 0}},
            {{verb::snapshot, 0}, {verb::load, keys::apart}, {verb::snapshot, 0}},
            {{verb::clear, 0}, {verb::size, 0}, {verb::reserve, 0}},
        };
        for (const setting where : all_settings) {
            for (const bool present : {true, false}) {
                for (const auto& other : others) {
                    add({where, present, {{add_to(keys::first, keys::apart, 11)}, other}}, reuse::never);
                    add({where, present, {{swap(keys::first, keys::second), add_to(keys::apart, keys::first, 7)}, other}},
                        reuse::at_once);
                }
            }
        }
    }

    /// Of all operations. One in three is about updates of two keys.
    static map_program by_chance(unsigned seed) {
        std::minstd_rand chance(seed * 7919);
        const auto one_of = [&](const auto& list) { return list[chance() % std::size(list)]; };
        static constexpr std::uint64_t places[] = {keys::first, keys::second, keys::apart, keys::first};
        static constexpr verb of_one[] = {
            verb::load,   verb::store,        verb::erase,           verb::exchange, verb::load_or_store, verb::load_and_erase,
            verb::update, verb::update_erase, verb::load_or_compute, verb::for_each, verb::erase_if,      verb::size,
            verb::clear,  verb::snapshot,     verb::reserve,         verb::flush,    verb::store,         verb::erase,
            verb::load,   verb::replace,      verb::snapshot,        verb::size};
        static constexpr verb of_two[] = {verb::add_to_two, verb::swap_two, verb::store,    verb::update, verb::update_erase,
                                          verb::exchange,   verb::size,     verb::snapshot, verb::clear,  verb::load,
                                          verb::reserve,    verb::flush,    verb::erase};
        const bool two = seed % 3 == 1;
        map_program m{one_of(all_settings), chance() % 2 == 0, {}};
        bool has_read = false;
        std::uint64_t stored = 100;
        for (std::uint64_t t = 0, threads = 2 + chance() % 2; t != threads; ++t) {
            std::vector<step> steps;
            for (std::uint64_t left = 1 + chance() % 4; left != 0; --left) {
                const std::uint64_t at = one_of(places);
                std::uint64_t other = at;
                while (other == at) other = one_of(places);
                verb what = two ? one_of(of_two) : one_of(of_one);
                if (two && what == verb::load && std::exchange(has_read, true)) what = verb::size;
                const bool many =
                    !two && chance() % 4 == 0 && (what == verb::load || what == verb::store || what == verb::erase);
                stored += 1 + chance() % 3;
                steps.push_back({what, at, stored, {}, other, many});
            }
            m.threads.push_back(std::move(steps));
        }
        return m;
    }

    // ---- what no history says ----

    /// Steps of a walk beside what changes the table; keys 0 and 3 are there throughout.
    void add_walks(const char* name, setting where, const std::function<void(map_type&, bool&)>& meanwhile) {
        const preparation<Layout> prepared(where, true);
        const auto shows = [](const map_type& map) {
            std::array<unsigned, contents::keys> seen{};
            for (syncmap::walk_position at; !at.at_end();) {
                at = map.for_each_from(at, [&](const key_type& k, const mapped_type&) { ++seen[Layout::number_of(k)]; });
            }
            for (const unsigned each : seen) require(each <= 1, "a walk in steps shows no key twice");
            return seen;
        };
        add(std::string("walk in steps|") + name, [prepared, meanwhile, shows] {
            map_type map;
            prepared.bring(map);
            map.store(key(keys::apart), value(5));
            bool cleared = false;
            parallel(
                [&] {
                    const auto seen = shows(map);
                    if (!cleared) {
                        require(seen[keys::first] == 1 && seen[keys::apart] == 1, "a walk misses nothing that stays");
                    }
                },
                [&] { meanwhile(map, cleared); });
            shows(map);
        });
    }

    /// One thread does `beside` while another lets tables grow, shrink and be used again; with `clears`, for other
    /// lives of the map as well. Without, the keys 0 and 3 are there throughout.
    void add_lives(const char* name, bool clears, const std::function<void(map_type&)>& beside) {
        for (const setting where : {setting::plain, setting::moving, setting::shrink}) {
            const preparation<Layout> prepared(where, true);
            add(
                std::string(clears ? "lives|" : "tables|") + name_of(where) + "|" + name,
                [prepared, clears, beside] {
                    map_type map;
                    prepared.bring(map);
                    map.store(key(keys::apart), value(5));
                    parallel([&] { beside(map); },
                             [&] {
                                 for (int generation = 0; generation != 2; ++generation) {
                                     map.reserve(entries_of_eight_buckets());
                                     map.store(key(keys::second), value(3));
                                     if (clears) {
                                         map.clear();
                                         map.store(key(keys::first), value(4));
                                     } else {
                                         map.erase(key(keys::second));
                                         map.shrink_to_fit();
                                     }
                                     map.flush();
                                 }
                             });
                    if (!clears) require(map.contains(key(keys::apart)), "what nobody erases stays");
                    std::size_t seen = 0;
                    map.for_each([&](const key_type&, const mapped_type&) { ++seen; });
                    require(map.size() == seen, "size agrees with a walk");
                    map.clear();
                    require(map.size() == 0, "a cleared map is empty");
                    map.flush();
                },
                kind::lengthy);
        }
    }

    void add_all_lives(bool clears) {
        const bool steady = !clears;
        const auto there = [steady](bool seen) { require(seen || !steady, "who stays is seen"); };
        add_lives("load", clears, [there](map_type& map) { there(map.load(key(keys::first)).has_value()); });
        add_lives("load apart", clears, [there](map_type& map) { there(map.load(key(keys::apart)).has_value()); });
        add_lives("load absent", clears,
                  [](map_type& map) { require(!map.contains(key(absent)), "who was never stored is not seen"); });
        add_lives("visit", clears, [there](map_type& map) { there(map.visit(key(keys::first), [](const mapped_type&) {})); });
        add_lives("store", clears, [](map_type& map) { map.store(key(keys::first), value(20)); });
        add_lives("insert", clears, [](map_type& map) { map.store(key(absent), value(20)); });
        add_lives("erase", clears, [steady](map_type& map) {
            const bool erased = map.erase(key(keys::first));
            require(erased || !steady, "who stays can be erased");
            if (steady) require(!map.contains(key(keys::first)), "who was erased is gone");
        });
        add_lives("exchange", clears, [there](map_type& map) { there(map.exchange(key(keys::first), value(20)).has_value()); });
        add_lives("update", clears, [there](map_type& map) {
            bool seen = false;
            map.update(key(keys::first), [&](const mapped_type* v) {
                seen = v != nullptr;
                return value(20);
            });
            there(seen);
        });
        add_lives("compute", clears, [there](map_type& map) {
            there(map.load_or_compute(key(keys::first), [] { return value(31); }).loaded);
            static_cast<void>(map.load_or_compute(key(absent), [] { return value(31); }));
        });
        add_lives("snapshot", clears, [there](map_type& map) {
            const auto s = map.snapshot();
            std::size_t seen = 0;
            s.for_each([&](const key_type&, const mapped_type&) { ++seen; });
            require(s.size() == seen, "a snapshot has as many entries as it says");
            there(s.load(key(keys::first)).has_value() && s.load(key(keys::apart)).has_value());
        });
        add_lives("walk", clears, [steady](map_type& map) {
            std::array<unsigned, contents::keys> seen{};
            map.for_each([&](const key_type& k, const mapped_type&) { ++seen[Layout::number_of(k)]; });
            for (const unsigned each : seen) require(each <= 1, "a walk shows no key twice");
            if (steady) require(seen[keys::first] == 1 && seen[keys::apart] == 1, "a walk misses nothing that stays");
        });
        add_lives("erase_if", clears, [](map_type& map) {
            map.erase_if([](const key_type& k, const mapped_type&) { return Layout::number_of(k) == keys::first; });
        });
        add_lives("size", clears, [steady](map_type& map) {
            const std::size_t n = map.size();
            if (steady) require(n >= 2, "size counts those who stay");
        });
        add_lives("two keys", clears, [](map_type& map) {
            const std::array<key_type, 2> both{key(keys::first), key(keys::apart)};
            map.update(both, [&](std::span<syncmap::update_slot<mapped_type>> s) {
                for (auto& each : s) each.assign(value(40));
            });
        });
        add_lives("batches", clears, [steady](map_type& map) {
            const std::array<key_type, 3> three{key(keys::first), key(keys::second), key(keys::apart)};
            std::array<std::optional<mapped_type>, 3> found{};
            map.load_many(three, found);
            if (steady) require(found[0] && found[2], "who stays is seen");
        });
        add_lives("flush", clears, [](map_type& map) { map.flush(); });
        add_lives("approximate size", clears, [](map_type& map) { static_cast<void>(map.approx_size()); });
        if (clears) {
            add_lives("reserve", clears, [](map_type& map) { map.reserve(entries_of_eight_buckets()); });
            add_lives("clear", clears, [](map_type& map) { map.clear(); });
            add_lives("clear and go on", clears, [](map_type& map) {
                map.clear();
                map.reserve(entries_of_eight_buckets());
                map.store(key(keys::first), value(50));
            });
        }
    }

    /// The cache has one layout: its entries are nodes.
    void add_caches() {
        if constexpr (std::is_same_v<Layout, node_layout>) {
            cache_bodies::each_program([&](const std::string& name, const std::function<void()>& body) {
                // Calls that are coalesced share what they wish for. The counts of std::shared_ptr are plain where the process
                // has one thread, as here, and the watch over plain accesses would report them.
                if (name.find("coalesced") == std::string::npos) add("cache, " + name, body);
            });
        }
        if constexpr (std::is_same_v<Layout, inline_layout>) {
            compact_bodies::each_program(
                [&](const std::string& name, const std::function<void()>& body) { add("compact, " + name, body); });
        }
    }

    void add_bodies() {
        each_pin<Layout>([&](const std::string& name, const std::function<void()>& body) { add(name, body); });
        each_collection<Layout>([&](const std::string& name, const std::function<void()>& body) { add(name, body); });

        const auto churn = [](map_type& map, bool&) {
            for (std::uint64_t i = 0; i != 3; ++i) {
                map.store(key(keys::second), value(10 + i));
                map.erase(key(keys::second));
            }
        };
        add_walks("churn", setting::plain, churn);
        add_walks("churn", setting::moving, churn);
        add_walks("growth", setting::growth, [](map_type& map, bool&) { map.store(key(keys::trigger), value(30)); });
        add_walks("shrink", setting::shrink, [](map_type& map, bool&) {
            map.erase(key(keys::trigger));
            map.shrink_to_fit();
        });
        add_walks("clear", setting::plain, [](map_type& map, bool& cleared) {
            cleared = true;
            map.clear();
            map.store(key(keys::first), value(9));
        });

        add_all_lives(false);
        add_all_lives(true);

        add("two keys, computed one by one", compute_two_keys_one_by_one<Layout>);
        add("ten keys into small buckets", insert_ten_keys<Layout>);
        const preparation<Layout> moving(setting::moving, true);
        for (const std::uint64_t other : {keys::apart, keys::second}) {
            add("two keys in two tables, 0+" + std::to_string(other),
                [moving, other] { update_in_two_tables<Layout>(moving, other); });
        }
        add("two keys in two tables beside clear", [moving] { update_in_two_tables_beside_clear<Layout>(moving); });

        add("crossed computations", [] {
            map_type map;
            int errors = 0;
            const auto compute = [&](std::uint64_t outer, std::uint64_t inner) {
                try {
                    map.update(key(outer), [&](const mapped_type*) {
                        map.update(key(inner), [](const mapped_type*) { return value(1); });
                        return value(2);
                    });
                } catch (const syncmap::recursive_update&) {
                    return 1;
                }
                return 0;
            };
            int of_first = 0, of_second = 0;
            parallel([&] { of_first = compute(keys::first, keys::second); },
                     [&] { of_second = compute(keys::second, keys::first); });
            errors = of_first + of_second;
            require(errors <= 1, "not both gave up");
        });
    }

    std::vector<program> list_;
};

} // namespace mutants
