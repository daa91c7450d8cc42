// Any sequence of operations on every map, against what it should hold, with failures of allocations and user code.
//
// Input: the map, how many bits of hash keys have, then steps of three bytes: what, key, number.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/any_map.hpp>
#include <syncmap/checked_map.hpp>

#include "faults/injector.hpp"

namespace test::faults {

// Known before subject.hpp, which calls them.

template <>
inline std::uint64_t made_of<std::uint64_t>(int number) {
    return static_cast<std::uint64_t>(number); // -1, -2 and 0 are the keys that look like markers of the table
}
inline int number_of(std::uint64_t key) noexcept { return static_cast<int>(key); }

template <>
inline syncmap::any made_of<syncmap::any>(int number) {
    if (number % 3 == 0) return std::to_string(number);
    return number;
}
inline int number_of(const syncmap::any& a) {
    const std::string* const text = a.get_if<std::string>();
    return text != nullptr ? std::stoi(*text) : a.as<int>();
}

} // namespace test::faults

#include "faults/maps.hpp"
#include "faults/subject.hpp"

namespace test::faults {
namespace {

/// So many bits of hash as the input says, all keys else alike.
struct masked_hash {
    static inline unsigned bits = 0;
    std::uint64_t operator()(const breakable_key& key, const syncmap::hash_seed& seed) const {
        injector::reach(site::hash);
        const std::uint64_t whole = syncmap::detail::mix(static_cast<std::uint64_t>(key.number()), seed);
        return bits == 0 ? 0 : whole >> (64 - bits) << (64 - bits);
    }
};

template <template <class, class, class, class, class> class Map, class T>
using masked = Map<breakable_key, T, masked_hash, std::equal_to<>, allocator_for<breakable_key, T>>;
template <class T>
using masked_table = syncmap::basic_map<
    syncmap::engine::table<breakable_key, T, masked_hash, std::equal_to<>, allocator_for<breakable_key, T>, hurried>>;
using sentinel_key_table =
    syncmap::basic_map<syncmap::engine::table<std::uint64_t, small_value, syncmap::hash<std::uint64_t>, std::equal_to<>,
                                              allocator_for<std::uint64_t, small_value>, hurried>>;
using checked = syncmap::checked_map<breakable_key, breakable_value, syncmap::misuse_check::cheap, masked_hash, std::equal_to<>,
                                     allocator_for<breakable_key, breakable_value>>;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "fuzz: %s\n", what);
    std::abort();
}

template <class Map>
void play(const std::uint8_t* data, std::size_t size) {
    constexpr auto acts = static_cast<unsigned>(act::flush) + 1;
    {
        Map map;
        subject<Map> under_test(map);
        for (std::size_t i = 0; i + 3 <= size; i += 3) {
            const unsigned what = data[i] % (acts + 2);
            const int key = static_cast<signed char>(data[i + 1]);
            const int number = data[i + 2];
            if (what >= acts) {
                injector::fail_at(static_cast<std::uint64_t>(number) % 32); // the n-th call from here on
            } else {
                under_test.perform(
                    {static_cast<act>(what), key, what == static_cast<unsigned>(act::reserve) ? 4 * number : number});
            }
            if (i % 256 == 0) under_test.compare();
        }
        injector::stop();
        under_test.use_all_keys(-8, 8);
        under_test.compare();
    }
    if (books::blocks.load() != 0) fail("memory was not given back");
    if (books::objects.load() != 0) fail("objects were not destroyed");
}

} // namespace
} // namespace test::faults

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace test::faults;
    static const bool prepared = [] {
        GTEST_FLAG_SET(break_on_failure, true); // a failed comparison ends the program here and now
        return true;
    }();
    if (!prepared || size < 2) return 0;
    constexpr std::array<unsigned, 4> bits{0, 1, 4, 64};
    masked_hash::bits = bits[data[1] % bits.size()];
    constexpr std::array games{play<inline_words::type>,
                               play<sentinel_key_table>,
                               play<masked_table<int>>,
                               play<masked_table<breakable_value>>,
                               play<masked<syncmap::mutex_map, breakable_value>>,
                               play<masked<syncmap::shared_mutex_map, int>>,
                               play<masked<syncmap::snapshot_map, breakable_value>>,
                               play<checked>,
                               play<syncmap::any_map>};
    games[data[0] % games.size()](data + 2, size - 2);
    return 0;
}
