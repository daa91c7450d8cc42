// What fills the account of a thread's garbage: nodes, bytes, or nodes that own an unknown amount of memory. And how the nodes
// that threads hold are found.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>

#include <gtest/gtest.h>

#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/tuning.hpp>
#include <syncmap/reclaim/domain.hpp>
#include <syncmap/reclaim/node.hpp>

namespace {

/// As the machine's, with a batch that is no power of two.
struct uneven : syncmap::engine::machine {
    static constexpr std::uint32_t retire_batch = 11;
};
template <class Sync>
using account = syncmap::reclaim::garbage_account<Sync>;

/// How many charges fill an account.
template <class Sync>
std::uint64_t charges_until_full(std::size_t block, std::size_t owned) {
    account<Sync> a;
    std::uint64_t n = 1;
    while (!a.charge(block, owned)) {
        EXPECT_FALSE(a.is_full());
        EXPECT_FALSE(a.is_empty());
        ++n;
    }
    EXPECT_TRUE(a.is_full());
    return n;
}

constexpr std::size_t most_bytes = account<syncmap::engine::machine>::most_bytes;
constexpr std::size_t largest = (std::numeric_limits<std::size_t>::max)() - 1; // of what can be told

TEST(garbage_account, is_full_at_its_number_of_nodes) {
    EXPECT_EQ(charges_until_full<syncmap::engine::machine>(16, 0), syncmap::engine::machine::retire_batch);
    EXPECT_EQ(charges_until_full<uneven>(16, 0), uneven::retire_batch);
}

TEST(garbage_account, is_full_at_its_number_of_bytes) {
    EXPECT_EQ(charges_until_full<syncmap::engine::machine>(most_bytes, 0), 1U);
    EXPECT_EQ(charges_until_full<syncmap::engine::machine>(0, most_bytes), 1U);
    EXPECT_EQ(charges_until_full<syncmap::engine::machine>(0, most_bytes / 4), 4U);
    EXPECT_EQ(charges_until_full<syncmap::engine::machine>(most_bytes / 4 - 1, 0), 5U);
    EXPECT_EQ(charges_until_full<syncmap::engine::machine>(most_bytes - 2, 1), 2U);
    EXPECT_EQ(charges_until_full<syncmap::engine::machine>(largest, largest), 1U);
}

TEST(garbage_account, is_full_at_its_number_of_nodes_of_unknown_size) {
    EXPECT_EQ(charges_until_full<syncmap::engine::machine>(16, syncmap::unknown_bytes),
              account<syncmap::engine::machine>::most_unknown);
}

TEST(garbage_account, counts_a_node_for_several) {
    account<uneven> a;
    EXPECT_FALSE(a.charge(1, 0, uneven::retire_batch - 1));
    EXPECT_TRUE(a.charge(1, 0, 1));
    account<uneven> b;
    EXPECT_TRUE(b.charge(1, 0, (std::numeric_limits<std::uint32_t>::max)()));
}

TEST(garbage_account, stays_full_whatever_comes) {
    account<uneven> a;
    EXPECT_TRUE(a.is_empty());
    for (int i = 0; i != 100'000; ++i) a.charge(largest, i % 2 == 0 ? syncmap::unknown_bytes : largest, 0xFFFF'FFFF);
    EXPECT_TRUE(a.is_full());
    EXPECT_FALSE(a.is_empty());
    a = {};
    EXPECT_TRUE(a.is_empty());
    EXPECT_FALSE(a.is_full());
}

// The hazards of few threads lie in the object itself; here they do not fit there.
TEST(held_nodes, are_those_that_the_hazards_of_all_threads_name) {
    using sync = syncmap::engine::machine;
    constexpr std::size_t threads = 50;
    syncmap::reclaim::domain<sync> domain;
    std::deque<syncmap::reclaim::node_base<sync>> nodes; // whose elements are not moved
    for (std::size_t i = 0; i < 8 * threads; ++i) nodes.emplace_back(i);
    std::size_t next = 0;
    const auto hold_every_second_node = [&](syncmap::reclaim::hazard_record<sync>& r) {
        for (auto& hazard : r.hazard) hazard.store(&nodes[nodes.size() - 2 * ++next], std::memory_order_relaxed);
    };
    for (std::size_t i = 0; i < threads; ++i) hold_every_second_node(domain.take());
    syncmap::reclaim::held_nodes<sync> held;
    ASSERT_TRUE(held.prepare(domain));
    ASSERT_TRUE(held.look(domain));
    for (std::size_t i = 0; i < nodes.size(); ++i) EXPECT_EQ(held.names(&nodes[i]), i % 2 == 0) << i;
}

TEST(sorting, puts_every_order_of_up_to_six_items_right) {
    for (std::size_t count = 0; count <= 6; ++count) {
        std::size_t orders = 1;
        for (std::size_t i = 0; i < count; ++i) orders *= count;
        for (std::size_t order = 0; order < orders; ++order) {
            std::size_t items[6] = {};
            std::size_t sum = 0;
            for (std::size_t i = 0, rest = order; i < count; ++i, rest /= count) sum += 1U << 4 * (items[i] = rest % count);
            syncmap::detail::sort(items, count, [](std::size_t a, std::size_t b) { return a < b; });
            bool is_sorted = true;
            for (std::size_t i = 0; i < count; ++i) {
                is_sorted = is_sorted && (i == 0 || items[i - 1] <= items[i]);
                sum -= 1U << 4 * items[i];
            }
            ASSERT_TRUE(is_sorted && sum == 0) << count << ' ' << order;
        }
    }
}

} // namespace
