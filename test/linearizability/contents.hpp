// All keys of a small map, and what calls do to them.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "linearizability/call.hpp"

namespace linearizability {

struct contents {
    static constexpr std::size_t keys = 32;
    std::array<held, keys> values{};
    bool operator==(const contents&) const = default;

    /// A number that stands for them: in histories of all keys, a snapshot's `count`.
    std::uint64_t digest() const noexcept {
        std::uint64_t sum = 0;
        for (const held& each : values) sum = std::rotl(sum, 13) * 31 + code_of(each);
        return sum;
    }
    std::uint64_t size() const noexcept {
        return static_cast<std::uint64_t>(
            std::count_if(values.begin(), values.end(), [](const held& each) { return each.has_value(); }));
    }
};

inline bool apply(const map_call& call, contents& all) {
    switch (call.what) {
    case verb::size: return call.count == all.size();
    case verb::clear: all = {}; return true;
    case verb::snapshot: return call.count == all.digest();
    case verb::replace: // of some keys, perhaps, of which these may be none
        all = {};
        if (call.key < contents::keys) all.values[call.key] = call.argument;
        if (call.other < contents::keys) all.values[call.other] = call.argument;
        return true;
    case verb::add_to_two:
    case verb::swap_two: {
        const bool fits = apply(call, all.values[call.key]);
        return call.other == no_key ? fits : apply(turned(call), all.values[call.other]) && fits;
    }
    default: return apply(call, all.values[call.key]);
    }
}

} // namespace linearizability

template <>
struct std::hash<linearizability::held> {
    std::size_t operator()(const linearizability::held& value) const noexcept {
        return static_cast<std::size_t>(*value * 0x9E3779B97F4A7C15U >> 7);
    }
};
template <>
struct std::hash<linearizability::contents> {
    std::size_t operator()(const linearizability::contents& all) const noexcept {
        return static_cast<std::size_t>(all.digest());
    }
};
