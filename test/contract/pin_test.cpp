// Entries that are kept beyond a call, of the maps that can keep them.
#include <atomic>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/concepts.hpp>

#include "support/allocations.hpp"
#include "support/maps.hpp"
#include "support/types.hpp"

namespace test {

using pinned_in_place = flagship::of<int, int>;
using pinned_node_key = flagship::of<std::string, std::uint64_t>;
using pinned_node = flagship::of<std::string, std::string>;

static_assert(syncmap::pinnable_map<pinned_in_place> && syncmap::pinnable_map<pinned_node_key> &&
              syncmap::pinnable_map<pinned_node>);
static_assert(!syncmap::pinnable_map<behind_mutex::of<int, int>> && !syncmap::pinnable_map<behind_shared_mutex::of<int, int>>);
static_assert(!syncmap::pinnable_map<with_snapshot::of<int, int>>);

template <class M>
class pin : public ::testing::Test {
protected:
    using handle = decltype(std::declval<const M&>().pin(std::declval<const typename M::key_type&>()));
};
using pin_maps = ::testing::Types<pinned_in_place, pinned_node_key, pinned_node>;
TYPED_TEST_SUITE(pin, pin_maps, names);

TYPED_TEST(pin, of_an_absent_key_is_empty) {
    TypeParam map;
    EXPECT_FALSE(map.pin(key<TypeParam>(1)));
    map.store(key<TypeParam>(2), value<TypeParam>(2));
    EXPECT_FALSE(map.pin(key<TypeParam>(1)));
    typename TestFixture::handle none;
    EXPECT_FALSE(none);
    none.reset();
}

TYPED_TEST(pin, shows_the_entry_whatever_becomes_of_the_key) {
    TypeParam map;
    for (int i = 0; i < 4; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
    const auto erased = map.pin(key<TypeParam>(0));
    const auto replaced = map.pin(key<TypeParam>(1));
    const auto cleared = map.pin(key<TypeParam>(2));
    const auto again = map.pin(key<TypeParam>(0));
    map.erase(key<TypeParam>(0));
    map.store(key<TypeParam>(1), value<TypeParam>(100));
    map.flush();
    for (int i = 10; i < 3000; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i)); // it grows
    map.clear();
    map.flush();
    int i = 0;
    for (const auto* each : {&erased, &replaced, &cleared, &again}) {
        ASSERT_TRUE(*each);
        const int expected = i++ % 3;
        EXPECT_EQ(each->key(), key<TypeParam>(expected));
        EXPECT_EQ(each->value(), value<TypeParam>(expected));
        EXPECT_EQ(**each, value<TypeParam>(expected));
        EXPECT_EQ(each->operator->(), &each->value());
    }
    EXPECT_FALSE(map.pin(key<TypeParam>(0)));
}

TYPED_TEST(pin, moves_and_leaves_nothing_behind) {
    static_assert(!std::is_copy_constructible_v<typename TestFixture::handle>);
    static_assert(std::is_nothrow_move_constructible_v<typename TestFixture::handle>);
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(1));
    map.store(key<TypeParam>(2), value<TypeParam>(2));
    auto first = map.pin(key<TypeParam>(1));
    auto second = std::move(first);
    EXPECT_FALSE(first);
    first = map.pin(key<TypeParam>(2));
    map.clear();
    map.flush();
    EXPECT_EQ(*second, value<TypeParam>(1));
    second = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_EQ(*second, value<TypeParam>(2));
    auto& itself = second;
    second = std::move(itself);
    EXPECT_EQ(*second, value<TypeParam>(2));
    second.reset();
    EXPECT_FALSE(second);
}

TYPED_TEST(pin, allocates_nothing_and_keeps_nobody_waiting) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(1));
    std::vector<typename TestFixture::handle> held(1000); // far more than a thread has hazards
    EXPECT_EQ(allocations_of([&] {
                  for (auto& each : held) each = map.pin(key<TypeParam>(1));
              }),
              0U);
    std::jthread([&] {
        map.store(key<TypeParam>(1), value<TypeParam>(2));
        map.erase(key<TypeParam>(1));
        map.flush();
        held.resize(500); // dropped where they were not made
    }).join();
    for (const auto& each : held) EXPECT_EQ(*each, value<TypeParam>(1));
}

/// Runs until its first co_await; the holder of the handle goes on with it, on any thread.
struct pin_coroutine {
    struct promise_type {
        pin_coroutine get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};
struct pin_elsewhere {
    std::coroutine_handle<>& rest;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept { rest = h; }
    void await_resume() const noexcept {}
};

TYPED_TEST(pin, lives_across_co_await_on_another_thread) {
    TypeParam map;
    map.store(key<TypeParam>(1), value<TypeParam>(1));
    std::coroutine_handle<> rest;
    bool right = false;
    const auto run = [&]() -> pin_coroutine {
        const auto held = map.pin(key<TypeParam>(1));
        co_await pin_elsewhere{rest};
        right = held.value() == value<TypeParam>(1);
    };
    run();
    map.erase(key<TypeParam>(1));
    map.flush();
    std::jthread([&] { rest.resume(); }).join();
    EXPECT_TRUE(right);
}

/// Counts how many of it are alive.
class pin_counted {
public:
    static inline std::atomic<int> alive{0};
    explicit pin_counted(int n) : number(n) { ++alive; }
    pin_counted(const pin_counted& other) : number(other.number) { ++alive; }
    pin_counted& operator=(const pin_counted&) = default;
    ~pin_counted() { --alive; }
    int number;
};

TEST(pins_of_nodes, end_in_every_order_with_erasing_and_scanning) {
    enum step { take_out, scan, unpin };
    for (const bool by_clear : {false, true}) {
        for (const auto& order : {std::vector{take_out, scan, unpin},
                                  {take_out, unpin, scan},
                                  {unpin, take_out, scan},
                                  {scan, take_out, unpin},
                                  {take_out, unpin},
                                  {unpin, take_out},
                                  {unpin},
                                  {take_out, scan, unpin, scan}}) {
            {
                flagship::of<int, pin_counted> map;
                map.store(1, pin_counted(7));
                auto first = map.pin(1);
                auto second = map.pin(1);
                bool out = false, scanned_out = false, held = true;
                for (const step each : order) {
                    switch (each) {
                    case take_out:
                        by_clear ? map.clear() : void(map.erase(1));
                        out = true;
                        scanned_out = by_clear; // it looks at all hazards by itself
                        break;
                    case scan:
                        map.flush();
                        scanned_out = out;
                        break;
                    case unpin:
                        first.reset();
                        EXPECT_EQ(second->number, 7);
                        EXPECT_EQ(pin_counted::alive, 1);
                        second.reset();
                        held = false;
                    }
                    EXPECT_EQ(pin_counted::alive, scanned_out && !held ? 0 : 1);
                }
            }
            EXPECT_EQ(pin_counted::alive, 0) << "the map left something behind";
        }
    }
}

TEST(pins_of_keys_and_values, that_can_only_be_moved) {
    struct by_number {
        std::size_t operator()(const move_only& k) const noexcept { return static_cast<std::size_t>(k.number()); }
        bool operator()(const move_only& a, const move_only& b) const noexcept { return a.number() == b.number(); }
    };
    flagship::of<move_only, move_only, by_number, by_number> map;
    map.store(move_only(1), move_only(10));
    const auto held = map.pin(move_only(1));
    map.erase(move_only(1));
    map.flush();
    ASSERT_TRUE(held);
    EXPECT_EQ(held.key().number(), 1);
    EXPECT_EQ(held->number(), 10);
}

TEST(pins_by_another_key_type, look_up_without_a_copy) {
    using namespace std::string_view_literals;
    constexpr auto text = "a key that is longer than any small string buffer"sv;
    pinned_node_key map;
    map.store(std::string(text), 5);
    EXPECT_EQ(allocations_of([&] {
                  const auto held = map.pin(text);
                  ASSERT_TRUE(held);
                  EXPECT_EQ(held.key(), text);
                  EXPECT_EQ(*held, 5U);
              }),
              0U);
    EXPECT_EQ(*map.pin("a key that is longer than any small string buffer"), 5U);
}

TEST(pins_of_in_place_entries, of_values_that_cannot_be_assigned) {
    struct constant {
        const int number;
    };
    flagship::of<std::uint64_t, constant> map;
    map.store(~std::uint64_t{0}, constant{3}); // a key that looks like a mark
    auto held = map.pin(~std::uint64_t{0});
    auto moved = std::move(held);
    held = std::move(moved);
    EXPECT_EQ(held->number, 3);
    EXPECT_EQ(held.key(), ~std::uint64_t{0});
}

} // namespace test
