// When a computation bars overwrites without a lock: docs/design.md, 6.
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/map.hpp>

namespace test {
namespace {

/// Counts the heavy barriers.
struct barrier_counting_sync : syncmap::engine::machine {
    static inline std::size_t barriers = 0;
    class barrier_group : public machine::barrier_group {
    public:
        [[nodiscard]] bool heavy_barrier() const noexcept {
            ++barriers;
            return machine::barrier_group::heavy_barrier();
        }
    };
};

using barrier_counting_table = syncmap::engine::table<int, int, syncmap::hash<int>, std::equal_to<>,
                                                      std::allocator<std::pair<const int, int>>, barrier_counting_sync>;

template <bool Shared>
int compute(barrier_counting_table& table, int key, int made) {
    const auto f = [&] { return made; };
    syncmap::detail::compute_operation<int, decltype(f), Shared> op{f};
    table.exclusive(key, op);
    return *op.result;
}

} // namespace

TEST(computations, bar_overwrites_only_where_a_function_may_run_on_a_present_value) {
    barrier_counting_table table;
    EXPECT_EQ(compute<false>(table, 1, 10), 10);
    EXPECT_EQ(compute<false>(table, 1, 20), 10); // as a call whose key another thread has inserted meanwhile
    EXPECT_EQ(compute<true>(table, 1, 30), 10);
    EXPECT_EQ(barrier_counting_sync::barriers, 0U);
    if constexpr (syncmap::engine::layout<int, int, syncmap::hash<int>, std::equal_to<>, barrier_counting_sync>::inline_key) {
        const auto f = [](const int* current) { return *current + 1; };
        syncmap::detail::update_operation<int, decltype(f)> op{f};
        table.exclusive(1, op);
        EXPECT_EQ(barrier_counting_sync::barriers, 1U);
    }
}

} // namespace test
