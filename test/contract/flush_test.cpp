// What was erased or replaced is destroyed by `flush`, of the maps that destroy late.
#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/engine/process.hpp>
#include <syncmap/engine/tuning.hpp>

#include "support/maps.hpp"

namespace test {

/// Counts how many of it are alive.
class flush_counted {
public:
    static inline std::atomic<int> alive{0};
    explicit flush_counted(int n = 0) : number(n) { ++alive; }
    flush_counted(const flush_counted& other) : number(other.number) { ++alive; }
    flush_counted& operator=(const flush_counted&) = default;
    ~flush_counted() { --alive; }
    int number;
};

template <class M>
void flush_if_needed(M& map) {
    if constexpr (requires { map.flush(); }) map.flush();
}

template <class Family>
class flush : public ::testing::Test {};
TYPED_TEST_SUITE(flush, families, names);

TYPED_TEST(flush, of_an_empty_map_does_nothing) {
    typename TypeParam::template of<int, flush_counted> map;
    flush_if_needed(map);
    EXPECT_EQ(map.size(), 0U);
}

TYPED_TEST(flush, destroys_what_was_erased_and_replaced) {
    typename TypeParam::template of<int, flush_counted> map;
    for (int i = 0; i < 100; ++i) map.store(i, flush_counted(i));
    for (int i = 0; i < 50; ++i) map.erase(i);
    for (int i = 50; i < 60; ++i) map.store(i, flush_counted(-i));
    flush_if_needed(map);
    EXPECT_EQ(flush_counted::alive, 50);
    map.clear();
    flush_if_needed(map);
    EXPECT_EQ(flush_counted::alive, 0);
}

TYPED_TEST(flush, destroys_what_clear_took_away_after_it_was_read) {
    typename TypeParam::template of<int, flush_counted> map;
    for (int i = 0; i < 10; ++i) map.store(i, flush_counted(i));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(map.contains(i), i < 10); // snapshot_map: they are in the snapshot now
    map.clear();
    flush_if_needed(map);
    EXPECT_EQ(flush_counted::alive, 0);
}

TYPED_TEST(flush, destroys_what_other_threads_erased) {
    typename TypeParam::template of<int, flush_counted> map;
    for (int i = 0; i < 100; ++i) map.store(i, flush_counted(i));
    std::jthread([&] {
        for (int i = 0; i < 100; ++i) map.erase(i);
    }).join();
    flush_if_needed(map);
    EXPECT_EQ(flush_counted::alive, 0);
}

TYPED_TEST(flush, leaves_what_a_callback_is_shown) {
    typename TypeParam::template of<int, flush_counted> map;
    if constexpr (TypeParam::callbacks_are_free && requires { map.flush(); }) {
        map.store(1, flush_counted(7));
        map.visit(1, [&](const flush_counted& shown) {
            map.erase(1);
            map.flush();
            EXPECT_EQ(shown.number, 7);
            EXPECT_EQ(flush_counted::alive, 1);
        });
        map.flush();
        EXPECT_EQ(flush_counted::alive, 0);
    }
}

// ---- without flush: docs/guarantees.md, "Memory" ----

constexpr int writes_until_destroyed = 1024;
constexpr int writes_of_others = 2048; ///< for each thread of the most that used maps at a time

int most_threads() {
    using all = syncmap::engine::process<syncmap::engine::machine>;
    return static_cast<int>(all::instance().threads.hazard_record_count());
}

using late_map = syncmap::map<int, std::shared_ptr<int>>;

/// Replaces an entry until that value is gone; returns how often, or one more than is promised.
int writes_until_gone(late_map& map, const std::weak_ptr<int>& value, int promised = writes_until_destroyed) {
    int writes = 0;
    for (; !value.expired() && writes <= promised; ++writes) map.store(1, std::make_shared<int>(writes));
    return writes;
}

TEST(destruction, of_what_this_thread_took_out_comes_within_1024_of_its_writes) {
    // From each position within a batch of retired nodes.
    for (int before = 0; before < 600; before += 7) {
        late_map map;
        map.store(1, nullptr);
        for (int i = 0; i < before; ++i) map.store(1, nullptr);
        auto erased = std::make_shared<int>(1);
        auto replaced = std::make_shared<int>(2);
        const std::weak_ptr<int> first = erased;
        const std::weak_ptr<int> second = replaced;
        map.store(2, std::move(erased));
        map.store(3, std::move(replaced));
        map.erase(2);
        map.store(3, nullptr);
        EXPECT_LE(writes_until_gone(map, first), writes_until_destroyed);
        EXPECT_LE(writes_until_gone(map, second), writes_until_destroyed);
    }
}

TEST(destruction, of_what_another_thread_erased_comes_within_2048_writes_for_each_thread) {
    for (const bool ends : {true, false}) {
        late_map map;
        map.store(1, nullptr);
        std::weak_ptr<int> value;
        {
            const auto erased = std::make_shared<int>(1);
            value = erased;
            map.store(2, erased);
        }
        std::latch done(1);
        std::latch may_end(1);
        std::jthread other([&] {
            map.erase(2);
            done.count_down();
            if (!ends) may_end.wait(); // it stands still, and does nothing more for the map
        });
        done.wait();
        if (ends) other.join();
        const int promised = writes_of_others * most_threads(); // two, and those of earlier tests in this process
        EXPECT_LE(writes_until_gone(map, value, promised), promised);
        may_end.count_down();
    }
}

} // namespace test
