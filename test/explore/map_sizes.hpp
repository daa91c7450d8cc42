// What docs/guarantees.md says about order between threads that ask for the size.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <explore/map_suite.hpp>

namespace explore {

/// Two threads each insert and then count; and two count what two others change: calls `f(name, body, stale_reads)` for
/// each, with the number of old values that have to be read to see a hole. The calls are ordered by nothing but the
/// map.
template <class Layout, class F>
void each_count(F&& f) {
    using value_type = typename Layout::mapped_type;
    const std::string name = std::string(Layout::name) + " weak sizes, ";
    const auto insert = [](visible_map<Layout>& map, std::uint64_t key) { map.store(Layout::key(key), value_type(2)); };
    const auto erase = [](visible_map<Layout>& map, std::uint64_t key) { map.erase(Layout::key(key)); };

    // The announcement and the net count of the other, in two collects.
    f(
        name + "of two that insert",
        [=] {
            visible_map<Layout> map;
            insert(map, keys::second); // the table is there
            std::size_t a = 0;
            std::size_t b = 0;
            parallel(
                [&] {
                    insert(map, keys::first);
                    a = map.size();
                },
                [&] {
                    insert(map, keys::apart);
                    b = map.size();
                });
            require(a == 3 || b == 3, "one of two that insert and then count sees both entries");
        },
        4U);

    // The same by two threads.
    f(
        name + "of two that count",
        [=] {
            visible_map<Layout> map;
            insert(map, keys::second);
            insert(map, keys::apart);
            std::size_t a = 0;
            std::size_t b = 0;
            parallel([&] { insert(map, keys::first); }, [&] { erase(map, keys::apart); }, [&] { a = map.size(); },
                     [&] { b = map.size(); });
            require(!(a == 3 && b == 1) && !(a == 1 && b == 3), "all that count see changes in one order");
        },
        8U);
}

/// Explores them all in weak memory and calls `f(report)`.
template <class Layout, class F>
void explore_sizes(limits bounds, F&& f) {
    bounds.weak = true;
    each_count<Layout>([&](std::string name, const auto& body, unsigned stale_reads) {
        bounds.stale_reads = stale_reads;
        f(explore(std::move(name), bounds, body));
    });
}

} // namespace explore
