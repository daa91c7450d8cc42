// The checker can say yes and no: histories made by hand, and random ones judged by trying every order.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "linearizability/small.hpp"

namespace linearizability {
namespace {

map_call store(std::uint64_t key, std::uint64_t value, bool is_new, std::uint64_t from, std::uint64_t to) {
    return {
        .what = verb::store, .thread = 1, .answer = is_new, .key = key, .argument = value, .invoked = from, .responded = to};
}
map_call load(std::uint64_t key, held seen, std::uint64_t from, std::uint64_t to) {
    return {.what = verb::load, .thread = 2, .key = key, .seen = seen, .invoked = from, .responded = to};
}
map_call erase(std::uint64_t key, bool existed, std::uint64_t from, std::uint64_t to) {
    return {.what = verb::erase, .thread = 3, .answer = existed, .key = key, .invoked = from, .responded = to};
}
map_call size(std::uint64_t count, std::uint64_t from, std::uint64_t to) {
    return {.what = verb::size, .thread = 4, .count = count, .invoked = from, .responded = to};
}
map_call clear(std::uint64_t from, std::uint64_t to) {
    return {.what = verb::clear, .thread = 5, .invoked = from, .responded = to};
}

TEST(linearizability, a_call_takes_effect_between_its_start_and_its_end) {
    EXPECT_EQ(check_history({store(1, 10, true, 1, 4), load(1, 10, 2, 3)}), "");
    EXPECT_EQ(check_history({store(1, 10, true, 1, 4), load(1, {}, 2, 3)}), "");
    EXPECT_NE(check_history({store(1, 10, true, 1, 2), load(1, {}, 3, 4)}), "");
    EXPECT_NE(check_history({load(1, 10, 1, 2), store(1, 10, true, 3, 4)}), "");
}

TEST(linearizability, what_one_reader_saw_no_later_reader_misses) {
    EXPECT_EQ(check_history({store(1, 10, true, 1, 6), load(1, {}, 2, 3), load(1, 10, 4, 5)}), "");
    EXPECT_NE(check_history({store(1, 10, true, 1, 6), load(1, 10, 2, 3), load(1, {}, 4, 5)}), "");
}

TEST(linearizability, two_erasers_of_one_entry_do_not_both_succeed) {
    EXPECT_EQ(check_history({store(1, 10, true, 1, 2), erase(1, true, 3, 6), erase(1, false, 4, 5)}), "");
    EXPECT_NE(check_history({store(1, 10, true, 1, 2), erase(1, true, 3, 6), erase(1, true, 4, 5)}), "");
}

TEST(linearizability, a_call_that_has_not_ended_may_have_taken_effect_or_not) {
    EXPECT_EQ(check_history({store(1, 10, true, 1, never), load(1, 10, 2, 3)}), "");
    EXPECT_EQ(check_history({store(1, 10, true, 1, never), load(1, {}, 2, 3)}), "");
}

TEST(linearizability, sizes_are_those_of_one_instant) {
    EXPECT_EQ(check_history({store(1, 10, true, 1, 2), store(2, 20, true, 3, 4), size(2, 5, 6)}), "");
    // The entry moved from key 1 to key 2, by way of two: the map never held none.
    EXPECT_NE(check_history({store(1, 10, true, 1, 2), size(0, 3, 8), store(2, 20, true, 4, 5), erase(1, true, 6, 7)}), "");
    EXPECT_EQ(check_history({store(1, 10, true, 1, 2), size(2, 3, 8), store(2, 20, true, 4, 5), erase(1, true, 6, 7)}), "");
}

TEST(linearizability, clear_empties_all_keys_at_one_instant) {
    EXPECT_EQ(
        check_history({store(1, 10, true, 1, 2), store(2, 20, true, 3, 4), clear(5, 10), load(1, 10, 6, 7), load(2, {}, 8, 9)}),
        "");
    EXPECT_NE(
        check_history({store(1, 10, true, 1, 2), store(2, 20, true, 3, 4), clear(5, 10), load(1, {}, 6, 7), load(2, 20, 8, 9)}),
        "");
}

TEST(linearizability, parts_of_erase_if_are_found_out_from_their_number) {
    const auto part = [](std::uint64_t key, std::uint64_t count) {
        return map_call{.what = verb::erase_if, .thread = 1, .key = key, .count = count, .invoked = 5, .responded = 6};
    };
    const auto history = [&](std::uint64_t count, held after) {
        return std::vector{store(1, 11, true, 1, 2), store(2, 20, true, 3, 4), part(1, count), part(2, count),
                           load(1, after, 7, 8)};
    };
    EXPECT_EQ(check_history(history(1, {})), "");
    EXPECT_NE(check_history(history(0, 11)), "");
    EXPECT_NE(check_history(history(1, 11)), "");
    EXPECT_NE(check_history(history(2, {})), "");
}

TEST(linearizability, the_picture_shows_no_more_than_is_needed) {
    EXPECT_EQ(check_history({store(7, 20, true, 1, 4), load(7, {}, 2, 6), load(7, 30, 3, 5)}),
              "not linearizable: key 7 held nothing, then\n"
              "  B  [load(7) -> 30]\n"
              "     ^ no order explains this\n"
              "  (whether or not 1 other write(s) took effect)\n");
    // What was seen is shown with the call that wrote it.
    EXPECT_EQ(check_history({store(7, 20, true, 1, 2), load(7, 20, 3, 4), store(7, 21, false, 5, 7), load(7, 21, 6, 8),
                             load(7, 20, 9, 10)}),
              "not linearizable: key 7 held nothing, then\n"
              "  A  [store(7, 20) -> new] [store(7, 21) -> replaced]\n"
              "  B                                                   [load(7) -> 20]\n"
              "                                                      ^ no order explains this\n");
}

TEST(linearizability, the_picture_of_a_long_history_starts_where_nothing_was_pending) {
    std::vector<map_call> history{store(7, 10, true, 1, 2)};
    for (std::uint64_t i = 1; i != 60; ++i) history.push_back(store(7, 10 + i, false, 10 * i, 10 * i + 1));
    history.push_back(load(7, {}, 1000, 1001));
    history.push_back(load(7, 69, 1002, 1003));
    EXPECT_EQ(check_history(history), "not linearizable: key 7 held 69, then\n"
                                      "  B  [load(7) -> nothing]\n"
                                      "     ^ no order explains this\n");
}

/// The definition itself: some order that keeps the order in time explains every answer.
bool some_order_explains(const std::vector<map_call>& calls) {
    std::vector<std::size_t> order(calls.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    do {
        bool explains = true;
        contents all{};
        for (std::size_t i = 0; explains && i != order.size(); ++i) {
            for (std::size_t j = i + 1; explains && j != order.size(); ++j) {
                explains = calls[order[j]].responded > calls[order[i]].invoked;
            }
            explains = explains && apply(calls[order[i]], all);
        }
        if (explains) return true;
    } while (std::next_permutation(order.begin(), order.end()));
    return false;
}

TEST(linearizability, agrees_with_trying_every_order) {
    std::mt19937 chance(7);
    const auto below = [&](std::uint64_t n) { return chance() % n; };
    int legal = 0;
    constexpr int histories = 4000;
    for (int round = 0; round != histories; ++round) {
        std::vector<std::uint64_t> instants(12);
        std::iota(instants.begin(), instants.end(), std::uint64_t{1});
        // Few swaps of neighbours: mostly sequential, so that a fair share has an order.
        for (int swaps = 0; swaps != 8; ++swaps) {
            const std::size_t at = below(11);
            std::swap(instants[at], instants[at + 1]);
        }
        std::vector<map_call> calls;
        for (std::size_t i = 0; i != 6; ++i) {
            constexpr verb verbs[] = {verb::load,      verb::store,         verb::erase,
                                      verb::exchange,  verb::load_or_store, verb::compare_exchange,
                                      verb::fetch_add, verb::size,          verb::clear};
            const auto maybe = [&]() -> held { return below(2) == 0 ? held{} : held{below(2) + 1}; };
            calls.push_back({.what = verbs[below(round % 2 == 0 ? 7 : 9)],
                             .answer = below(2) == 0,
                             .key = below(2),
                             .argument = below(2) + 1,
                             .expected = maybe(),
                             .seen = maybe(),
                             .count = below(3),
                             .invoked = std::min(instants[2 * i], instants[2 * i + 1]),
                             .responded = std::max(instants[2 * i], instants[2 * i + 1])});
        }
        // Random answers hardly ever fit: most calls get the answer of the order in which they started.
        std::vector<map_call*> by_start;
        for (map_call& each : calls) by_start.push_back(&each);
        std::sort(by_start.begin(), by_start.end(), [](auto* a, auto* b) { return a->invoked < b->invoked; });
        contents all{};
        for (map_call* each : by_start) {
            const map_call asked = *each;
            for (int guess = 0; guess != 24 && below(12) != 0; ++guess) {
                *each = asked;
                each->answer = guess % 2 == 0;
                each->seen = guess / 2 % 4 == 0 ? held{} : held{static_cast<std::uint64_t>(guess / 2 % 4)};
                each->count = static_cast<std::uint64_t>(guess / 8);
                contents after = all;
                if (!apply(*each, after)) continue;
                all = after;
                break;
            }
        }
        const bool explained = some_order_explains(calls);
        legal += explained ? 1 : 0;
        ASSERT_EQ(check_history(calls).empty(), explained) << "round " << round;
    }
    EXPECT_GT(legal, histories / 20);
    EXPECT_LT(legal, histories - histories / 20);
}

} // namespace
} // namespace linearizability
