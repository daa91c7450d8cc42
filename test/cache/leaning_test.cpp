// What a cache's leaning makes of a sample of requests, what the history counts, and what becomes of the small queue.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/policy/history.hpp>
#include <syncmap/cache/policy/lanes.hpp>
#include <syncmap/cache/policy/leaning.hpp>
#include <syncmap/cache/policy/request_notes.hpp>
#include <syncmap/cache/policy/small_queue.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/sync/real.hpp>

#include <gtest/gtest.h>

namespace {

using syncmap::cache_detail::lean;
using syncmap::cache_detail::request;
using syncmap::cache_detail::sample;
using leaning_of_test = syncmap::cache_detail::leaning<syncmap::sync::real, std::allocator<std::byte>>;
constexpr std::size_t shadow_entries = 256; // of a cache of 2,048 entries or more

void tell(leaning_of_test& of, std::uint16_t name, request how) {
    of.tell(1, [&](auto hear) { hear(name, how); });
}

bool is_telling(leaning_of_test& of, std::uint32_t process) {
    bool is = false;
    of.tell(process, [&](auto) { is = true; });
    return is;
}

/// Requests of a loop, so many rounds, of which the cache itself hits none.
lean after_loop(leaning_of_test& of, int rounds, std::uint16_t keys) {
    for (int round = 0; round < rounds; ++round) {
        for (std::uint16_t key = 0; key < keys; ++key) tell(of, key, request::new_miss);
    }
    return of.now();
}
/// Each key comes twice, and the cache itself hits half of the second requests.
lean after_pairs(leaning_of_test& of, std::uint16_t keys, std::uint16_t apart) {
    for (std::uint16_t key = 10'000; key < 10'000 + keys; ++key) {
        tell(of, key, request::new_miss);
        const auto earlier = static_cast<std::uint16_t>(key - apart);
        tell(of, earlier, key % 2 == 0 ? request::hit : request::new_miss);
    }
    return of.now();
}

TEST(cache_leaning, turns_to_frequency_in_a_loop_and_to_recency_where_keys_come_twice) {
    leaning_of_test leans(8'000, {});
    EXPECT_EQ(leans.now(), lean::balanced);
    EXPECT_EQ(after_loop(leans, 20, shadow_entries * 2), lean::frequency);
    EXPECT_EQ(after_pairs(leans, 2'000, shadow_entries / 4), lean::recency);
    EXPECT_NE(after_loop(leans, 40, shadow_entries * 2), lean::recency) << "which has no hit in a loop";
}

TEST(cache_leaning, does_not_turn_to_and_fro) {
    leaning_of_test leans(8'000, {});
    int turns = 0;
    const auto hear = [&](std::uint16_t name) {
        const lean before = leans.now();
        tell(leans, name, request::new_miss);
        turns += leans.now() != before ? 1 : 0;
    };
    for (std::uint16_t i = 0; i < 20 * 512; ++i) hear(i % 512); // a loop
    EXPECT_EQ(leans.now(), lean::frequency);
    EXPECT_EQ(turns, 1);
    for (std::uint16_t key = 10'000; key < 12'000; ++key) { // each comes twice
        hear(key);
        hear(static_cast<std::uint16_t>(key - shadow_entries / 4));
    }
    EXPECT_EQ(leans.now(), lean::recency);
    EXPECT_LE(turns, 3);
}

TEST(cache_leaning, keeps_what_is_in_force_where_all_shadows_hit_alike) {
    leaning_of_test leans(8'000, {});
    EXPECT_EQ(after_loop(leans, 100, shadow_entries / 2), lean::balanced);
}

TEST(cache_leaning, makes_its_shadows_smaller_where_they_hit_what_the_cache_does_not) {
    leaning_of_test leans(8'000, {});
    // All of it is in the shadows at first, and nothing tells them apart.
    EXPECT_EQ(after_loop(leans, 40, shadow_entries - 8), lean::frequency);
}

TEST(cache_leaning, finds_the_history_outdated_where_known_keys_miss_and_next_to_nothing_hits) {
    leaning_of_test leans(8'000, {});
    const auto outdated_after = [&](request each, int n) {
        for (int i = 0; i < n; ++i) {
            const auto name = static_cast<std::uint16_t>(i);
            tell(leans, name, each);
        }
        return leans.is_outdated();
    };
    for (int i = 0; i < 100; ++i) {
        outdated_after(request::new_miss, 9);
        EXPECT_FALSE(outdated_after(request::known_miss, 1)) << "a scan";
    }
    EXPECT_TRUE(outdated_after(request::known_miss, 256));
    EXPECT_FALSE(outdated_after(request::hit, 256));
    for (int i = 0; i < 100; ++i) { // a hit for each two misses: as usual
        outdated_after(request::known_miss, 2);
        EXPECT_FALSE(outdated_after(request::hit, 1));
    }
}

TEST(cache_leaning, lets_returns_duel_where_it_leans_to_frequency_or_is_guarded) {
    EXPECT_TRUE(syncmap::cache_detail::returns_duel(lean::frequency));
    EXPECT_TRUE(syncmap::cache_detail::returns_duel(lean::guarded));
    EXPECT_FALSE(syncmap::cache_detail::returns_duel(lean::balanced));
    EXPECT_FALSE(syncmap::cache_detail::returns_duel(lean::recency));
}

TEST(cache_leaning, hears_of_a_share_of_the_keys_that_fills_its_shadows) {
    EXPECT_EQ(sample(63).entries(), 0U);
    for (const std::size_t capacity : {64U, 400U, 1'000U, 1'500U, 50'000U}) {
        const sample heard(capacity);
        std::size_t keys = 0;
        for (std::uint64_t i = 0; i < 10 * capacity; ++i) keys += heard.has(syncmap::hash<std::uint64_t>{}(i)) ? 1U : 0U;
        EXPECT_GT(keys, heard.entries() * 8) << capacity;
        EXPECT_LT(keys, heard.entries() * 12) << capacity;
    }
    const sample none(10);
    for (std::uint64_t i = 0; i < 1'000; ++i) EXPECT_FALSE(none.has(syncmap::hash<std::uint64_t>{}(i)));
}

TEST(cache_leaning, learns_in_the_child_of_a_fork_that_lacks_the_thread_which_told) {
    leaning_of_test leans(8'000, {});
    leans.tell(1, [&](auto) { // what a thread does that the child lacks
        EXPECT_FALSE(is_telling(leans, 1));
        EXPECT_TRUE(is_telling(leans, 2));
    });
    EXPECT_TRUE(is_telling(leans, 1));
}

using notes_of_test = syncmap::cache_detail::request_notes<syncmap::sync::real>;
using note = std::pair<std::uint16_t, request>;

std::vector<note> taken_from(notes_of_test& notes) {
    std::vector<note> all;
    notes.take([&](std::uint16_t name, request how) { all.emplace_back(name, how); });
    return all;
}

TEST(cache_leaning, is_told_what_all_threads_have_noted) {
    notes_of_test notes;
    notes.add(0, 7, request::hit);
    notes.add(3, 65'535, request::known_miss);
    notes.add(0, 8, request::new_miss);
    const std::vector<note> expected{{7, request::hit}, {8, request::new_miss}, {65'535, request::known_miss}};
    EXPECT_EQ(taken_from(notes), expected);
    EXPECT_TRUE(taken_from(notes).empty());
    for (std::uint16_t i = 0; i < 1'000; ++i) notes.add(5, i, request::hit);
    const std::size_t kept = taken_from(notes).size();
    EXPECT_EQ(kept, 128U) << "what finds no room is lost";
    notes.add(5, 1, request::hit);
    EXPECT_EQ(taken_from(notes).size(), 1U);
}

TEST(cache_leaning, may_be_noted_and_told_by_many_threads) {
    notes_of_test notes;
    leaning_of_test leans(8'000, {});
    std::vector<std::thread> all;
    for (std::uint32_t t = 0; t < 12; ++t) {
        all.emplace_back([&, t] {
            for (std::uint16_t i = 0; i < 2'000; ++i) {
                notes.add(t, i, request::new_miss);
                if (i % 3 == 0) leans.tell(1, [&](auto hear) { notes.take(hear); });
            }
        });
    }
    for (std::thread& t : all) t.join();
    taken_from(notes);
    notes.add(2, 9, request::hit);
    EXPECT_EQ(taken_from(notes), std::vector<note>(1, {9, request::hit}));
}

TEST(cache_leaning, may_be_told_by_several_threads) {
    leaning_of_test leans(8'000, {});
    std::vector<std::thread> all;
    for (int t = 0; t < 4; ++t) all.emplace_back([&] { after_loop(leans, 40, shadow_entries * 2); });
    for (std::thread& t : all) t.join();
    EXPECT_EQ(after_pairs(leans, 2'000, shadow_entries / 4), lean::recency) << "it still learns";
}

TEST(cache_leaning, hears_of_hits_as_often_as_there_are_hits_of_keys_in_the_sample) {
    syncmap::cache_detail::entry_state<syncmap::sync::real> mark;
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(mark.use());
    EXPECT_EQ(mark.uses(), 3U);
    mark.begin_in_sample();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(mark.use());
    EXPECT_EQ(mark.uses(), 3U);
    mark.set_uses(1);
    EXPECT_EQ(mark.uses(), 1U);
    EXPECT_TRUE(mark.use());
    EXPECT_EQ(mark.uses(), 2U);
    syncmap::cache_detail::entry_state<syncmap::sync::real> next;
    next.inherit(mark);
    EXPECT_TRUE(next.use()) << "another node of the entry";
    EXPECT_EQ(next.uses(), 3U);
}

TEST(cache_leaning, makes_the_small_queue_narrow_without_losing_a_hash) {
    for (const std::size_t capacity : {1'000U, 20'000U}) {
        syncmap::cache_detail::small_queue<syncmap::sync::real, std::allocator<std::byte>> ring(capacity, 1, {});
        syncmap::cache_detail::lane<syncmap::sync::real> own;
        const std::size_t size = ring.size();
        for (std::uint64_t hash = 1; hash <= size; ++hash) EXPECT_EQ(ring.next(own).put(hash, 1), 0U);
        ring.make_narrow(true);
        EXPECT_TRUE(ring.is_narrow());
        std::size_t found = 0;
        for (std::uint64_t hash = 0; ring.take_left_over(hash);) found += hash != 0 ? 1U : 0U;
        EXPECT_GT(found, size / 2);
        for (std::size_t i = 0; i < size; ++i) found += ring.next(own).take() != 0 ? 1U : 0U;
        EXPECT_EQ(found, size) << "what is not left over is met by puts";
        ring.make_narrow(false);
        std::uint64_t none = 0;
        EXPECT_FALSE(ring.take_left_over(none));
        for (std::uint64_t hash = 1; hash <= size; ++hash) static_cast<void>(ring.next(own).put(hash, 1));
        ring.make_narrow(true);
        found = 0;
        for (std::size_t i = 0; i < size; ++i) found += ring.take_behind_oldest(i) != 0 ? 1U : 0U;
        EXPECT_GE(found + 8, size)
            << "a thread that needs a victim finds the others, too; a ticket may have met its line before";
    }
}

// ---- the history's counts ----

using history_of_test = syncmap::cache_detail::history<syncmap::sync::real, std::allocator<std::byte>>;

/// The bits of a hash that choose its two counters, in a history of one line.
constexpr std::uint64_t first_counter = std::uint64_t{1} << 22;
constexpr std::uint64_t second_counter = std::uint64_t{1} << 25;

TEST(cache_history, counts_a_key_that_shares_one_of_its_two_counters_apart) {
    history_of_test keys(1, {});
    const std::uint64_t often = 0;
    const std::uint64_t seldom = first_counter * 3;
    const std::uint64_t other = second_counter * 5;
    keys.add(often, 9);
    keys.add(seldom, 2); // raises the second counter of `often` in a sketch that raises all
    keys.add(other, 2); // and the first one
    EXPECT_EQ(keys.count(often), 9U);
    EXPECT_EQ(keys.count(seldom), 2U);
    EXPECT_EQ(keys.count(other), 2U);
    EXPECT_EQ(keys.count(seldom + other), 2U) << "it has their counters, and not those of the other key";
    EXPECT_EQ(keys.come(seldom, 1, false).count, 3U);
    keys.add(seldom, 100);
    EXPECT_EQ(keys.count(seldom), history_of_test::most);
    EXPECT_EQ(keys.count(often), 9U);
}

TEST(cache_history, forgets_quickly_when_it_is_outdated) {
    const auto left_after = [](std::uint64_t puts, bool is_outdated) {
        history_of_test keys(1, {});
        keys.add(0, 12);
        for (std::uint64_t tick = 1; tick <= puts; ++tick) keys.age(tick, is_outdated);
        return keys.count(0);
    };
    EXPECT_EQ(left_after(5, false), 6U);
    EXPECT_EQ(left_after(3, true), 1U);
}

} // namespace
