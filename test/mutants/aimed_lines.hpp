// The programs about overflow lines, and about entries that move to the home line. See aimed.hpp, which includes this.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <mutants/aimed.hpp>

namespace mutants {

template <class Layout>
void aimed<Layout>::add_lines() {
    add("lines|taken and given back", 0, [] {
        map_type map;
        map.widen(entries_of_eight_buckets);
        for (const std::uint64_t bucket : {1U, 2U, 3U}) fill_bucket(map, bucket, slots);
        for (const std::uint64_t bucket : {1U, 2U}) store_one_more(map, bucket); // the two lines of the table
        for (const std::uint64_t bucket : {1U, 2U}) {                          // and both are free again
            map.erase(key(in_bucket(bucket, slots)));
            map.erase(key(in_bucket(bucket, slots - 1)));
            map.store(key(in_bucket(bucket, slots - 1)), value(in_bucket(bucket, slots - 1)));
        }
        side_by_side([&] { store_one_more(map, 1); },
                     [&] {
                         store_one_more(map, 2);
                         store_one_more(map, 3);
                         map.erase(key(in_bucket(2, slots)));
                         map.erase(key(in_bucket(2, slots - 1)));
                     });
        fill_bucket(map, 2, slots + 1);
        for (const std::uint64_t bucket : {1U, 2U, 3U}) {
            for (std::uint64_t n = 0; n != slots + 1; ++n) {
                const auto found = map.load(key(in_bucket(bucket, n)));
                require(found && Layout::value_of(*found) == in_bucket(bucket, n), "each has what was stored");
            }
        }
        require_consistent(map);
    });
    add("lines|walked through", 0, [] {
        map_type map;
        map.widen(entries_of_eight_buckets);
        for (const std::uint64_t bucket : {1U, 2U}) fill_bucket(map, bucket, slots);
        store_one_more(map, 1);
        side_by_side([&] { walk(map); },
                     [&] {
                         map.erase(key(in_bucket(1, slots)));
                         map.erase(key(in_bucket(1, slots - 1)));
                         store_one_more(map, 2);
                     });
    });
}

template <class Layout>
void aimed<Layout>::add_moves_home() {
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
    // From the last slot to a new line, in a table that the reader has come to by MOVED. (Inline keys: the bucket of the
    // sentinel keys is still to be moved, so that the root stays what it is.)
    if constexpr (std::is_same_v<key_type, std::uint64_t>) {
        add("home|to a line behind, in the next table", 0, [] {
            map_type map;
            fill_bucket(map, 1, slots); // a whole home line of the next table, in this order
            for (const std::uint64_t bucket : {2U, 3U}) fill_bucket(map, bucket, slots - 1);
            map.store(key(keys::trigger), value(30)); // the old bucket is full: the table is left, and that bucket moved
            require(map.engine().is_moving(), "the map is moving");
            parallel([&] { require(map.contains(key(in_bucket(1, slots - 1))), "who stays is found"); },
                     [&] { store_one_more(map, 1); });
        });
    }
    // From the last slot to a new line, and back into another slot.
    for (const unsigned preemptions : {1U, 3U}) {
        add(
            "home|there and back, left " + std::to_string(preemptions) + " times", 0,
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

} // namespace mutants
