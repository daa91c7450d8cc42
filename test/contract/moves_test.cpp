// How often operations copy and move values. What is stated here, facade.hpp promises.
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

namespace {

/// Too large for a slot.
struct counted {
    int number = 0;
    long more[3] = {};
    static inline int copies = 0;
    static inline int moves = 0;

    counted(int n) : number(n) {}
    counted(const counted& other) : number(other.number) { ++copies; }
    counted(counted&& other) noexcept : number(other.number) { ++moves; }
    counted& operator=(const counted& other) {
        number = other.number;
        ++copies;
        return *this;
    }
    counted& operator=(counted&& other) noexcept {
        number = other.number;
        ++moves;
        return *this;
    }
    friend bool operator==(const counted& a, const counted& b) noexcept { return a.number == b.number; }
};

struct cost {
    int copies;
    int moves;
    friend bool operator==(const cost&, const cost&) = default;
    friend void PrintTo(const cost& c, std::ostream* out) { *out << c.copies << " copies, " << c.moves << " moves"; }
};

template <class F>
cost cost_of(F&& f) {
    counted::copies = counted::moves = 0;
    f();
    return {counted::copies, counted::moves};
}

} // namespace

template <class Family>
class moves : public ::testing::Test {
protected:
    using map_type = typename Family::template of<int, counted>;
    /// Behind a lock a value that is replaced moves out of the table, and the new one moves in, so that nothing can fail
    /// half way.
    static constexpr int more_of_an_overwrite = Family::holds_small_entries_in_place && !Family::callbacks_are_free ? 2 : 0;

    moves() { map_.reserve(64); }
    map_type map_{};
};
TYPED_TEST_SUITE(moves, families, names);

TYPED_TEST(moves, of_a_store) {
    auto& map = this->map_;
    const int more = TestFixture::more_of_an_overwrite;
    const counted constant(1);
    EXPECT_EQ(cost_of([&] { map.store(1, counted(1)); }), (cost{0, 1}));
    EXPECT_EQ(cost_of([&] { map.store(2, 1); }), (cost{0, 0})) << "made in place";
    EXPECT_EQ(cost_of([&] { map.store(3, constant); }), (cost{1, 0}));
    EXPECT_EQ(cost_of([&] { map.store(1, counted(2)); }), (cost{0, 1 + more}));
    EXPECT_EQ(cost_of([&] { map.store(1, 3); }), (cost{0, more}));
    EXPECT_EQ(cost_of([&] { map.emplace(5, 1); }), (cost{0, 0}));
    EXPECT_EQ(cost_of([&] { map.emplace(5, 2); }), (cost{0, 0}));
    EXPECT_EQ(cost_of([&] { map.insert(4, counted(1)); }), (cost{0, 1}));
    EXPECT_EQ(cost_of([&] { map.insert(4, counted(2)); }), (cost{0, 0}));
}

TYPED_TEST(moves, of_load_or_store) {
    auto& map = this->map_;
    EXPECT_EQ(cost_of([&] { static_cast<void>(map.load_or_store(1, counted(1))); }), (cost{1, 2}))
        << "the result is another one";
    EXPECT_EQ(cost_of([&] { static_cast<void>(map.load_or_store(1, counted(1))); }), (cost{1, 1}));
    EXPECT_EQ(cost_of([&] { static_cast<void>(map.load_or_compute(2, [] { return counted(1); })); }), (cost{1, 1}));
    EXPECT_EQ(cost_of([&] { static_cast<void>(map.load_or_compute(2, [] { return counted(1); })); }).copies, 1);
}

TYPED_TEST(moves, of_an_exchange) {
    auto& map = this->map_;
    const int more = TestFixture::more_of_an_overwrite;
    EXPECT_EQ(cost_of([&] { static_cast<void>(map.exchange(1, counted(1))); }), (cost{0, 1}));
    EXPECT_EQ(cost_of([&] { static_cast<void>(map.exchange(1, counted(2))); }), (cost{1, 1 + more}))
        << "the previous value is copied";
    counted expected(2);
    EXPECT_EQ(cost_of([&] { EXPECT_TRUE(map.compare_exchange(1, expected, counted(3))); }), (cost{0, 1 + more}));
}

TYPED_TEST(moves, of_an_update) {
    auto& map = this->map_;
    const int more = TestFixture::more_of_an_overwrite;
    EXPECT_EQ(cost_of([&] { map.update(1, [](const counted*) { return counted(1); }); }), (cost{0, 1}));
    EXPECT_EQ(cost_of([&] { map.update(1, [](const counted*) { return 2; }); }), (cost{0, more})) << "made in place";
    EXPECT_EQ(cost_of([&] { map.update(1, [](const counted*) { return std::optional<counted>(std::in_place, 3); }); }),
              (cost{0, 1 + more}));
    const auto chosen = [](const counted*) -> syncmap::update_action<counted> { return counted(4); };
    EXPECT_EQ(cost_of([&] { map.update(1, chosen); }), (cost{0, 2 + more}));
    EXPECT_EQ(cost_of([&] { map.update(1, [](const counted*) { return syncmap::keep; }); }), (cost{0, 0}));
    EXPECT_EQ(map.load(1), counted(4));
}

} // namespace test
