// The programs that look for mutants of `snapshot_map`.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <explore/map_messages.hpp>
#include <explore/map_suite.hpp>
#include <explore/snapshot_map_program.hpp>

#include "programs.hpp"

namespace mutants {

/// A template still, so that the flagship's checks need not compile it.
template <std::same_as<snapshot_layout> Layout>
class programs<Layout> {
public:
    static std::vector<program> all() {
        programs p;
        p.add_aimed();
        for (const bool after_a_walk : {false, true}) {
            const auto add = [&](const std::string& name, std::function<void()> body) {
                p.list_.push_back(
                    {[name, body](const limits& bounds) { return explore::explore(name, bounds, body); }, kind::brief});
            };
            each_message<Layout>(add, after_a_walk);
        }
        add_real_time<Layout>(p.list_);
        for (const setting where : all_settings) {
            each_pair_on_one_key<Layout>(where, [&](const map_program& m) { p.add(m, reuse::never); });
        }
        each_longer_program([&](const map_program& m, reuse memory) { p.add(m, memory); });
        std::vector<verb> verbs = all_verbs<Layout>();
        verbs.insert(verbs.end(), {verb::reserve, verb::flush, verb::load_and_erase});
        for (unsigned seed = 1; seed <= 300; ++seed) {
            std::minstd_rand chance(seed * 7919);
            const setting where = all_settings[seed % std::size(all_settings)];
            p.add(program_by_chance(where, verbs, chance), seed % 2 == 0 ? reuse::at_once : reuse::never);
        }
        return std::move(p.list_);
    }

private:
    using map_type = visible_map<Layout>;
    static auto first() { return Layout::key(keys::first); }
    static auto value(std::uint64_t number) { return value_for<Layout>(number); }

    /// For the steps that others come by too rarely; their names stand in aims.txt.
    void add_aimed() {
        const auto aimed = [&](const std::string& name, unsigned preemptions, std::function<void()> body) {
            const auto run = [name, preemptions, body](limits bounds) {
                bounds.preemptions = std::max(bounds.preemptions, preemptions);
                return explore::explore(std::string(Layout::name) + " weak aimed " + name, bounds, body);
            };
            list_.push_back({run, kind::aimed});
        };

        // A new key is counted within the mutex, which a thread that only counts never takes.
        aimed("count of a new key", 1, [] {
            map_type map;
            map.store(Layout::key(keys::apart), value(5));
            sync_policy::atomic<int> note{0};
            parallel(
                [&] {
                    note.store(1, std::memory_order_relaxed);
                    map.store(first(), value(2));
                },
                [&] {
                    if (map.size() == 2) require(note.load(std::memory_order_relaxed) == 1, "the count tells of the note");
                });
        });

        // `size` meets a change guard, takes the mutex, and finds that it has ended.
        aimed("count behind a change guard", 3, [] {
            map_type map;
            map.store(first(), value(1));
            map.store(Layout::key(keys::apart), value(5));
            sync_policy::atomic<int> note{0};
            parallel(
                [&] {
                    note.store(1, std::memory_order_relaxed);
                    map.erase(first());
                },
                [&] {
                    if (map.size() == 1) require(note.load(std::memory_order_relaxed) == 1, "the count tells of the note");
                });
        });

        // A `clear` forgets what is counted; a change guard in the midst of it would be counted afterwards.
        aimed("erase beside clear", 2, [] {
            map_type map;
            map.store(first(), value(1));
            map.store(Layout::key(keys::apart), value(5));
            parallel([&] { map.erase(first()); }, [&] { map.clear(); });
            require(map.size() == 0, "a cleared map has no entries");
        });

        // A thread that inserts a key that another has erased comes after that one, however the key stood in between.
        const auto each_lock = [&](const std::string& name, bool computed, bool rebuilt) {
            aimed(name, 2, [computed, rebuilt] {
                map_type map;
                const auto other = Layout::key(keys::apart);
                map.store(first(), value(1));
                if (rebuilt) map.store(other, value(5));
                map.for_each([](const auto&, const auto&) {}); // now both are in the snapshot
                map.erase(first());
                sync_policy::atomic<int> guarded{0};
                const auto locked_increment = [&] {
                    bool locked = false;
                    if (computed) {
                        map.update(first(), [&](const auto* now) {
                            locked = now == nullptr;
                            return value(2);
                        });
                    } else {
                        locked = map.insert(first(), value(2));
                    }
                    if (!locked) return 0;
                    guarded.store(guarded.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
                    map.erase(first());
                    return 1;
                };
                int a = 0;
                int b = 0;
                const auto rebuild = [&] {
                    rebuilt ? map.reserve(visible_engine<Layout>::many_entries) : static_cast<void>(map.store(other, value(6)));
                };
                parallel([&] { a = locked_increment(); }, [&] { b = locked_increment(); }, rebuild);
                require(guarded.load() == a + b, "an insertion comes after the erasure that it follows");
            });
        };
        each_lock("lock by insertion", false, false);
        each_lock("lock by computation", true, false);
        each_lock("lock by insertion beside a rebuilding", false, true);
        each_lock("lock by computation beside a rebuilding", true, true);

        // A computation that fails leaves the value of another thread as it was.
        aimed("failing computation", 2, [] {
            map_type map;
            map.store(first(), value(1));
            sync_policy::atomic<int> note{0};
            struct failure {};
            parallel(
                [&] {
                    note.store(1, std::memory_order_relaxed);
                    map.store(first(), value(2));
                },
                [&] {
                    try {
                        map.update(first(), [](const auto*) -> typename Layout::mapped_type { throw failure(); });
                    } catch (const failure&) {}
                },
                [&] {
                    const auto seen = map.load(first());
                    if (Layout::value_of(*seen) == 2) {
                        require(note.load(std::memory_order_relaxed) == 1, "the value tells of the note");
                    }
                });
        });
    }

    void add(const map_program& m, reuse memory) { add_both_orders<Layout>(list_, m, memory); }

    std::vector<program> list_;
};

} // namespace mutants
