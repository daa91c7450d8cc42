// The quick checker of one key says what the search says.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "linearizability/contents.hpp"
#include "linearizability/register.hpp"
#include "linearizability/search.hpp"

namespace linearizability {
namespace {

/// Random calls on one key with different values, by some threads; right ones, and some of the answers are spoilt.
std::vector<map_call> random_history(std::mt19937_64& chance, std::size_t calls, std::size_t threads, bool erasing,
                                     held initial) {
    const auto below = [&](std::uint64_t n) { return chance() % n; };
    struct pending {
        bool busy = false;
        map_call call;
    };
    std::vector<pending> of_thread(threads);
    std::vector<map_call> history;
    held value = initial;
    std::uint64_t time = 0, next_value = 1000;
    std::size_t started = 0;
    std::vector<held> known{value};
    while (history.size() != calls) {
        const std::size_t thread = below(threads);
        pending& mine = of_thread[thread];
        if (!mine.busy) {
            if (started == calls) continue;
            ++started;
            constexpr verb verbs_of_register[] = {verb::load,
                                                  verb::load,
                                                  verb::store,
                                                  verb::store,
                                                  verb::exchange,
                                                  verb::fetch_add,
                                                  verb::compare_exchange,
                                                  verb::load_or_store,
                                                  verb::update,
                                                  verb::load_and_erase,
                                                  verb::erase};
            mine = {true,
                    {.what = verbs_of_register[below(erasing ? 11 : 9)],
                     .thread = static_cast<std::uint8_t>(thread + 1),
                     .argument = next_value,
                     .expected = value}};
            next_value += 1 + below(1000);
            mine.call.invoked = ++time;
            continue;
        }
        // It takes effect now, at its end or, by delaying the end, anywhere before.
        map_call& call = mine.call;
        if (call.responded == never) {
            const map_call asked = call;
            bool done = false;
            for (int guess = 0; guess != 8 && !done; ++guess) {
                call = asked;
                call.answer = (guess & 1) != 0;
                call.count = 1;
                call.seen = (guess & 2) != 0 ? value : (guess & 4) != 0 ? held(call.argument) : held(value.value_or(0));
                held after = value;
                if (!apply(call, after)) continue;
                value = after;
                done = true;
            }
            known.push_back(value);
            if (below(60) == 0) { // spoilt
                if (below(2) == 0) {
                    call.seen = known[below(known.size())];
                } else {
                    call.answer = !call.answer;
                }
            }
            call.responded = never - 1;
            if (below(2) == 0) continue;
        }
        call.responded = ++time;
        history.push_back(call);
        mine.busy = false;
    }
    std::stable_sort(history.begin(), history.end(), [](const auto& a, const auto& b) { return a.invoked < b.invoked; });
    return history;
}

bool search_finds_an_order(std::span<const map_call> history, held initial) {
    order_search<held> search;
    return !search(history, std::span<const held>(&initial, 1),
                   [](const map_call& call, held& value) { return apply(call, value); });
}

TEST(register_checker, agrees_with_the_search) {
    std::mt19937_64 chance(11);
    register_checker zone;
    int right = 0, wrong = 0, left_alone = 0;
    for (int round = 0; round != 6000; ++round) {
        const held initial = round % 3 == 0 ? held() : held(7);
        const auto history = random_history(chance, 4 + chance() % 60, 2 + chance() % 6, round % 10 == 0, initial);
        const zones said = zone(history, initial);
        const bool order = search_finds_an_order(history, initial);
        if (said == zones::not_applicable) {
            ++left_alone;
            continue;
        }
        ASSERT_EQ(said == zones::linearizable, order) << "round " << round;
        ++(order ? right : wrong);
    }
    EXPECT_GT(right, 1000);
    EXPECT_GT(wrong, 1000);
    EXPECT_GT(left_alone, 100);
    EXPECT_LT(left_alone, 3000);
}

map_call store(std::uint64_t value, std::uint64_t from, std::uint64_t to) {
    return {.what = verb::store, .thread = 1, .argument = value, .invoked = from, .responded = to};
}
map_call load(std::uint64_t value, std::uint64_t from, std::uint64_t to) {
    return {.what = verb::load, .thread = 2, .seen = value, .invoked = from, .responded = to};
}
map_call exchange(std::uint64_t seen, std::uint64_t value, std::uint64_t from, std::uint64_t to) {
    return {.what = verb::exchange, .thread = 3, .argument = value, .seen = seen, .invoked = from, .responded = to};
}

TEST(register_checker, refuses_what_no_order_of_zones_allows) {
    register_checker zone;
    const auto judge = [&](std::vector<map_call> history) { return zone(history, 1); };
    EXPECT_EQ(judge({store(2, 1, 9), load(2, 2, 3), load(1, 4, 5)}), zones::violated);                  // forth and back
    EXPECT_EQ(judge({store(2, 1, 9), load(1, 2, 3), load(2, 4, 5)}), zones::linearizable);
    EXPECT_EQ(judge({store(2, 1, 2), store(3, 3, 4), load(2, 5, 6)}), zones::violated);                 // stale
    EXPECT_EQ(judge({store(2, 1, 2), store(3, 1, 4), load(2, 5, 6)}), zones::linearizable);
    EXPECT_EQ(judge({load(2, 1, 2), store(2, 3, 4)}), zones::violated);                                 // from the future
    EXPECT_EQ(judge({load(5, 1, 2)}), zones::violated);                                                 // from nowhere
    EXPECT_EQ(judge({exchange(1, 2, 1, 4), exchange(1, 3, 2, 3)}), zones::violated);                    // both took 1
    EXPECT_EQ(judge({exchange(3, 2, 1, 4), exchange(2, 3, 2, 3)}), zones::violated);                    // a circle
    EXPECT_EQ(judge({exchange(1, 2, 3, 4), exchange(2, 3, 1, 2)}), zones::violated);                    // in the wrong order
    EXPECT_EQ(judge({store(2, 1, 9), store(2, 2, 3)}), zones::not_applicable);
    EXPECT_EQ(judge({{.what = verb::clear, .invoked = 1, .responded = 2}}), zones::not_applicable);
}

} // namespace
} // namespace linearizability
