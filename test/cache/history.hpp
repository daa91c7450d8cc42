// What threads ask a cache and what it answers, and whether an order of the calls explains the answers.
//
// The specification of one key. (A history is cut by key; calls on all keys count for each.)
//
//   holds         an absent key, a value, or a remembered outcome of a load: nothing, or what the loader threw
//   get           shows a value; shows nothing of an absent key and of a remembered outcome
//   get_or_load   shows what the key holds. Or it calls its loader, and the key holds what that brought
//   put           the key holds the value
//   invalidate    the key is absent. It answers whether there was a value. A `take` is one that shows the value, too
//   tick          the time to live of remembered outcomes ends: where there is one, the key is absent
//
// A write beats each load whose loader began before the write was called: such a load comes before the write in each order,
// though it may return later. A call that waits for a load is shown what that brings, whether or not it is stored, evicted, or
// its time to live has ended: so while a load has not returned, only writes end what it brought.
//
// An eviction is an erase at any time: with `evicts`, a key that holds a value may be found absent by a call that says so. So
// may be a value whose load overlaps a write, which may keep it from being stored. A remembered outcome may be forgotten at any
// time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "linearizability/search.hpp"

namespace test {

enum class asked : std::uint8_t { get, get_or_load, put, invalidate, invalidate_all, tick };

/// What a key holds, or what a call has shown.
struct key_content {
    enum kinds : std::uint8_t { absent, nothing, error, value };
    kinds kind = absent;
    std::uint32_t number = 0; ///< of the value or the error
    bool operator==(const key_content&) const = default;
    bool is_remembered() const noexcept { return kind == nothing || kind == error; }
};

struct cache_call {
    asked what = asked::get;
    std::uint8_t thread = 0;
    bool answer = false; ///< of `invalidate`
    std::uint32_t key = 0;
    key_content shown{}; ///< the result; of `put` the value that it stores
    bool overlaps_write = false; ///< `trouble_of` finds out
    std::optional<std::uint64_t> began{}; ///< when its loader was called; none: it was not
    std::uint64_t invoked = 0;
    std::uint64_t responded = linearizability::never;
};
inline bool is_write(asked what) noexcept {
    return what == asked::put || what == asked::invalidate || what == asked::invalidate_all;
}
inline bool is_of_all_keys(asked what) noexcept { return what == asked::invalidate_all || what == asked::tick; }

// ---- what `order_search` asks of a call ----

inline bool only_reads(const cache_call& c) noexcept {
    return (c.what == asked::get && c.shown.kind == key_content::value) || (c.what == asked::get_or_load && !c.began);
}
inline bool overwrites(const cache_call&) noexcept { return false; }
inline bool depend(const cache_call&, const cache_call&) noexcept { return true; }

struct key_state {
    key_content content{};
    bool may_be_dropped = false; ///< the value, by a write that its load overlaps
    std::uint64_t loaded_until = 0; ///< when the load returned that brought it
    std::uint64_t last_write = 0; ///< when the write was called that was called last, of those that have taken effect
    bool operator==(const key_state&) const = default;
};

/// Does the answer fit, and what does the key hold then?
inline bool apply_to_key(const cache_call& c, key_state& state, bool evicts) {
    const bool has_value = state.content.kind == key_content::value;
    const bool is_in_flight = state.loaded_until > c.invoked;
    const bool may_be_absent = !has_value || evicts || state.may_be_dropped;
    const auto write = [&](key_content left) {
        state.content = left;
        state.loaded_until = 0;
        state.may_be_dropped = false;
        state.last_write = std::max(state.last_write, c.invoked);
        return true;
    };
    switch (c.what) {
    case asked::get:
        if (c.shown.kind == key_content::value) return c.shown == state.content;
        if (has_value && !is_in_flight) state.content = {};
        return may_be_absent;
    case asked::get_or_load:
        if (!c.began) return c.shown == state.content;
        if (state.last_write > *c.began || !may_be_absent) return false;
        state.content = c.shown;
        state.loaded_until = c.responded;
        state.may_be_dropped = c.overlaps_write;
        return true;
    case asked::put: return write(c.shown);
    case asked::invalidate: {
        const bool fits = c.shown.kind != key_content::value || c.shown == state.content;
        return (c.answer ? has_value && fits : may_be_absent) && write({});
    }
    case asked::invalidate_all: return write({});
    case asked::tick:
        if (state.content.is_remembered() && !is_in_flight) state.content = {};
        return true;
    }
    return false;
}

} // namespace test

template <>
struct std::hash<test::key_state> {
    std::size_t operator()(const test::key_state& s) const noexcept {
        const std::uint64_t content = std::uint64_t{s.content.number} << 8 | s.content.kind;
        return static_cast<std::size_t>((content ^ s.last_write ^ s.loaded_until << 20) * 0x9E3779B97F4A7C15U >> 7);
    }
};

namespace test {

inline std::string text_of(const cache_call& c) {
    static constexpr const char* names[] = {"get", "get_or_load", "put", "invalidate", "invalidate_all", "tick"};
    static constexpr const char* kinds[] = {"absent", "nothing", "error ", "value "};
    std::string text = std::to_string(c.invoked) + " to " + std::to_string(c.responded) + ", thread " +
                       std::to_string(c.thread) + ": " + names[static_cast<unsigned>(c.what)];
    if (c.what == asked::invalidate) {
        if (c.shown.kind == key_content::value) text += ", takes " + std::to_string(c.shown.number);
        return text + (c.answer ? " a value\n" : "\n");
    }
    if (is_of_all_keys(c.what)) return text + "\n";
    text += std::string(" ") + kinds[c.shown.kind];
    if (c.shown.number != 0) text += std::to_string(c.shown.number);
    if (c.began) text += ", loaded from " + std::to_string(*c.began);
    return text + "\n";
}

/// Empty, or which call no order explains, behind those that ended or began shortly before its end. All keys are absent at
/// first.
inline std::string trouble_of(std::span<const cache_call> history, std::uint32_t keys, bool evicts) {
    for (std::uint32_t key = 0; key != keys; ++key) {
        std::vector<cache_call> calls;
        for (const cache_call& c : history) {
            if (is_of_all_keys(c.what) || c.key == key) calls.push_back(c);
        }
        std::sort(calls.begin(), calls.end(), [](const auto& a, const auto& b) { return a.invoked < b.invoked; });
        for (cache_call& c : calls) {
            c.overlaps_write = c.began && std::any_of(calls.begin(), calls.end(), [&](const cache_call& other) {
                                   return is_write(other.what) && other.invoked <= c.responded && other.responded >= c.invoked;
                               });
        }
        const key_state at_start{};
        linearizability::order_search<key_state, 32> search;
        const auto found = search(std::span<const cache_call>(calls), std::span<const key_state>(&at_start, 1),
                                  [evicts](const cache_call& c, key_state& s) { return apply_to_key(c, s, evicts); });
        if (!found) continue;
        std::string text = "no order explains the last of these calls on key " + std::to_string(key) + ":\n";
        constexpr std::size_t shown_before = 12;
        for (std::size_t i = found->call - std::min(found->call, shown_before); i != calls.size(); ++i) {
            if (i != found->call && calls[i].invoked <= calls[found->call].responded) text += "  " + text_of(calls[i]);
        }
        return text + "  " + text_of(calls[found->call]);
    }
    return {};
}

} // namespace test
