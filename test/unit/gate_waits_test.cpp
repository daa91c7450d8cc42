// A writer that waits at the gate of a snapshot opens it when it has met too many closings one after the other: how many.
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>

#include <syncmap/engine/table/locks.hpp>
#include <syncmap/engine/tuning.hpp>

namespace test::gate_waits {
namespace {

using syncmap::engine::gate;

struct no_record {};
struct no_layout {
    using control_word = std::uint64_t;
    using atomic_control = std::atomic<control_word>;
};

/// A gate that is closed again by the time a writer that slept there looks. Of a map with so many thread records.
struct gate_closed_again {
    using thread_record_type = no_record;

    /// Where writers sleep until the gate opens.
    struct sleeping_place {
        gate_closed_again* of;
        template <class IsOver>
        void sleep(const void*, std::uint32_t, const syncmap::engine::machine::deadline&, IsOver) const {
            ++of->closings;
            of->gate_word = gate::closed(gate::opened(of->gate_word), gate::cutting);
        }
    };
    struct process {
        sleeping_place gates;
    };

    explicit gate_closed_again(std::size_t n) noexcept : records(n) {}

    template <class F>
    void each_thread_record(F&& f) const {
        const no_record r;
        for (std::size_t i = 0; i < records; ++i) f(r);
    }

    std::size_t records;
    std::size_t closings = 0;
    std::atomic<gate::word> gate_word{gate::closed(0, gate::cutting)};
    process own_process{{this}};
    process* home = &own_process;
};

struct types {
    using sync = syncmap::engine::machine;
    using layout = no_layout;
    using control = gate_closed_again;
    struct header {};
};

/// Beside many writers nearly all of them meet each closing. If each of them opened the gate at its eighth, all attempts to
/// take a snapshot would be void.
TEST(gate_waits, are_for_eight_closings_for_each_writer) {
    for (const std::size_t writers : {1U, 2U, 64U}) {
        gate_closed_again map(writers);
        syncmap::engine::locks<types>::wait_for_gate(map);
        EXPECT_EQ(map.closings, 8 * writers);
        EXPECT_TRUE(gate::is_open(map.gate_word));
    }
}

} // namespace
} // namespace test::gate_waits
