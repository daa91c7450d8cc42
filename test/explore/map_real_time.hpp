// What facade.hpp says under Order: of two threads that each write, and then look for what the other has written, one
// at least finds it. That is so of `seq_cst`, the default; with any other memory order both may look too early.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <explore/map_suite.hpp>
#include <explore/snapshot_map_program.hpp>

#include <syncmap/pinned.hpp>

namespace explore {

/// Looks for what can be freed so late that no program comes to it: a look is a heavy barrier, which would stand between
/// the write and the look of these programs by accident.
struct late_reclaiming : sync_policy {
    static constexpr std::uint32_t retire_batch = 64;
};
template <class Layout>
struct reclaimed_late : Layout {
    using policy = late_reclaiming;
};
template <>
class visible_engine<reclaimed_late<snapshot_layout>>
    : public made_of<reclaimed_late<snapshot_layout>, syncmap::engine::read_dirty> {
public:
    using made_of<reclaimed_late<snapshot_layout>, syncmap::engine::read_dirty>::read_dirty;
};

/// Every kind of write that publishes.
enum class publishing : std::uint8_t {
    insert,
    overwrite,
    erase,
    exchange,
    load_or_store,
    load_and_erase,
    compare_exchange,
    compare_erase,
    fetch_add,
    update,
    update_erase,
    compute,
    erase_if,
    store_many,
    erase_many,
    two_keys,
    erase_two,
    clear,
    replace
};
inline constexpr const char* publishing_names[] = {
    "insert",        "overwrite", "erase",     "exchange",     "load_or_store", "load_and_erase", "compare_exchange",
    "compare_erase", "fetch_add", "update",    "update_erase", "compute",       "erase_if",       "store_many",
    "erase_many",    "two keys",  "erase two", "clear",        "replace"};

/// How a thread looks for what another has written.
enum class looking : std::uint8_t { load, visit, pin, walk, batch, failed_write };
inline constexpr const char* looking_names[] = {"load", "visit", "pin", "walk", "batch", "a write that changes nothing"};

constexpr bool inserts(publishing how) noexcept {
    return how == publishing::insert || how == publishing::load_or_store || how == publishing::compute;
}
/// These take no memory order: they are always visible when they return.
constexpr bool has_one_order(publishing how) noexcept { return how == publishing::clear || how == publishing::replace; }

template <class Layout>
constexpr bool can_publish(publishing how) noexcept {
    switch (how) {
    case publishing::fetch_add: return Layout::has_integral_value;
    case publishing::two_keys:
    case publishing::erase_two: return visible_map<Layout>::updates_several;
    case publishing::replace: return visible_map<Layout>::has_replace;
    default: return true;
    }
}

/// The first key, which is absent (`inserts`) or 1, becomes something else, by a write of that order.
template <class Layout>
void publish(visible_map<Layout>& map, publishing how, std::memory_order order) {
    using shown = typename Layout::mapped_type;
    using copied = syncmap::detail::copied_out_t<shown>;
    const auto key = Layout::key(keys::first);
    const auto value = [] { return value_for<Layout>(2); };
    switch (how) {
    case publishing::insert:
    case publishing::overwrite: map.store(key, value(), order); break;
    case publishing::erase: map.erase(key, order); break;
    case publishing::exchange: static_cast<void>(map.exchange(key, value(), order)); break;
    case publishing::load_or_store: static_cast<void>(map.load_or_store(key, value(), order)); break;
    case publishing::load_and_erase: static_cast<void>(map.load_and_erase(key, order)); break;
    case publishing::compare_exchange: {
        copied expected = value_for<Layout>(1);
        require(map.compare_exchange(key, expected, value(), order), "nobody else writes the key");
        break;
    }
    case publishing::compare_erase: {
        copied expected = value_for<Layout>(1);
        require(map.compare_erase(key, expected, order), "nobody else writes the key");
        break;
    }
    case publishing::fetch_add:
        if constexpr (Layout::has_integral_value) map.fetch_add(key, 1, order);
        break;
    case publishing::update: map.update(key, [&](const shown*) { return value(); }, order); break;
    case publishing::update_erase: map.update(key, [](const shown*) { return std::optional<copied>(); }, order); break;
    case publishing::compute: static_cast<void>(map.load_or_compute(key, value, order)); break;
    case publishing::erase_if:
        map.erase_if([](const auto& k, const auto&) { return Layout::number_of(k) == keys::first; }, order);
        break;
    case publishing::store_many: map.store_many(std::array{key}, std::array{value()}, order); break;
    case publishing::erase_many: map.erase_many(std::array{key}, order); break;
    case publishing::two_keys:
    case publishing::erase_two:
        if constexpr (visible_map<Layout>::updates_several) {
            const auto change = [&](auto slots) {
                for (auto& each : slots) how == publishing::two_keys ? each.assign(value()) : each.erase();
            };
            map.update(std::array{key, Layout::key(keys::second)}, change, order);
        }
        break;
    case publishing::clear: map.clear(); break;
    case publishing::replace:
        if constexpr (visible_map<Layout>::has_replace) {
            visible_map<Layout> next;
            next.store(Layout::key(keys::second), value());
            map.replace(std::move(next));
        }
        break;
    }
}

/// The value of a key, looked for in that way.
template <class Layout>
held look_for(visible_map<Layout>& map, std::uint64_t number, looking how) {
    using copied = syncmap::detail::copied_out_t<typename Layout::mapped_type>;
    const auto key = Layout::key(number);
    held seen;
    switch (how) {
    case looking::load:
        if (const auto found = map.load(key)) seen = Layout::value_of(*found);
        break;
    case looking::visit: map.visit(key, [&](const auto& v) { seen = Layout::value_of(v); }); break;
    case looking::pin:
        if constexpr (visible_map<Layout>::has_pin) {
            if (const auto found = map.pin(key)) seen = Layout::value_of(found.value());
        }
        break;
    case looking::walk:
        map.for_each([&](const auto& k, const auto& v) {
            if (Layout::number_of(k) == number) seen = Layout::value_of(v);
        });
        break;
    case looking::batch: {
        std::array<std::optional<copied>, 1> found{};
        map.load_many(std::array{key}, found);
        if (found[0]) seen = Layout::value_of(*found[0]);
        break;
    }
    case looking::failed_write: {
        std::optional<copied> expected = copied(value_for<Layout>(77));
        require(!map.compare_exchange(key, expected, value_for<Layout>(78)), "no such value");
        if (expected) seen = Layout::value_of(*expected);
        break;
    }
    }
    return seen;
}

/// One thread publishes the first key and then looks at another one, `apart`; a second overwrites that one and then looks
/// at the first. `look`: of the second. `one_map`: else `apart` is another map's key.
template <class Layout>
auto two_that_write_and_look(publishing how, looking look, std::memory_order order, bool one_map, bool after_a_walk) {
    return [=] {
        using map_type = visible_map<Layout>;
        map_type map, another;
        map_type& with_apart = one_map ? map : another;
        if (!inserts(how)) map.store(Layout::key(keys::first), value_for<Layout>(1));
        map.store(Layout::key(keys::trigger), value_for<Layout>(9)); // there is a table
        with_apart.store(Layout::key(keys::apart), value_for<Layout>(5));
        if (after_a_walk) {
            for (map_type* each : {&map, &another}) each->for_each([](const auto&, const auto&) {});
        }
        // The threads have their hazard records before: taking one orders them, too. (Without a write, which would do the
        // same.)
        const auto begin = [] {
            using policy = typename policy_of<Layout>::type;
            const syncmap::reclaim::thread_lease<policy> kept(syncmap::engine::process<policy>::instance().threads);
        };
        held of_first, of_apart;
        parallel(
            [&] {
                begin();
                publish<Layout>(map, how, order);
                of_apart = look_for<Layout>(with_apart, keys::apart, looking::load);
            },
            [&] {
                begin();
                with_apart.store(Layout::key(keys::apart), value_for<Layout>(6), order);
                of_first = look_for<Layout>(map, keys::first, look);
            });
        const bool first_missed = of_first == (inserts(how) ? held() : held(1));
        const bool apart_missed = of_apart == held(5);
        require(!first_missed || !apart_missed, "one of two that write and then look sees what the other wrote");
    };
}

/// Calls `f(name, body, look)` for every kind of write, looked for by `load`, and for a few of them by every kind of look.
/// (The keys of a `snapshot_map` are brought into its snapshot before, where writes take no lock.)
template <class Layout, class F>
void each_two_that_write_and_look(std::memory_order order, F&& f) {
    constexpr bool after_a_walk = std::is_same_v<Layout, snapshot_layout>;
    for (unsigned h = 0; h != std::size(publishing_names); ++h) {
        const auto how = static_cast<publishing>(h);
        if (!can_publish<Layout>(how) || (order != std::memory_order_seq_cst && has_one_order(how))) continue;
        const bool by_every_look = how == publishing::insert || how == publishing::overwrite || how == publishing::erase;
        for (unsigned l = 0; l != (by_every_look ? std::size(looking_names) : 1); ++l) {
            const auto look = static_cast<looking>(l);
            if (look == looking::pin && !visible_map<Layout>::has_pin) continue;
            // `clear` and `replace` take the key away that the other thread writes, so that one is another map's.
            const bool one_map = !has_one_order(how);
            f(std::string(Layout::name) + " weak both write and look, " + publishing_names[h] + ", " + looking_names[l] +
                  (syncmap::engine::visible_on_return(order) ? "" : ", release"),
              two_that_write_and_look<reclaimed_late<Layout>>(how, look, order, one_map, after_a_walk), look);
        }
    }
}

} // namespace explore
