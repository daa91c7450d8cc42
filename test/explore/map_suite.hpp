// What programs there are: the operations that they are made of, every pair of them, and longer ones made by hand.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include <explore/map_program.hpp>

namespace explore {

inline bool full_run() {
    static const bool full = std::getenv("SYNCMAP_FULL") != nullptr;
    return full;
}

template <class Layout>
std::vector<verb> all_verbs() {
    std::vector<verb> verbs{verb::load,          verb::store,
                            verb::erase,         verb::exchange,
                            verb::load_or_store, verb::compare_exchange,
                            verb::compare_erase, verb::update,
                            verb::update_erase,  verb::load_or_compute,
                            verb::for_each,      verb::erase_if,
                            verb::size,          verb::clear};
    if (visible_map<Layout>::has_snapshots) verbs.push_back(verb::snapshot);
    if (visible_map<Layout>::has_replace) verbs.push_back(verb::replace);
    if (Layout::has_integral_value) verbs.push_back(verb::fetch_add);
    return verbs;
}

/// What the thread with this number (0, 1, 2) asks when it is to use this verb on this key.
inline step make_step(verb what, std::uint64_t key, std::uint64_t thread, bool first_present) {
    step s{what, key, 11 + thread, {}};
    const bool present = first_present && key == keys::first;
    if (what == verb::compare_exchange && present) s.expected = 1;
    if (what == verb::compare_erase) s.expected = present ? 1 : 11;
    return s;
}

inline constexpr setting all_settings[] = {setting::plain, setting::moving, setting::growth,  setting::smallest,
                                           setting::clear, setting::shrink, setting::chained, setting::reclaim};

/// Calls `f(program)` for every pair of operations, the second on the same key as the first.
template <class Layout, class F>
void each_pair_on_one_key(setting where, F&& f) {
    const std::vector<verb> verbs = all_verbs<Layout>();
    for (std::size_t i = 0; i != verbs.size(); ++i) {
        for (std::size_t j = i; j != verbs.size(); ++j) {
            for (const bool present : {true, false}) {
                if (!present && where != setting::plain) continue;
                f(map_program{
                    where,
                    present,
                    {{make_step(verbs[i], keys::first, 0, present)}, {make_step(verbs[j], keys::first, 1, present)}}});
            }
        }
    }
}

/// Two or three threads of up to five operations on three keys.
inline map_program program_by_chance(setting where, const std::vector<verb>& verbs, std::minstd_rand& chance) {
    map_program program{where, chance() % 2 == 0, {}};
    const std::uint64_t threads = 2 + chance() % 2;
    for (std::uint64_t t = 0; t != threads; ++t) {
        std::vector<step> steps;
        for (std::uint64_t left = 1 + chance() % 5; left != 0; --left) {
            constexpr std::uint64_t places[] = {keys::first, keys::first, keys::second, keys::apart};
            step s = make_step(verbs[chance() % verbs.size()], places[chance() % 4], t, program.first_present);
            s.argument += 10 * left; // every value tells which thread stored it
            steps.push_back(s);
        }
        program.threads.push_back(std::move(steps));
    }
    return program;
}

/// Calls `f(program, memory)` for programs in which one thread sees what others did long before, or in many steps:
/// where weak memory has the most room.
template <class F>
void each_longer_program(F&& f) {
    constexpr auto first = keys::first, second = keys::second, apart = keys::apart;
    const auto store = [](std::uint64_t key, std::uint64_t value) { return step{verb::store, key, value, {}}; };
    const auto erase = [](std::uint64_t key) { return step{verb::erase, key, 0, {}}; };
    const auto load = [](std::uint64_t key) { return step{verb::load, key, 0, {}}; };
    const auto of = [](verb what, std::uint64_t key = keys::first, std::uint64_t value = 0) {
        return step{what, key, value, {}};
    };
    const std::vector<step> churn{store(first, 100), erase(first), store(first, 102), erase(first), store(first, 104)};
    const std::vector<step> walk{of(verb::for_each), of(verb::size)};
    const std::vector<step> snapshots{of(verb::snapshot), load(first), of(verb::snapshot)};

    for (const bool present : {true, false}) {
        f({setting::plain, present, {{of(verb::reserve), store(second, 20)}, {load(first), of(verb::for_each)}}}, reuse::never);
    }
    f({setting::plain, false, {{store(first, 20)}, {erase(first)}, {of(verb::size), of(verb::size)}}}, reuse::never);
    f({setting::clear, false, {{store(first, 20), store(second, 22)}, {of(verb::size), of(verb::size)}}}, reuse::never);
    for (const setting where : all_settings) {
        for (const bool present : {true, false}) {
            f({where, present, {churn, {load(first), load(second), load(first)}}}, reuse::never);
            f({where, present, {churn, walk}}, reuse::never);
            f({where, present, {churn, snapshots}}, reuse::never);
            f({where, present, {churn, {of(verb::flush), load(first), of(verb::flush)}}}, reuse::at_once);
            f({where, present, {snapshots, {of(verb::clear), of(verb::flush), store(first, 70)}}}, reuse::at_once);
            f({where, present, {churn, {of(verb::update, first, 7), of(verb::exchange, first, 8)}}}, reuse::at_once);
            f({where, present, {churn, {store(second, 20), erase(second), store(second, 22)}}}, reuse::at_once);
            f({where, present, {churn, {load(first), store(second, 20), erase(second), load(second)}}}, reuse::by_thread);
            f({where, present, {churn, {of(verb::flush), store(second, 20), of(verb::flush)}}}, reuse::by_thread);
            f({where, present, {{of(verb::size), of(verb::size)}, churn, {of(verb::size), store(apart, 40)}}}, reuse::never);
            f({where, present, {{of(verb::update, first, 12)}, {of(verb::exchange, first, 21)}}}, reuse::never);
            f({where,
               present,
               {{of(verb::update, first, 12)}, {store(second, 21)}, {of(verb::update, second, 30), load(first)}}},
              reuse::never);
            f({where, present, {snapshots, {store(first, 50), erase(first)}, {store(apart, 51), of(verb::snapshot)}}},
              reuse::never);
            f({where,
               present,
               {{of(verb::load_or_compute, first, 60)}, {of(verb::load_or_compute, first, 61)}, {erase(first)}}},
              reuse::at_once);
        }
    }
}

} // namespace explore
