// Real threads at full speed: every history of theirs has an order.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
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

// `share`: of all calls, in hundredths, by course.
struct numbers : numbers_in_table {
    static constexpr std::size_t share[] = {26, 26, 25, 4};
};
struct texts : texts_in_nodes {
    static constexpr std::size_t share[] = {6, 6, 6, 1};
};

/// Calls of all tests together: in an ordinary run of an optimised build, in a full one, and under a sanitizer the part
/// of it that it can afford. (Few of them beside `clear`: these take the checker ten times as long, because all keys are
/// searched together.)
constexpr std::size_t ordinary_calls = 8'000'000, full_calls = 1'000'000'000, sanitized_part = 120;
constexpr std::size_t calls_of_a_round = 400'000;
/// Keys that no thread records, and that only make the table grow and shrink.
constexpr std::uint64_t fillers = 1024, first_filler = std::uint64_t{1} << 40;

template <class Layout>
class real_threads : public ::testing::Test {
protected:
    using map_type = typename Layout::map;
    const test::watchdog dog_{"real threads", std::chrono::hours(4)};
    const Layout codec_{};
    std::uint64_t checked_ = 0, by_zones_ = 0, violations_ = 0, values_ = 0;
    double recording_ = 0, checking_ = 0;

    /// All mixes and numbers of keys, with from two to eight threads.
    void run(course goes) {
        constexpr std::uint64_t key_counts[] = {1, 24, 1000, 1'000'000};
        constexpr std::size_t thread_counts[] = {2, 3, 4, 8, 5, 2, 6, 7};
        const std::size_t all = test::is_full_run() ? full_calls : ordinary_calls;
        const std::size_t wanted =
            all / (test::sanitized ? sanitized_part : 1) / 100 * Layout::share[static_cast<std::size_t>(goes)];
        const std::size_t rounds =
            std::max<std::size_t>(wanted / (std::size(key_counts) * std::size(mixes) * calls_of_a_round), 1);
        const std::size_t calls = wanted / (std::size(key_counts) * std::size(mixes) * rounds);
        std::size_t turn = static_cast<std::size_t>(goes);
        for (std::uint64_t keys : key_counts) {
            if (test::sanitized) keys = std::min<std::uint64_t>(keys, 20'000);
            map_type map;
            for (const mix& shares : mixes) {
                for (std::size_t round = 0; round != rounds && violations_ == 0; ++round) {
                    run_round(map, shares, goes, keys, thread_counts[turn++ % std::size(thread_counts)], calls);
                }
            }
        }
        std::printf("linearizability: %llu operations of real threads checked (%s, %s; %.0f %% by zones; recorded in %.2f s, "
                    "checked in %.2f s), %llu violations\n",
                    static_cast<unsigned long long>(checked_), Layout::name, course_names[static_cast<unsigned>(goes)],
                    100 * static_cast<double>(by_zones_) / static_cast<double>(checked_), recording_, checking_,
                    static_cast<unsigned long long>(violations_));
    }

private:
    static double seconds() {
        return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    }

    /// Unrecorded: the map before a round.
    void prepare(map_type& map, course goes, std::uint64_t keys) {
        if (goes == course::growing) {
            map.clear();
            return;
        }
        const auto put = [&](std::uint64_t from, std::uint64_t to) {
            for (std::uint64_t key = from; key != to; ++key)
                map.insert(codec_.key(key), codec_.value(std::uint64_t{200} << 48 | ++values_));
        };
        if (goes != course::shrinking || keys <= 1000) return put(0, (keys + 1) / 2);
        put(0, keys);
        for (std::uint64_t key = 0; key != keys / 10 * 7; ++key) map.erase(codec_.key(key)); // a table shrinks below an eighth
    }

    /// Lets the table grow or shrink beneath keys that are too few to do it themselves.
    class waves {
    public:
        waves(map_type& map, const Layout& codec, course goes, std::uint64_t keys, std::size_t thread)
            : map_(map), codec_(codec), goes_(goes), first_(first_filler + thread * fillers),
              moves_(keys <= 1000 && (goes == course::growing || goes == course::shrinking)) {}
        ~waves() {
            while (moves_ && height_ != 0) map_.erase(codec_.key(first_ + --height_));
        }
        void move() {
            if (!moves_) return;
            if (goes_ == course::growing) { // slowly up, and down at once
                if (height_ == fillers) {
                    while (height_ != 0) map_.erase(codec_.key(first_ + --height_));
                }
                map_.store(codec_.key(first_ + height_++), codec_.value(1));
            } else {
                if (height_ == 0) {
                    while (height_ != fillers) map_.store(codec_.key(first_ + height_++), codec_.value(1));
                }
                map_.erase(codec_.key(first_ + --height_));
            }
        }
        bool moves() const noexcept { return moves_; }

    private:
        map_type& map_;
        const Layout& codec_;
        course goes_;
        std::uint64_t first_, height_ = 0;
        bool moves_;
    };

    void run_round(map_type& map, const mix& shares, course goes, std::uint64_t keys, std::size_t threads, std::size_t calls) {
        prepare(map, goes, keys);
        recorder<map_type, Layout> recording(map, codec_, keys, threads, calls / threads);
        std::vector<std::uint64_t> values(threads, values_);
        const double start = seconds();
        test::together(threads, [&](std::size_t thread) {
            auto mine = recording.of_thread(thread);
            questions ask(shares, goes, keys, static_cast<std::uint8_t>(thread), values_ + thread,
                          {can_perform<map_type>(verb::fetch_add), can_perform<map_type>(verb::replace),
                           can_perform<map_type>(verb::swap_two)},
                          values[thread]);
            waves filler(map, codec_, goes, keys, thread);
            map_call last;
            for (std::size_t i = 0; !mine.is_full(); ++i) {
                map_call call = ask.next(last);
                if (call.what == verb::size && filler.moves()) call.what = verb::load; // the fillers count as well
                last = mine.ask(call);
                if (i % 2 == 0) filler.move();
            }
        });
        values_ = *std::max_element(values.begin(), values.end());
        const history all = recording.take();
        const double middle = seconds();
        const verdict result = check(all, std::max(std::thread::hardware_concurrency(), 1U));
        const double end = seconds();
        recording_ += middle - start;
        checking_ += end - middle;
        if (std::getenv("SYNCMAP_VERBOSE") != nullptr) {
            std::printf("  %-16s %7llu keys, %zu threads: %zu calls recorded in %.3f s, checked in %.3f s\n", shares.name,
                        static_cast<unsigned long long>(keys), threads, all.calls.size(), middle - start, end - middle);
        }
        checked_ += result.checked;
        by_zones_ += result.by_zones;
        if (result.linearizable()) return;
        ++violations_;
        const std::string file =
            std::string("violation-") + Layout::name + "-" + course_names[static_cast<unsigned>(goes)] + ".history";
        std::ofstream out(file);
        write_history(out, all);
        ADD_FAILURE() << Layout::name << ", " << course_names[static_cast<unsigned>(goes)] << ", " << shares.name << ", "
                      << keys << " keys, " << threads << " threads\n"
                      << result.trouble << "The history is in " << file << ": check-history reads it.";
    }
};
struct layout_names {
    template <class Layout>
    static std::string GetName(int) {
        return Layout::name;
    }
};
using layouts = ::testing::Types<numbers, texts>;
TYPED_TEST_SUITE(real_threads, layouts, layout_names);

TYPED_TEST(real_threads, have_an_order_while_the_map_is_steady) { this->run(course::steady); }
TYPED_TEST(real_threads, have_an_order_while_the_map_grows) { this->run(course::growing); }
TYPED_TEST(real_threads, have_an_order_while_the_map_shrinks) { this->run(course::shrinking); }
TYPED_TEST(real_threads, have_an_order_while_the_map_is_cleared) { this->run(course::clearing); }

/// A map whose exchange is two steps, and whose clear goes key by key.
class map_of_two_steps : public numbers::map {
public:
    std::optional<std::uint64_t> exchange(std::uint64_t key, std::uint64_t value) {
        const auto before = load(key);
        std::this_thread::yield();
        store(key, value);
        return before;
    }
    void clear() {
        for (std::uint64_t key = 0; key != 24; ++key) {
            erase(key);
            if (key % 8 == 0) std::this_thread::yield();
        }
    }
};

TEST(threads_on_a_wrong_map, are_noticed) {
#if defined(SYNCMAP_TEST_SANITIZED)
    GTEST_SKIP() << "it is about the checker, which is one thread's, and a sanitizer makes it slow";
#endif
    const mix exchanging{"exchanging", {{{verb::load, 8}, {verb::exchange, 8}}}};
    const mix loading{"loading", {{{verb::load, 12}, {verb::store, 4}}}};
    for (const auto& [shares, goes] : {std::pair(&exchanging, course::steady), std::pair(&loading, course::clearing)}) {
        map_of_two_steps map;
        recorder<map_of_two_steps, numbers> recording(map, {}, 24, 4, 5000);
        std::string trouble;
        for (int round = 0; round != 100 && trouble.empty(); ++round) {
            test::together(4, [&](std::size_t thread) {
                auto mine = recording.of_thread(thread);
                std::uint64_t values = static_cast<std::uint64_t>(round + 1) << 32;
                questions ask(*shares, goes, 24, static_cast<std::uint8_t>(thread), values + thread, {false, false, false},
                              values);
                map_call last;
                while (!mine.is_full()) last = mine.ask(ask.next(last));
            });
            trouble = check(recording.take()).trouble;
        }
        EXPECT_NE(trouble, "") << shares->name;
        if (goes == course::steady) std::printf("what a map of two steps shows:\n%s", trouble.c_str());
    }
}

} // namespace
} // namespace linearizability
