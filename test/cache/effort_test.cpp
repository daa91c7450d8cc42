// What one put looks at. Entries that a sweep is shown are counted, so no clock decides.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <syncmap/cache/basic_cache.hpp>
#include <syncmap/cache/warm_restart.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/marked_map.hpp>

#include <gtest/gtest.h>

namespace {

using plain_engine = syncmap::marked_map_engine<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, std::equal_to<>,
                                                std::allocator<std::pair<const std::uint64_t, std::uint64_t>>,
                                                syncmap::cache_detail::entry_state<syncmap::engine::machine>>;

/// Counts the entries that sweeps are shown, and those that are looked for.
class counting_engine : public plain_engine {
public:
    using plain_engine::plain_engine;

    template <class F>
    std::uint64_t sweep_bucket(const visitor& by, std::uint64_t from, F f, std::size_t first = 0) const {
        const auto look = [&](sighting& seen, std::size_t place) {
            ++entries;
            return f(seen, place);
        };
        return plain_engine::sweep_bucket(by, from, look, first);
    }
    bool find(std::uint64_t hash, sighting& seen) const {
        ++finds;
        return plain_engine::find(hash, seen);
    }
    static inline std::uint64_t entries = 0;
    static inline std::uint64_t finds = 0; ///< entries that were looked for by their hashes
};
using counted_cache = syncmap::basic_cache<counting_engine>;

/// Fills it, and reads each entry so often that all of them are as used as can be.
void heat(counted_cache& c, std::uint64_t keys) {
    for (std::uint64_t key = 0; key < keys; ++key) c.put(key, key);
    for (int round = 0; round < 4; ++round) {
        for (std::uint64_t key = 0; key < keys; ++key) static_cast<void>(c.visit(key, [](std::uint64_t) {}));
    }
}

TEST(cache_effort, of_a_put_is_bounded_where_all_entries_were_read_often) {
    constexpr std::uint64_t capacity = 50'000;
    counted_cache c({.capacity = capacity});
    heat(c, capacity);
    std::uint64_t most = 0;
    std::uint64_t all = 0;
    constexpr std::uint64_t puts = 4'000;
    for (std::uint64_t i = 0; i < puts; ++i) {
        const std::uint64_t before = counting_engine::entries;
        EXPECT_TRUE(c.put(1'000'000 + i, i));
        most = std::max(most, counting_engine::entries - before);
        all += counting_engine::entries - before;
    }
    EXPECT_EQ(c.size(), capacity);
    EXPECT_GE(most, 256U) << "the entries are not as used as the test wants them";
    // A put may be shown two windows: of the duel, and of its permit; and small entries between the main ones.
    EXPECT_LE(most, 1'000U);
    EXPECT_LE(all, 3 * capacity + 32 * puts) << "each look takes one use: no put pays again for what another has looked at";
}

TEST(cache_effort, of_a_load_looks_for_no_entry_that_comes_back_into_main) {
    constexpr std::uint64_t capacity = 2'000;
    counted_cache before({.capacity = capacity});
    for (std::uint64_t key = 0; key < capacity; ++key) before.put(key, key); // nine of ten are main
    std::string bytes;
    before.save([&](const char* from, std::size_t size) { bytes.append(from, size); });
    counted_cache after({.capacity = capacity});
    counting_engine::finds = 0;
    std::size_t at = 0;
    EXPECT_EQ(after.load([&](char* to, std::size_t size) {
        const std::size_t n = bytes.copy(to, size, at);
        at += n;
        return n;
    }),
              capacity);
    EXPECT_LT(counting_engine::finds, capacity / 5);
}

} // namespace
