// Programs that say themselves what is wrong: pins beside what ends their entry, and updates of many keys. The
// explorer's tests search them, and so does the search for mutants (test/mutants).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <explore/map_program.hpp>

#include <syncmap/pinned.hpp>

namespace explore {

/// A key as it is given to a map.
template <class Layout>
using given_key = decltype(Layout::key(0));

/// One thread pins the first key and reads what it has, another does something to it, a third drops a pin of before:
/// calls `f(name, body)` for each such thing. In the end the pin that the first has left is looked at again.
template <class Layout, class F>
void each_pin(F&& f) {
    using map_type = visible_map<Layout>;
    using handle = syncmap::pinned<visible_engine<Layout>>;
    const auto beside = [&](const char* what, const std::function<void(map_type&)>& ends) {
        f(std::string("pin|") + what, [ends] {
            const auto look = [](const handle& h) {
                if (!h) return;
                require(Layout::number_of(h.key()) == keys::first, "a pinned entry has its key");
                const auto v = Layout::value_of(h.value());
                require(v == 1 || v == 2, "a pinned entry has a value that was stored");
            };
            map_type map;
            map.store(Layout::key(keys::first), value_for<Layout>(1));
            handle kept = map.pin(Layout::key(keys::first));
            handle left;
            parallel(
                [&] {
                    handle mine = map.pin(Layout::key(keys::first));
                    look(mine);
                    left = std::move(mine);
                },
                [&] { ends(map); }, [&] { kept.reset(); });
            look(left);
            map.flush();
            look(left);
        });
    };
    beside("erase", [](map_type& map) { map.erase(Layout::key(keys::first)); });
    beside("store", [](map_type& map) { map.store(Layout::key(keys::first), value_for<Layout>(2)); });
    beside("clear", [](map_type& map) { map.clear(); });
    beside("erase, store", [](map_type& map) {
        map.erase(Layout::key(keys::first));
        map.store(Layout::key(keys::first), value_for<Layout>(2));
    });
    beside("reserve", [](map_type& map) { map.reserve(4 * visible_engine<Layout>::slots); });
}

/// A thread leaves garbage in one map, and collects it from another one, while a second thread does something to the first
/// map: calls `f(name, body)` for each such thing. (The garbage is what the thread itself looks at when it replaces it.)
template <class Layout, class F>
void each_collection(F&& f) {
    using map_type = visible_map<Layout>;
    using mapped_type = typename Layout::mapped_type;
    using flag = sync_policy::atomic<int>;
    const auto beside = [&](const char* what, const std::function<void(std::optional<map_type>&)>& does) {
        f(std::string("garbage|") + what, [does] {
            std::optional<map_type> left(std::in_place);
            map_type other;
            for (const auto k : {keys::first, keys::second}) {
                left->store(Layout::key(k), value_for<Layout>(1));
                other.store(Layout::key(k), value_for<Layout>(1));
            }
            flag has_left{0};
            parallel(
                [&] {
                    left->visit(Layout::key(keys::first), [&](const mapped_type&) {
                        left->visit(Layout::key(keys::second), [&](const mapped_type&) {
                            left->erase(Layout::key(keys::first));
                            left->erase(Layout::key(keys::second));
                        });
                    });
                    // release: the other thread may destroy the map.
                    has_left.store(1, std::memory_order_release);
                    other.erase(Layout::key(keys::first));
                    other.erase(Layout::key(keys::second));
                },
                [&] {
                    while (has_left.load(std::memory_order_acquire) == 0) sync_policy::pause();
                    does(left);
                });
            require(other.size() == 0, "the other map is left alone");
        });
    };
    beside("destroyed", [](std::optional<map_type>& map) { map.reset(); });
    beside("flushed", [](std::optional<map_type>& map) {
        map->flush();
        require(map->size() == 0, "both were erased");
    });
    if constexpr (std::is_same_v<Layout, node_layout>) { // a move is the same in all layouts
        beside("moved", [](std::optional<map_type>& map) {
            map_type next(std::move(*map));
            map.reset();
            require(next.size() == 0, "both were erased");
        });
    }
    beside("written", [](std::optional<map_type>& map) {
        map->store(Layout::key(keys::first), value_for<Layout>(2));
        map->erase(Layout::key(keys::first));
        map.reset();
    });
}

/// A thread that computes one of two keys writes the other one meanwhile: no circle, so no thread gets an error.
template <class Layout>
void compute_two_keys_one_by_one() {
    using mapped_type = typename Layout::mapped_type;
    visible_map<Layout> map;
    const std::array<given_key<Layout>, 2> both{Layout::key(keys::first), Layout::key(keys::apart)};
    const auto number = [](const mapped_type* v) { return v == nullptr ? 0 : Layout::value_of(*v); };
    parallel(
        [&] {
            map.update(both, [&](std::span<syncmap::update_slot<mapped_type>> s) {
                for (auto& each : s) each.assign(value_for<Layout>(number(each.current()) + 1));
            });
        },
        [&] {
            map.update(Layout::key(keys::first), [&](const mapped_type* v) {
                map.store(Layout::key(keys::apart), value_for<Layout>(10));
                return value_for<Layout>(number(v) + 10);
            });
        },
        [&] {
            map.update(Layout::key(keys::apart), [&](const mapped_type* v) { return value_for<Layout>(number(v) + 100); });
        });
    require(Layout::value_of(*map.load(Layout::key(keys::first))) == 11, "all were there");
    require(map.size() == 2, "two keys");
}

/// More keys than a bucket holds: lines are added before anything is published, beside a walk and an insert into the same
/// bucket.
template <class Layout>
void insert_ten_keys() {
    using mapped_type = typename Layout::mapped_type;
    visible_map<Layout> map;
    map.store(Layout::key(keys::first), value_for<Layout>(1));
    std::vector<given_key<Layout>> many;
    for (std::uint64_t i = 0; i != 10; ++i) many.push_back(Layout::key(keys::fillers + i));
    parallel(
        [&] {
            map.update(many, [](std::span<syncmap::update_slot<mapped_type>> s) {
                for (auto& each : s) each.assign(value_for<Layout>(2));
            });
        },
        [&] {
            std::size_t firsts = 0;
            map.for_each([&](const typename Layout::key_type& k, const mapped_type&) {
                firsts += Layout::number_of(k) == keys::first ? 1 : 0;
            });
            require(firsts == 1, "a key that is there throughout is shown once");
            const auto n = map.size();
            require(n <= 2 || n >= 11, "size sees all of it or nothing");
        },
        [&] {
            map.store(Layout::key(keys::second), value_for<Layout>(3));
            map.erase(Layout::key(keys::second));
        });
    require(map.size() == 11, "all are there");
    for (const auto& k : many) require(map.contains(k), "each is there");
}

/// The first key's bucket is moved already, that of the key apart is not. Meanwhile the new table is left as well, by
/// erasing until it shrinks, and its memory becomes that of the next generation of the map. (Nothing of that waits, so that
/// one preemption is enough to have it done at any point of the update.)
template <class Layout>
void update_in_two_tables(const preparation<Layout>& moving, std::uint64_t other) {
    using mapped_type = typename Layout::mapped_type;
    visible_map<Layout> map;
    moving.bring(map);
    const std::array<given_key<Layout>, 2> both{Layout::key(keys::first), Layout::key(other)};
    parallel(
        [&] {
            map.update(both, [](std::span<syncmap::update_slot<mapped_type>> s) {
                for (auto& each : s) {
                    each.assign(value_for<Layout>(each.current() == nullptr ? 1000 : Layout::value_of(*each.current()) + 1000));
                }
            });
        },
        [&] {
            for (std::uint64_t k = keys::second; k != moving.used(); ++k) map.erase(Layout::key(k));
            map.clear();
            map.reserve(visible_engine<Layout>::slots * 5 / 8 * 7);
        });
    const auto first = map.load(both[0]);
    const auto second = map.load(both[1]);
    require(first.has_value() == second.has_value(), "both or none");
    require(!first || Layout::value_of(*first) == 1000, "nothing of the generation before is stored in the next");
    require(map.size() == (first ? 2U : 0U), "size agrees");
}

/// The same, but the other thread touches no bucket that the update may have locked: it ends the move and clears. The table
/// that the update has locked a bucket of then becomes the next generation's, and that bucket is moved again. An unlock that
/// comes only now would open it, and what is stored there is lost with the table.
template <class Layout>
void update_in_two_tables_beside_clear(const preparation<Layout>& moving) {
    using mapped_type = typename Layout::mapped_type;
    visible_map<Layout> map;
    moving.bring(map);
    const std::array<given_key<Layout>, 2> both{Layout::key(keys::first), Layout::key(keys::apart)};
    sync_policy::atomic<bool> cleared{false};
    bool stays = false;
    parallel(
        [&] {
            map.update(both, [](std::span<syncmap::update_slot<mapped_type>> s) {
                for (auto& each : s) each.assign(value_for<Layout>(1000));
            });
            stays = cleared.load(std::memory_order_acquire);
            map.store(both[0], value_for<Layout>(7));
        },
        [&] {
            for (int groups = 0; groups != 3; ++groups) map.erase(Layout::key(keys::fillers)); // each moves one more
            map.clear();
            cleared.store(true, std::memory_order_release);
            map.reserve(visible_engine<Layout>::many_entries);
            map.move_first_bucket();
        });
    while (map.engine().is_moving()) map.erase(Layout::key(keys::fillers));
    const auto first = map.load(both[0]);
    require(first || !stays, "what is stored after a clear stays");
    require(!first || Layout::value_of(*first) == 7, "the last value is seen");
    require(map.size() == (first ? 1U : 0U) + (map.contains(both[1]) ? 1U : 0U), "size agrees");
}

} // namespace explore
