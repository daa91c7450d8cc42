// What an operation costs, counted: comparisons of keys, and lines of the table that were looked through. Times say
// little on a shared machine, and nothing about the worst case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot_map.hpp>

namespace test::attacks {

/// Of the one thread of these tests.
struct counters {
    static inline std::uint64_t comparisons = 0;
    static inline std::uint64_t lines = 0;
    static std::uint64_t both() noexcept { return comparisons + lines; }
    static void reset() noexcept { comparisons = lines = 0; }
};

/// The machine itself, with every look at a line counted, and with seeds that the tests choose: what they show can be
/// shown again, and the attackers do not know it.
struct counted : syncmap::engine::machine {
    using real = syncmap::engine::machine;
    using words = const real::atomic<std::uint64_t>*;

#if defined(__x86_64__)
    static bool find_pair(words line, std::uint64_t first, std::uint64_t& second) noexcept {
        ++counters::lines;
        return real::find_pair(line, first, second);
    }
    static unsigned match_pairs(words line, std::uint64_t first) noexcept {
        ++counters::lines;
        return real::match_pairs(line, first);
    }
    static unsigned match_tags(words line, std::size_t words_per_slot, std::uint64_t tag) noexcept {
        ++counters::lines;
        return real::match_tags(line, words_per_slot, tag);
    }
#endif

    static inline std::uint64_t drawn = 0;
    static std::uint64_t random_word() noexcept {
        return syncmap::detail::mix(++drawn * 0xD6E8FEB86659FD93U, {0x243F6A8885A308D3U, 0x13198A2E03707345U});
    }
};

struct counting_equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
        ++counters::comparisons;
        return a == b;
    }
};

template <class Key, class T, class Hash = syncmap::hash<Key>, class KeyEqual = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
using counted_map = syncmap::basic_map<syncmap::engine::table<Key, T, Hash, KeyEqual, Allocator, counted>>;

using inline_map = counted_map<std::uint64_t, std::uint64_t>;
using text_map = counted_map<std::string, std::uint64_t, syncmap::hash<std::string>, counting_equal>;
using locked_text_map = syncmap::mutex_map<std::string, std::uint64_t, syncmap::hash<std::string>, counting_equal>;

} // namespace test::attacks
