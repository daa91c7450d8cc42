// Programs about what no answer of the map shows: work that a write owes to those after it. Each says itself what is wrong.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <explore/map_forms.hpp>

namespace explore {

/// Keys with an even number lie in the second eighth of a table, the others in the fifth: in no table of eight buckets or
/// more do those of one eighth come apart.
template <class Layout>
struct with_two_buckets : Layout {
    struct hasher {
        std::uint64_t operator()(const probe& key, const syncmap::hash_seed&) const noexcept {
            return (key.number() % 2 == 0 ? std::uint64_t{1} : std::uint64_t{4}) << 61 | key.number() << 40 | 0x5A5AU;
        }
        std::size_t operator()(const probe& key) const noexcept { return static_cast<std::size_t>(key.number()); }
    };
};

/// One kind of write of a key that is there and stays, by which alone writers can help.
template <class Layout>
struct kind_of_write {
    const char* name;
    std::function<void(visible_map<Layout>&, std::uint64_t key)> write;
};

template <class Layout>
std::vector<kind_of_write<Layout>> kinds_of_overwrites() {
    using value_type = typename Layout::mapped_type;
    std::vector<kind_of_write<Layout>> all{
        {"store", [](auto& map, std::uint64_t k) { map.store(Layout::key(k), value_type(2)); }},
        {"exchange", [](auto& map, std::uint64_t k) { static_cast<void>(map.exchange(Layout::key(k), value_type(4))); }},
        {"update",
         [](auto& map, std::uint64_t k) { map.update(Layout::key(k), [](const value_type*) { return value_type(6); }); }},
    };
    if constexpr (visible_map<Layout>::updates_several) {
        all.push_back({"update of two", [](auto& map, std::uint64_t k) {
                           const std::array<typename Layout::key_type, 2> both{Layout::key(k), Layout::key(keys::apart)};
                           map.update(both, [](auto slots) {
                               for (auto& each : slots) each.assign(value_type(8));
                           });
                       }});
    }
    return all;
}

template <class Layout>
std::vector<kind_of_write<Layout>> kinds_of_erases() {
    using value_type = typename Layout::mapped_type;
    std::vector<kind_of_write<Layout>> all{
        {"erase", [](auto& map, std::uint64_t k) { map.erase(Layout::key(k)); }},
        {"update",
         [](auto& map, std::uint64_t k) {
             map.update(Layout::key(k), [](const value_type*) { return std::optional<value_type>(); });
         }},
        {"erase_if",
         [](auto& map, std::uint64_t k) {
             map.erase_if([k](const auto& key, const auto&) { return Layout::number_of(key) == k; });
         }},
    };
    if constexpr (visible_map<Layout>::updates_several) {
        all.push_back({"update of one of two", [](auto& map, std::uint64_t k) {
                           const std::array<typename Layout::key_type, 2> both{Layout::key(k), Layout::key(keys::apart)};
                           map.update(both, [](auto slots) { slots[0].erase(); });
                       }});
    }
    return all;
}

/// Calls `f(name, body)` for each.
template <class Layout, class F>
void each_step(F&& f) {
    using value_type = typename Layout::mapped_type;
    using map_type = visible_map<Layout>;
    constexpr std::size_t slots = visible_engine<Layout>::slots;
    const auto key = [](std::uint64_t number) { return Layout::key(number); };
    const auto value = [](std::uint64_t number) { return value_type(number); };
    const auto add = [&](const std::string& name, std::function<void()> body) { f("step " + name, std::move(body)); };

    // A table that is being left is left for good by whatever is written.
    for (const kind_of_write<Layout>& each : kinds_of_overwrites<Layout>()) {
        const auto moving = form<Layout>("", {verb::store, keys::first}).holds(keys::first).holds(keys::apart).begins_to_grow();
        add(std::string("growth ended by ") + each.name, [moving, each] {
            map_type map;
            moving.bring(map);
            parallel([&] { each.write(map, keys::first); }, [&] { each.write(map, keys::first); });
            for (int i = 0; i != 32 && map.engine().work_left() != nullptr; ++i) each.write(map, keys::first);
            require(map.engine().work_left() == nullptr, "a kind of write helps");
        });
    }
    // A table that was emptied is left for a smaller one, by whatever erases; of 64 buckets in more than one step.
    for (const std::size_t buckets : {std::size_t{8}, std::size_t{64}}) {
        for (const kind_of_write<Layout>& each : kinds_of_erases<Layout>()) {
            add("shrinking of " + std::to_string(buckets) + " buckets begun by " + each.name, [buckets, each, key, value] {
                map_type map;
                map.widen(slots * 5 / 8 * (buckets - 1));
                require(map.engine().buckets() == buckets, "it has that many buckets");
                map.store(key(keys::apart), value(2));
                for (std::uint64_t k = 0; k != 2; ++k) map.store(key(k), value(1));
                for (std::uint64_t n = 0; n != slots / 2 + 1; ++n) map.store(key(keys::fillers + n), value(1));
                parallel(
                    [&] {
                        for (std::uint64_t n = 0; n != slots / 2 + 1; ++n) each.write(map, keys::fillers + n);
                        for (std::uint64_t k = 0; k != 2; ++k) each.write(map, k);
                    },
                    [&] { map.store(key(keys::apart), value(4)); });
                for (int i = 0; i != 128 && map.engine().buckets() != 2; ++i) map.store(key(keys::apart), value(6));
                require(map.engine().buckets() == 2, "a table that was emptied shrinks");
            });
        }
    }
    // Lines that came and went are used again: none has to be made beside the table.
    for (const bool across : {false, true}) {
        add(across ? "lines go to another bucket" : "lines come and go in a bucket", [across, key, value] {
            map_type map;
            map.widen(visible_engine<Layout>::many_entries);
            const auto round = [&](std::uint64_t bucket) {
                for (std::uint64_t n = 0; n != slots + 1; ++n) map.store(key(filler_in_bucket(bucket, n)), value(2));
                for (std::uint64_t n = 0; n != slots + 1; ++n) map.erase(key(filler_in_bucket(bucket, n)));
            };
            map.store(key(keys::first), value(1)); // the table is not too large for so many more
            for (std::uint64_t n = 0; n != slots; ++n) map.store(key(filler_in_bucket(3, n)), value(2));
            parallel([&] { round(1); }, [&] { static_cast<void>(map.load(key(keys::first))); });
            for (int i = 0; i != 4; ++i) round(across ? 1 + static_cast<std::uint64_t>(i) % 2 : 1);
            require(map.engine().lines_beside() == 0, "a line that was given back is taken again");
        });
    }
    // So do those beside tables.
    add("spare lines come and go", [key, value] {
        map_type map;
        map.widen(visible_engine<Layout>::many_entries);
        for (const std::uint64_t bucket : {1U, 2U, 3U}) {
            for (std::uint64_t n = 0; n != slots; ++n) map.store(key(filler_in_bucket(bucket, n)), value(2));
        }
        for (const std::uint64_t bucket : {1U, 2U}) map.store(key(filler_in_bucket(bucket, slots)), value(2));
        const auto round = [&] {
            map.store(key(filler_in_bucket(3, slots)), value(2));
            for (const std::uint64_t n : {slots, slots - 1}) map.erase(key(filler_in_bucket(3, n)));
            map.store(key(filler_in_bucket(3, slots - 1)), value(2));
        };
        parallel(round, [&] { static_cast<void>(map.load(key(keys::first))); });
        const std::size_t beside = map.engine().lines_beside();
        for (int i = 0; i != 3; ++i) round();
        require(map.engine().lines_beside() == beside, "a line that was given back is taken again");
    });
    // A thread that takes a line beside the table asks for a look whether that should grow.
    add("growth for want of lines", [key, value] {
        map_type map;
        map.widen(visible_engine<Layout>::many_entries);
        for (const std::uint64_t bucket : {1U, 2U, 3U}) {
            for (std::uint64_t n = 0; n != slots; ++n) map.store(key(filler_in_bucket(bucket, n)), value(2));
        }
        for (const std::uint64_t bucket : {1U, 2U}) map.store(key(filler_in_bucket(bucket, slots)), value(2));
        map.store(key(filler_in_bucket(3, slots)), value(2)); // a line beside the table, and free again
        for (const std::uint64_t n : {slots, slots - 1}) map.erase(key(filler_in_bucket(3, n)));
        map.store(key(filler_in_bucket(3, slots - 1)), value(2));
        map.store(key(keys::apart), value(2)); // now there are entries enough for a larger one
        for (std::uint64_t k = 0; k != 2 + slots / 2; ++k) map.store(key(k < 3 ? k : 64 + k), value(2));
        parallel([&] { map.store(key(filler_in_bucket(3, slots)), value(2)); }, [&] { map.store(key(keys::apart), value(4)); });
        for (int i = 0; i != 64 && map.engine().work_left() != nullptr; ++i) map.store(key(keys::apart), value(6));
        require(map.engine().buckets() > 8, "a table without lines of its own grows");
    });
    // The first table's lines serve the tables after it, also while a late reader is in them.
    add("lines of the first table", [key, value] {
        scheduler::instance().begin_with_one_bucket();
        map_type map;
        const std::size_t all = visible_engine<Layout>::bucket_capacity() + 1;
        for (std::size_t n = 0; n != slots; ++n) map.store(key(keys::fillers + n), value(2));
        const auto is_right = [&] {
            require(map.contains(key(keys::fillers)), "a key stays");
            require(!map.contains(key(keys::first)), "a key does not come");
        };
        parallel(
            [&] {
                for (std::size_t n = slots; n != all; ++n) map.store(key(keys::fillers + n), value(2));
            },
            is_right);
        is_right();
        require(map.size() == all, "nothing is lost");
        require(map.engine().lends_first_lines() && map.engine().lines_beside() == 0, "the first table is of use");
    });
    // What came with a table is counted in all that it is left for.
    if constexpr (map_type::has_replace) {
        add("size of what was brought", [key, value] {
            map_type map, next;
            map.store(key(keys::apart), value(1));
            for (const std::uint64_t k : {keys::first, keys::second}) next.store(key(k), value(2));
            map.replace(std::move(next));
            std::size_t while_it_grows = 0, in_a_snapshot = 0;
            parallel([&] { map.reserve(visible_engine<Layout>::many_entries); },
                     [&] {
                         while_it_grows = map.size();
                         if constexpr (map_type::has_snapshots) in_a_snapshot = map.snapshot().size();
                     });
            require(while_it_grows == 2 && map.size() == 2 && map.approx_size() == 2, "what was brought is counted");
            if constexpr (map_type::has_snapshots) require(in_a_snapshot == 2, "what was brought is in a snapshot's size");
        });
    }
    // Maps that are made and end beside each other, and a fork in the midst.
    add("maps come and go", [key, value] {
        std::optional<map_type> a, b, c;
        for (auto* const each : {&a, &b, &c}) {
            each->emplace();
            (*each)->store(key(keys::first), value(1));
        }
        using living = syncmap::engine::map_registry<sync_policy>;
        parallel(
            [&] {
                b.reset();
                c.reset();
            },
            [&] {
                living::before_fork();
                living::after_fork_in_parent();
            },
            [&] { a->store(key(keys::first), value(2)); });
        a->flush();
        require(a->size() == 1, "one is left");
    });
    if constexpr (std::is_same_v<typename Layout::key_type, probe>) {
        // A writer whose key's tag is in no slot of the home line: the key lies behind that line, or goes there, or comes from
        // there.
        const auto fill_home_line = [key, value](map_type& map) {
            for (std::uint64_t n = 0; n != slots - 1; ++n) map.store(key(keys::fillers + n), value(2));
            map.store(key(keys::of_own_tag), value(1)); // into the last slot
        };
        const auto link = [key, value](map_type& map) { map.store(key(keys::fillers + slots), value(2)); };
        const auto erase_it = [key](map_type& map) {
            require(map.erase(key(keys::of_own_tag)), "a key is found that was there throughout");
        };
        add("a key goes behind the home line", [=] {
            map_type map;
            fill_home_line(map);
            parallel([&] { link(map); }, [&] { erase_it(map); });
            require(map.size() == slots, "the others are left");
        });
        add("a key comes to the home line", [=] {
            map_type map;
            fill_home_line(map);
            link(map);
            map.erase(key(keys::fillers + slots)); // the key is alone behind
            parallel([&] { map.erase(key(keys::fillers)); },
                     [&] { erase_it(map); }); // the key gets the slot, and the line goes
            require(map.size() == slots - 2, "the others are left");
        });
        // A group for which the next table has no line: the lines were taken by another group of equal prefix.
        using crossed = with_two_buckets<Layout>;
        add("growth without lines in the next table", [] {
            visible_map<crossed> map;
            const auto store = [&](std::uint64_t k) { map.store(crossed::key(k), value_for<crossed>(2)); };
            const std::size_t full = visible_engine<crossed>::bucket_capacity();
            std::uint64_t even = 0, odd = 1;
            for (std::size_t i = 0; i != full; ++i, even += 2) store(even);
            for (std::size_t i = 0; i != slots; ++i, odd += 2) store(odd);
            store(even); // the table is left, and the group of these keys moved
            require(map.engine().is_moving(), "the map is moving");
            parallel([&] { store(odd); }, [&] { store(0); });
            for (int i = 0; i != 64 && map.engine().work_left() != nullptr; ++i) store(0);
            require(map.engine().work_left() == nullptr, "writers finish what they are asked to help with");
            std::size_t seen = 0;
            map.for_each([&](const auto&, const auto&) { ++seen; });
            require(seen == full + slots + 2 && map.size() == seen, "no entry is lost, and none is there twice");
        });
    }
}

} // namespace explore
