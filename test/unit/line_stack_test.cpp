// The stacks of free overflow lines: a line is unused, or in one stack, or one thread's, whatever threads stop where.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/engine/table/header.hpp>

#include "support/scale.hpp"
#include "support/stepping_sync.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test::line_stacks {
namespace {

template <class Sync>
using layout_of = syncmap::engine::layout<std::uint64_t, std::uint64_t, syncmap::hash<std::uint64_t>, std::equal_to<>, Sync>;
template <class Sync>
using stack_of = syncmap::engine::line_stack<layout_of<Sync>, Sync>;
template <class Sync>
using line_of = syncmap::engine::line<layout_of<Sync>>;

using stack = stack_of<stepping_sync>;
using line = line_of<stepping_sync>;

/// What the other threads do while one is stopped before a step of its `pop`.
stack* stopped_at = nullptr;
int changes_until_stop = 0;
void (*meanwhile)() = nullptr;

void stop_before_change(step what) {
    if (what != step::change || --changes_until_stop != 0) return;
    on_step = nullptr;
    meanwhile();
}

/// Pops, stopped before its `change`-th read-modify-write.
line* pop_stopped(stack& s, int change, void (*others)()) {
    stopped_at = &s;
    changes_until_stop = change;
    meanwhile = others;
    on_step = stop_before_change;
    line* const popped = s.pop();
    on_step = nullptr;
    EXPECT_LE(changes_until_stop, 0) << "it never came there";
    return popped;
}

/// Pops all that is left, and expects each line at most once among these and `taken`.
std::size_t expect_once_each(stack& s, std::vector<line*> taken) {
    for (std::size_t i = 0; i < taken.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) EXPECT_NE(taken[k], taken[i]) << "a line is handed out twice";
    }
    for (line* l = s.pop(); l != nullptr; l = s.pop()) {
        for (const line* each : taken) EXPECT_NE(l, each) << "a line is handed out twice";
        taken.push_back(l);
        if (taken.size() > 100) break;
    }
    return taken.size();
}

std::array<line*, 2> taken_meanwhile{};

} // namespace

TEST(line_stack, hands_out_the_last_line_first_and_none_when_it_is_empty) {
    std::array<line, 3> lines;
    stack s;
    EXPECT_EQ(s.pop(), nullptr);
    for (line& each : lines) s.push(each);
    for (std::size_t i = lines.size(); i-- > 0;) EXPECT_EQ(s.pop(), &lines[i]);
    EXPECT_EQ(s.pop(), nullptr);
    for (const line& each : lines) {
        for (const auto& word : each.words) EXPECT_EQ(word.load(), 0U) << "a line that is not empty";
    }
}

// With a count in the pointer: the others have it back to where it was after 65,536 changes, with the same line on top.
TEST(line_stack, is_not_misled_by_a_line_that_comes_back) {
    const watchdog dog("a line that comes back");
    for (const int change : {1, 2}) {
        for (const int rounds : {0, 32'766, 2'097'150}) {
            static int pairs = 0;
            pairs = rounds;
            std::array<line, 5> lines;
            stack s;
            for (line& each : lines) s.push(each);
            line* const popped = pop_stopped(s, change, [] {
                line* const first = stopped_at->pop();
                taken_meanwhile = {stopped_at->pop(), stopped_at->pop()};
                stopped_at->push(*first);
                for (int i = 0; i < pairs; ++i) stopped_at->push(*stopped_at->pop());
            });
            ASSERT_NE(popped, nullptr);
            EXPECT_EQ(expect_once_each(s, {popped, taken_meanwhile[0], taken_meanwhile[1]}), lines.size()) << "a line is lost";
        }
    }
}

TEST(line_stack, serves_the_others_while_a_thread_stands_still) {
    const watchdog dog("a thread that stands still in a stack of lines");
    for (const int change : {1, 2}) {
        std::array<line, 5> lines;
        stack s;
        for (line& each : lines) s.push(each);
        line* const popped = pop_stopped(s, change, [] {
            taken_meanwhile = {stopped_at->pop(), stopped_at->pop()};
            EXPECT_NE(taken_meanwhile[1], nullptr) << "lines that nobody can have";
        });
        EXPECT_EQ(expect_once_each(s, {popped, taken_meanwhile[0], taken_meanwhile[1]}), lines.size()) << "a line is lost";
    }
}

// Two threads stand still in their turns, and the first finds the stack as it was, but for the turn.
TEST(line_stack, tells_the_turns_of_two_stopped_threads_apart) {
    const watchdog dog("two threads that stand still in a stack of lines");
    std::array<line, 4> lines; // from the top: 3, 2, 1, 0
    stack s;
    for (line& each : lines) s.push(each);
    static std::latch* stopped = nullptr;
    static std::latch* go_on = nullptr;
    std::latch stopped_first(1);
    std::latch go_on_first(1);
    stopped = &stopped_first;
    go_on = &go_on_first;
    line* first = nullptr;
    std::jthread other([&] {
        static thread_local int changes = 0;
        changes = 0;
        on_step = [](step what) {
            if (what != step::change || ++changes != 2) return;
            on_step = nullptr;
            stopped->count_down();
            go_on->wait();
        };
        first = s.pop();
        on_step = nullptr;
    });
    stopped_first.wait(); // it saw 3, and 2 below
    std::vector<line*> taken{s.pop(), s.pop()};
    EXPECT_EQ(taken[0], &lines[3]);
    s.push(*taken[0]);
    taken.erase(taken.begin());
    static std::jthread* waited_for = nullptr;
    waited_for = &other;
    taken.push_back(pop_stopped(s, 2, [] { // 3 is on top, and another thread pops
        go_on->count_down();
        waited_for->join();
    }));
    if (first != nullptr) taken.push_back(first);
    EXPECT_EQ(expect_once_each(s, taken), lines.size()) << "a line is lost";
}

TEST(line_stack, gives_a_line_that_was_pushed_while_a_thread_popped) {
    std::array<line, 2> lines;
    stack s;
    s.push(lines[0]);
    static line* other = nullptr;
    other = &lines[1];
    EXPECT_EQ(pop_stopped(s, 2, [] { stopped_at->push(*other); }), &lines[1]);
    EXPECT_EQ(s.pop(), &lines[0]);
    EXPECT_EQ(s.pop(), nullptr);
}

TEST(line_stack, is_empty_for_a_thread_that_was_stopped_while_others_took_all) {
    line only;
    stack s;
    s.push(only);
    EXPECT_EQ(pop_stopped(s, 2, [] { taken_meanwhile[0] = stopped_at->pop(); }), nullptr);
    EXPECT_EQ(taken_meanwhile[0], &only);
    s.push(only);
    EXPECT_EQ(s.pop(), &only);
}

TEST(line_stack, of_many_threads_gives_each_line_to_one) {
    const watchdog dog("threads at a stack of lines", std::chrono::seconds(200));
    using real = syncmap::engine::machine;
    constexpr std::size_t count = 6;
    std::array<line_of<real>, count> lines;
    std::array<std::atomic<bool>, count> has_owner{};
    stack_of<real> s;
    for (auto& each : lines) s.push(each);
    std::atomic<std::uint64_t> twice{0};
    together(4, [&](std::size_t thread) {
        std::array<line_of<real>*, 2> mine{};
        for (std::uint64_t i = thread; i < scaled(400'000); ++i) {
            line_of<real>*& place = mine[i * i / 7 % 2];
            if (place == nullptr) {
                place = s.pop();
                if (place != nullptr && has_owner[static_cast<std::size_t>(place - lines.data())].exchange(true)) twice += 1;
            } else {
                has_owner[static_cast<std::size_t>(place - lines.data())] = false;
                s.push(*std::exchange(place, nullptr));
            }
        }
        for (auto* each : mine) {
            if (each == nullptr) continue;
            has_owner[static_cast<std::size_t>(each - lines.data())] = false;
            s.push(*each);
        }
    });
    EXPECT_EQ(twice.load(), 0U) << "lines were handed out twice";
    std::size_t left = 0;
    while (s.pop() != nullptr && left <= count) ++left;
    EXPECT_EQ(left, count) << "lines were lost";
}

} // namespace test::line_stacks
