// Programs in which entries are overwritten without a lock (engine/table/direct_overwrites.hpp) beside everything that takes an
// entry away, moves it, copies it or computes it. The explorer's test searches them, and so does the search for mutants.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <explore/map_forms.hpp>
#include <explore/map_program.hpp>

namespace explore {

/// Calls `f(group, program)` for each; the first key is present in all.
template <class F>
void each_overwrite_program(F&& f) {
    constexpr auto first = keys::first, second = keys::second, apart = keys::apart;
    const auto of = [](verb what, std::uint64_t key = keys::first, std::uint64_t value = 0) {
        return step{what, key, value, {}};
    };
    const auto store = [&](std::uint64_t key, std::uint64_t value) { return of(verb::store, key, value); };
    const auto exchange = [&](std::uint64_t value) { return of(verb::exchange, first, value); };
    const auto add = [&](std::uint64_t value) { return of(verb::fetch_add, first, value); };
    const auto update = [&](std::uint64_t key, std::uint64_t value) { return of(verb::update, key, value); };
    const auto add_to_two = [&](std::uint64_t value) {
        step both = of(verb::add_to_two, first, value);
        both.other = second;
        return both;
    };
    step compares = of(verb::compare_erase);
    compares.expected = 11;
    const step load = of(verb::load), walk = of(verb::for_each), snapshot = of(verb::snapshot), size = of(verb::size);

    using threads = std::vector<std::vector<step>>;
    const auto in = [&](const char* group, std::initializer_list<setting> settings, const threads& program) {
        for (const setting where : settings) f(group, map_program{where, true, program});
    };
    using enum setting;

    in("each other", {plain}, {{add(10)}, {add(100)}, {load, load}});
    in("each other", {plain}, {{exchange(11), load}, {exchange(12)}, {add(100)}});

    // What was overwritten after it was copied must be in the copy before a reader comes there.
    in("a resize", {growth, moving, smallest, shrink}, {{exchange(11), load}, {add(100), load}});
    // A walk comes to the copies while entries that are still in the home line are overwritten.
    in("a walk and a resize", {growth, moving, shrink}, {{exchange(11), walk}, {add(100)}});
    in("a walk and a resize", {growth, shrink}, {{walk, walk}, {add(100), add(1000)}});

    // The entry of the last slot goes to a new line, and returns from there.
    in("a new line", {chained, growth}, {{exchange(11), load}, {store(second, 21), add(100)}});
    in("a new line", {chained}, {{exchange(11), load}, {add(100)}});

    in("a snapshot", {plain, moving, growth}, {{exchange(11), add(100)}, {snapshot, load}});
    in("a snapshot", {plain}, {{add(10), add(20)}, {snapshot, snapshot}, {add(100)}});

    in("a computation", {plain, growth}, {{exchange(11), load}, {update(first, 12), load}});
    in("a computation", {plain}, {{add(10)}, {update(first, 12)}, {add(100), load}});
    in("a computation", {plain}, {{exchange(11)}, {of(verb::update_erase, first, 12)}, {of(verb::load_or_compute, first, 60)}});
    // The next write after a computation permits direct overwrites again.
    in("a second computation", {plain}, {{update(first, 12), add(10), update(first, 13)}, {add(100), add(200)}});
    in("a second computation", {plain}, {{update(first, 12)}, {update(apart, 30), add(100)}, {add(1000), store(apart, 40)}});
    in("a second computation", {plain}, {{update(first, 12), add(10)}, {update(first, 30)}, {exchange(20), exchange(21)}});
    // The first of two waits for no overwrite of the other one's key, and must not say that none is left.
    in("a second computation", {plain}, {{exchange(11), load}, {store(apart, 40), update(apart, 30), update(first, 12), load}});
    in("a dropped computation", {clear}, {{update(first, 12), store(apart, 40)}, {exchange(21)}});
    in("a dropped computation", {clear}, {{update(first, 12)}, {exchange(21)}, {store(apart, 40), add(100)}});
    in("an update of two keys", {plain, moving}, {{exchange(11), of(verb::load, second)}, {add_to_two(100), load}});
    in("an update of two keys", {plain},
       {{store(second, 5), add_to_two(100)}, {exchange(11)}, {of(verb::fetch_add, second, 7)}});

    in("an erase and an insert", {plain, chained, growth}, {{exchange(11), load}, {of(verb::load_and_erase), store(first, 1)}});
    in("an erase and an insert", {plain}, {{exchange(11)}, {of(verb::erase), store(second, 1)}, {store(first, 1), load}});
    in("an erase and an insert", {plain}, {{exchange(11), exchange(12)}, {compares, size}, {size, of(verb::erase)}});

    in("clear and replace", {clear}, {{exchange(11), load}, {add(100), load}});
    in("clear and replace", {plain}, {{exchange(11), load}, {of(verb::replace, first, 50)}, {add(100)}});
}

/// The first key is in the last slot of a full line: an insert takes it to a new one. Calls `f(form, name, threads)`.
template <class Layout, class F>
void each_overwrite_form(F&& f) {
    const step insert{verb::store, keys::second, 21, {}};
    const auto full_line =
        form<Layout>("insert by LINK over an entry", insert).holds_fillers(form<Layout>::slots - 1).holds(keys::first);
    const step exchange{verb::exchange, keys::first, 11, {}}, add{verb::fetch_add, keys::first, 100, {}};
    const step load{verb::load, keys::first};
    f(full_line, full_line.name() + "|overwritten", std::vector<std::vector<step>>{{exchange, load}, {insert, add}});
    f(full_line, full_line.name() + "|added to", std::vector<std::vector<step>>{{add, load}, {insert}, {load}});
}

} // namespace explore
