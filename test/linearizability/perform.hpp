// Asks a map what a call says, and notes what it answers, and when.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <syncmap/concepts.hpp>
#include <syncmap/results.hpp>

#include "linearizability/call.hpp"

namespace linearizability {

/// How the numbers in calls are keys and values of a map, and back.
template <class Codec, class Map>
concept codec_of = requires(const Codec& codec, std::uint64_t number, const typename Map::key_type& key,
                            const typename Map::mapped_type& value) {
    { codec.key(number) } -> std::convertible_to<typename Map::key_type>;
    { codec.value(number) } -> std::convertible_to<typename Map::mapped_type>;
    { codec.number_of_key(key) } -> std::same_as<std::uint64_t>;
    { codec.number_of_value(value) } -> std::same_as<std::uint64_t>;
};

/// Whether a map can be asked this.
template <syncmap::comparable_value_map Map>
constexpr bool can_perform(verb what) noexcept {
    switch (what) {
    case verb::fetch_add: return std::integral<typename Map::mapped_type>;
    case verb::size: return syncmap::exact_size_map<Map>;
    case verb::snapshot: return requires(const Map& map) { map.snapshot(); };
    case verb::replace: return requires(Map& map, Map& other) { map.replace(std::move(other)); };
    case verb::add_to_two:
    case verb::swap_two: return syncmap::multi_key_map<Map>;
    case verb::for_each: // not one call, but many
    case verb::erase_if:
    case verb::reserve: // answers nothing
    case verb::flush:
    case verb::shrink: return false;
    default: return true;
    }
}

/// All but `snapshot`, whose contents are no part of a call. Keys and values are made before the start is noted, and
/// turned back into numbers after the end.
template <syncmap::comparable_value_map Map, codec_of<Map> Codec, class Clock>
void perform(Map& map, const Codec& codec, Clock& clock, map_call& call) {
    using mapped = typename Map::mapped_type;
    const auto number = [&](const std::optional<mapped>& v) { return v ? held(codec.number_of_value(*v)) : held(); };
    const auto& key = codec.key(call.key);
    const auto timed = [&](auto&& ask) {
        call.invoked = clock.start();
        auto answer = ask();
        call.responded = clock.end();
        return answer;
    };
    switch (call.what) {
    case verb::load: call.seen = number(timed([&] { return map.load(key); })); break;
    case verb::store: {
        mapped value = codec.value(call.argument);
        call.answer = timed([&] { return map.store(key, std::move(value)); });
        break;
    }
    case verb::erase: call.answer = timed([&] { return map.erase(key); }); break;
    case verb::exchange: {
        mapped value = codec.value(call.argument);
        call.seen = number(timed([&] { return map.exchange(key, std::move(value)); }));
        break;
    }
    case verb::load_and_erase: call.seen = number(timed([&] { return map.load_and_erase(key); })); break;
    case verb::load_or_store: {
        mapped value = codec.value(call.argument);
        const auto result = timed([&] { return map.load_or_store(key, std::move(value)); });
        call.seen = codec.number_of_value(result.value);
        call.answer = result.loaded;
        break;
    }
    case verb::compare_exchange: {
        mapped value = codec.value(call.argument);
        std::optional<mapped> expected;
        if (call.expected) expected.emplace(codec.value(*call.expected));
        call.answer = timed([&] { return map.compare_exchange(key, expected, std::move(value)); });
        call.seen = number(expected);
        break;
    }
    case verb::compare_erase: {
        mapped expected = codec.value(*call.expected);
        call.answer = timed([&] { return map.compare_erase(key, expected); });
        call.seen = codec.number_of_value(expected);
        break;
    }
    case verb::fetch_add:
        if constexpr (std::integral<mapped>) {
            call.seen = timed([&] { return map.fetch_add(key, static_cast<mapped>(call.argument)); });
        }
        break;
    case verb::update: {
        const auto result = timed([&] {
            return map.update(key, [&](const mapped* current) -> mapped {
                ++call.count;
                call.seen = current == nullptr ? held() : held(codec.number_of_value(*current));
                return codec.value(call.seen.value_or(0) + call.argument);
            });
        });
        call.answer = result == syncmap::update_result::inserted;
        break;
    }
    case verb::update_erase: {
        const auto result = timed([&] {
            return map.update(key, [&](const mapped* current) {
                ++call.count;
                call.seen = current == nullptr ? held() : held(codec.number_of_value(*current));
                return std::optional<mapped>();
            });
        });
        call.answer = result == syncmap::update_result::erased;
        break;
    }
    case verb::load_or_compute: {
        const auto result = timed([&] {
            return map.load_or_compute(key, [&]() -> mapped {
                ++call.count;
                return codec.value(call.argument);
            });
        });
        call.seen = codec.number_of_value(result.value);
        call.answer = result.loaded;
        break;
    }
    case verb::size:
        if constexpr (syncmap::exact_size_map<Map>) {
            call.count = timed([&] { return map.size(); });
        }
        break;
    case verb::clear:
        timed([&] {
            map.clear();
            return 0;
        });
        break;
    case verb::replace:
        if constexpr (can_perform<Map>(verb::replace)) {
            Map next;
            next.store(key, codec.value(call.argument));
            next.store(codec.key(call.other), codec.value(call.argument));
            timed([&] {
                map.replace(std::move(next));
                return 0;
            });
        }
        break;
    case verb::add_to_two:
    case verb::swap_two:
        if constexpr (can_perform<Map>(verb::swap_two)) {
            const std::array<typename Map::key_type, 2> both{key, codec.key(call.other)};
            timed([&] {
                return map.update(both, [&](std::span<syncmap::update_slot<mapped>> slots) {
                    held had[2];
                    for (std::size_t i = 0; i != 2; ++i) {
                        if (const mapped* const current = slots[i].current()) had[i] = codec.number_of_value(*current);
                    }
                    call.seen = had[0];
                    call.count = code_of(had[1]);
                    for (std::size_t i = 0; i != 2; ++i) {
                        if (call.what == verb::add_to_two) {
                            slots[i].assign(codec.value(had[i].value_or(0) + call.argument));
                        } else if (had[1 - i]) {
                            slots[i].assign(codec.value(*had[1 - i]));
                        } else {
                            slots[i].erase();
                        }
                    }
                });
            });
        }
        break;
    case verb::snapshot:
    case verb::for_each:
    case verb::erase_if:
    case verb::reserve:
    case verb::flush:
    case verb::shrink: break;
    }
}

} // namespace linearizability
