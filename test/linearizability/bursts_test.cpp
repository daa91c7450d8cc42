// Short bursts of real threads at full speed on few keys, a third of the calls on the whole map: `size`, `snapshot`, `clear`,
// `replace` and updates of two keys.
//
// Between bursts the map is a new one, so that most inserts of a burst take the forms of a small table: a free slot, a LINK,
// a line behind, the growth. Few keys and few calls keep the search of each history short: all its keys are searched
// together, and what is pending at a time is one call of each thread.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "linearizability/codecs.hpp"
#include "linearizability/file.hpp"
#include "linearizability/history.hpp"
#include "linearizability/recorder.hpp"
#include "linearizability/workload.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace linearizability {
namespace {

/// The same; the first three keys lie in the bucket of those that look like a sentinel.
struct sentinels : numbers_in_table {
    static constexpr const char* name = "sentinels";
    std::uint64_t key(std::uint64_t number) const noexcept { return number - 2; }
    std::uint64_t number_of_key(std::uint64_t key) const noexcept { return key + 2; }
};

constexpr mix whole_map_mixes[] = {
    {"inserts and counts",
     {{{verb::load, 3}, {verb::store, 4}, {verb::erase, 3}, {verb::load_or_store, 3}, {verb::load_and_erase, 3}}},
     true,
     3},
    {"two keys",
     {{{verb::load, 3}, {verb::add_to_two, 4}, {verb::swap_two, 3}, {verb::store, 2}, {verb::erase, 2}, {verb::exchange, 2}}},
     true,
     3},
    {"overwrites",
     {{{verb::load, 4}, {verb::store, 4}, {verb::exchange, 4}, {verb::compare_exchange, 2}, {verb::update, 2}}},
     true,
     3},
};

/// One burst: each thread asks `calls` questions. Returns what there is to say against its history.
template <class Map, class Codec>
std::string burst(Map& map, const Codec& codec, const mix& shares, course goes, std::uint64_t keys, std::size_t threads,
                  std::size_t calls, std::uint64_t& values, history* shown = nullptr) {
    recorder<Map, Codec> recording(map, codec, keys, threads, calls);
    std::vector<std::uint64_t> of_threads(threads, values);
    test::together(threads, [&](std::size_t thread) {
        auto mine = recording.of_thread(thread);
        questions ask(shares, goes, keys, static_cast<std::uint8_t>(thread), values + thread,
                      {can_perform<Map>(verb::fetch_add), can_perform<Map>(verb::replace), can_perform<Map>(verb::swap_two)},
                      of_threads[thread]);
        map_call last;
        while (!mine.is_full()) last = mine.ask(ask.next(last));
    });
    values = *std::max_element(of_threads.begin(), of_threads.end());
    const history all = recording.take();
    std::string trouble = check(all).trouble;
    if (shown != nullptr && !trouble.empty()) *shown = all;
    return trouble;
}

template <class Layout>
class bursts : public ::testing::Test {};
struct burst_layout_names {
    template <class Layout>
    static std::string GetName(int) {
        return Layout::name;
    }
};
using burst_layouts = ::testing::Types<numbers_in_table, sentinels, texts_in_nodes>;
TYPED_TEST_SUITE(bursts, burst_layouts, burst_layout_names);

TYPED_TEST(bursts, of_calls_on_the_whole_map_have_an_order) {
    using map_type = typename TypeParam::map;
    const test::watchdog dog("bursts", std::chrono::hours(1));
    constexpr std::uint64_t key_counts[] = {3, 6, 12};
    constexpr std::size_t thread_counts[] = {2, 3, 4}, calls = 250;
    std::uint64_t values = 0;
    std::size_t turn = 0, checked = 0;
    const std::size_t rounds = test::scaled(60);
    for (std::size_t round = 0; round != rounds; ++round) {
        for (const mix& shares : whole_map_mixes) {
            for (const course goes : {course::steady, course::clearing}) {
                for (const std::uint64_t keys : key_counts) {
                    map_type map;
                    const std::size_t threads = thread_counts[turn++ % std::size(thread_counts)];
                    history shown;
                    const std::string trouble = burst(map, TypeParam(), shares, goes, keys, threads, calls, values, &shown);
                    checked += threads * calls;
                    if (trouble.empty()) continue;
                    const std::string file = std::string("violation-burst-") + TypeParam::name + ".history";
                    std::ofstream out(file);
                    write_history(out, shown);
                    FAIL() << TypeParam::name << ", " << shares.name << ", " << course_names[static_cast<unsigned>(goes)]
                           << ", " << keys << " keys, " << threads << " threads\n"
                           << trouble << "The history is in " << file << ": check-history reads it.";
                }
            }
        }
    }
    std::printf("linearizability: %zu operations of bursts checked (%s)\n", checked, TypeParam::name);
}

// ---- wrong maps, whose bursts must be refused ----

/// Lets other threads come in between.
void hesitate() { std::this_thread::sleep_for(std::chrono::microseconds(20)); }

/// Counts an entry before it is there, as a count would that took the announcement of an insert for the insert.
class map_that_counts_early : public numbers_in_table::map {
public:
    bool store(std::uint64_t key, std::uint64_t value) {
        const bool absent = !contains(key);
        if (absent) ++early_;
        hesitate();
        if (absent) --early_;
        return numbers_in_table::map::store(key, value);
    }
    std::size_t size() const { return numbers_in_table::map::size() + early_.load(); }

private:
    std::atomic<std::size_t> early_{0};
};

/// Clears key by key.
class map_that_clears_in_steps : public numbers_in_table::map {
public:
    void clear() {
        for (std::uint64_t key = 0; key != 12; ++key) {
            erase(key);
            if (key % 4 == 0) hesitate();
        }
    }
};

/// Becomes empty before it is filled again.
class map_that_replaces_in_steps : public numbers_in_table::map {
public:
    void replace(map_that_replaces_in_steps&& other) {
        clear();
        hesitate();
        other.for_each([&](const std::uint64_t& key, const std::uint64_t& value) { store(key, value); });
        other.clear();
    }
};

/// Shows the lower half of the keys at one instant, and the upper one at another.
class map_with_snapshots_of_two_instants : public numbers_in_table::map {
    using one = decltype(std::declval<const numbers_in_table::map&>().snapshot());
    struct two {
        one lower, upper;
        template <class F>
        std::size_t for_each(F f) const {
            std::size_t calls = 0;
            const auto part = [&](const one& of, bool low) {
                of.for_each([&](const std::uint64_t& key, const std::uint64_t& value) {
                    if ((key < 3) != low) return;
                    ++calls;
                    f(key, value);
                });
            };
            part(lower, true);
            part(upper, false);
            return calls;
        }
        std::size_t size() const {
            return for_each([](const std::uint64_t&, const std::uint64_t&) {});
        }
    };

public:
    two snapshot() const {
        one lower = numbers_in_table::map::snapshot();
        hesitate();
        return {std::move(lower), numbers_in_table::map::snapshot()};
    }
};

/// Publishes an update of several keys one by one, each under the lock of all updates, so that these at least are in order.
class map_that_updates_in_steps : public numbers_in_table::map {
public:
    using numbers_in_table::map::update;
    template <std::size_t Count, class F>
    bool update(const std::array<std::uint64_t, Count>& keys, F&& f) {
        const std::lock_guard guard(one_);
        std::vector<std::optional<std::uint64_t>> had;
        for (const std::uint64_t key : keys) had.push_back(load(key));
        std::vector<syncmap::update_slot<std::uint64_t>> slots;
        for (const auto& each : had) slots.emplace_back(each ? &*each : nullptr);
        f(std::span(slots));
        for (std::size_t i = 0; i != Count; ++i) {
            if (i != 0) hesitate();
            if (slots[i].keeps()) continue;
            if (slots[i].erases()) {
                erase(keys[i]);
            } else {
                store(keys[i], std::move(slots[i]).value());
            }
        }
        return true;
    }

private:
    std::mutex one_;
};

template <class Map>
class bursts_on_a_wrong_map : public ::testing::Test {};
using wrong_maps = ::testing::Types<map_that_counts_early, map_that_clears_in_steps, map_that_replaces_in_steps,
                                    map_with_snapshots_of_two_instants, map_that_updates_in_steps>;
struct wrong_map_names {
    template <class Map>
    static std::string GetName(int number) {
        constexpr const char* names[] = {"size", "clear", "replace", "snapshot", "update_of_two"};
        return names[number];
    }
};
TYPED_TEST_SUITE(bursts_on_a_wrong_map, wrong_maps, wrong_map_names);

TYPED_TEST(bursts_on_a_wrong_map, are_refused) {
#if defined(SYNCMAP_TEST_SANITIZED)
    GTEST_SKIP() << "it is about the checker, which is one thread's, and a sanitizer makes it slow";
#endif
    // Updates wait for each other, so there are few of them.
    const mix updating{"an update now and then",
                       {{{verb::load, 4}, {verb::swap_two, 1}, {verb::add_to_two, 1}, {verb::store, 5}, {verb::exchange, 5}}},
                       true,
                       3};
    const mix& shares = std::is_same_v<TypeParam, map_that_updates_in_steps> ? updating : whole_map_mixes[0];
    std::uint64_t values = 0;
    std::string trouble;
    for (int round = 0; round != 1000 && trouble.empty(); ++round) {
        TypeParam map;
        trouble = burst(map, numbers_in_table(), shares, course::clearing, 6, 4, 20, values);
    }
    EXPECT_NE(trouble, "");
}

} // namespace
} // namespace linearizability
