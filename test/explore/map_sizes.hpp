// What docs/guarantees.md says about order between threads that ask for the size.
#pragma once

#include <cstddef>
#include <string>

#include <explore/map_suite.hpp>

namespace explore {

/// Two threads each insert and then count; and two count what two others change. Calls `f(report)` for each, weak memory.
/// The calls are ordered by nothing but the map.
template <class Layout, class F>
void explore_sizes(limits bounds, F&& f) {
    using value_type = typename Layout::mapped_type;
    bounds.weak = true;
    bounds.stale_reads = 4; // the announcement and the tally of the other, in two collects
    const std::string name = std::string(Layout::name) + " weak sizes, ";
    const auto insert = [](visible_map<Layout>& map, std::uint64_t key) { map.store(Layout::key(key), value_type(2)); };
    const auto erase = [](visible_map<Layout>& map, std::uint64_t key) { map.erase(Layout::key(key)); };

    f(explore(name + "of two that insert", bounds, [&] {
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
    }));

    bounds.stale_reads = 8; // the same by two threads
    f(explore(name + "of two that count", bounds, [&] {
        visible_map<Layout> map;
        insert(map, keys::second);
        insert(map, keys::apart);
        std::size_t a = 0;
        std::size_t b = 0;
        parallel([&] { insert(map, keys::first); }, [&] { erase(map, keys::apart); }, [&] { a = map.size(); },
                 [&] { b = map.size(); });
        require(!(a == 3 && b == 1) && !(a == 1 && b == 3), "all that count see changes in one order");
    }));
}

} // namespace explore
