// Threads that stand still, as counted figures: what a reader holds back, and what goes on beside a writer.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <latch>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include <pthread.h>
#include <semaphore.h>

#include <gtest/gtest.h>

#include "life/common.hpp"
#include "support/allocators.hpp"
#include "support/stepping_sync.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

// ---- readers ----

/// A function that the calling thread runs once, at the next comparison of keys.
thread_local void (*at_comparison)() = nullptr;

struct equal_with_hook {
    bool operator()(std::uint64_t a, std::uint64_t b) const {
        if (auto* const hook = std::exchange(at_comparison, nullptr)) hook();
        return a == b;
    }
};

struct large {
    std::array<std::uint64_t, 16> words{};
    static large of(std::uint64_t n) {
        large value;
        value.words.fill(n);
        return value;
    }
    bool whole() const { return std::count(words.begin(), words.end(), words[0]) == 16; }
};
static_assert(sizeof(large) == 128);

using engine_of_large = syncmap::engine::table<std::uint64_t, large, syncmap::hash<std::uint64_t>, equal_with_hook,
                                               booked<std::pair<const std::uint64_t, large>>>;

/// Whose table can be looked at from outside.
class visible_engine : public engine_of_large {
public:
    using engine_of_large::engine_of_large;
    std::size_t buckets() const noexcept {
        const auto* const t = table_of(this->root_.load());
        return t == nullptr ? 0 : t->buckets();
    }
};
class map_of_large : public syncmap::basic_map<visible_engine> {
public:
    using syncmap::basic_map<visible_engine>::basic_map;
    std::size_t buckets() const noexcept { return this->engine_.buckets(); }
};

/// One reader stands still in `read(map, stand)`; what writers do meanwhile, and what that leaves behind.
template <class Read>
void expect_little_held_back(const char* where, Read read) {
    const watchdog dog(std::string("a reader that stands still in ") + where, std::chrono::seconds(600));
    constexpr std::uint64_t goal = std::uint64_t{4} << 20;
    constexpr std::uint64_t present = 500;
    ledger books;
    map_of_large map{booked<std::pair<const std::uint64_t, large>>(books)};
    for (std::uint64_t i = 0; i < present; ++i) map.store(i, large::of(i));
    map.flush();
    const std::size_t before = books.live_bytes;

    std::latch standing(1);
    static std::atomic<bool> stands;
    static std::latch* reached;
    stands = true;
    reached = &standing;
    std::jthread reader([&] {
        read(map, [] {
            reached->count_down();
            stands.wait(true);
        });
    });
    standing.wait();

    // Replaced by two writers, which count what is alive as they go.
    const std::size_t replaced = scaled(500'000);
    std::atomic<std::size_t> most{0};
    together(2, [&](std::size_t writer) {
        std::size_t seen = 0;
        for (std::uint64_t i = 0; i < replaced; ++i) {
            map.store((i * 2 + writer) % present, large::of(i));
            if (i % 64 == 0) seen = std::max(seen, books.live_bytes.load());
        }
        std::size_t others = most;
        while (others < seen && !most.compare_exchange_weak(others, seen)) {}
    });
    map.flush();
    const std::size_t held = books.live_bytes - before;
    const std::size_t peak = most - before;

    // Growth and shrinking go on.
    const std::size_t small = map.buckets();
    for (std::uint64_t i = present; i < 20'000; ++i) map.store(i, large::of(i));
    EXPECT_GT(map.buckets(), 8 * small);
    for (std::uint64_t i = present; i < 20'000; ++i) EXPECT_TRUE(map.erase(i));
    for (std::uint64_t i = 0; i < 4000; ++i) { // shrinking is a matter of further writes
        map.store(present, large::of(i));
        map.erase(present);
    }
    EXPECT_LT(map.buckets(), 8 * small);
    EXPECT_EQ(map.size(), present);

    stands = false;
    stands.notify_all();
    reader.join();
    map.flush();
    const std::string name = std::string("a reader in ") + where;
    report(name + ": values of 128 bytes replaced meanwhile", 2 * replaced);
    report(name + ": bytes of garbage at most", peak);
    report(name + ": bytes held back in the end", held);
    EXPECT_LE(peak, goal);
    EXPECT_LE(held, std::size_t{16} << 10) << "more than the reader looks at";
}

} // namespace

TEST(stalls, of_a_lookup_hold_back_what_it_looks_at) {
    expect_little_held_back("the middle of a look-up", [](auto& map, void (*stand)()) {
        at_comparison = stand;
        EXPECT_TRUE(map.contains(7));
    });
}

TEST(stalls, of_a_visitor_hold_back_what_it_looks_at) {
    expect_little_held_back("a visitor", [](auto& map, void (*stand)()) {
        map.visit(7, [&](const large& value) {
            stand();
            EXPECT_TRUE(value.whole());
        });
    });
}

TEST(stalls, of_a_walk_hold_back_a_bucket) {
    expect_little_held_back("for_each", [](auto& map, void (*stand)()) {
        bool first = true;
        map.for_each([&](std::uint64_t, const large& value) {
            if (std::exchange(first, false)) stand();
            EXPECT_TRUE(value.whole());
        });
    });
}

TEST(stalls, of_who_keeps_an_entry_hold_back_that_entry) {
    expect_little_held_back("possession of an entry", [](auto& map, void (*stand)()) {
        const auto kept = map.pin(7);
        stand();
        EXPECT_TRUE(kept->whole());
    });
}

// ---- writers, stopped before each of their steps ----

namespace {

/// Keys whose hash is told by their upper bits: those of one eighth of the hashes share no bucket with another's.
struct placed {
    std::uint64_t number;
    friend bool operator==(placed, placed) = default;
};
constexpr std::uint64_t eighths = 8;
constexpr std::uint64_t keys_of_an_eighth = 32;
placed in_eighth(std::uint64_t eighth, std::uint64_t i) { return {eighth << 32 | i}; }

struct hash_by_place {
    std::uint64_t operator()(const placed& key, const syncmap::hash_seed&) const noexcept {
        return (key.number >> 32) << 61 |
               (syncmap::detail::mix(key.number + 1, {0x9E3779B97F4A7C15U, 0xBF58476D1CE4E5B9U}) >> 3);
    }
};

template <class T>
using engine_of_placed = syncmap::engine::table<placed, T, hash_by_place, std::equal_to<>,
                                                std::allocator<std::pair<const placed, T>>, stepping_sync>;
template <class T>
class visible_placed : public engine_of_placed<T> {
public:
    bool is_moving_many_buckets() const noexcept {
        const auto* const t = visible_placed::table_of(this->root_.load());
        return t != nullptr && t->buckets() >= 2 * eighths && t->successor() != nullptr;
    }
};
template <class T>
class placed_map : public syncmap::basic_map<visible_placed<T>> {
public:
    bool is_moving_many_buckets() const noexcept { return this->engine_.is_moving_many_buckets(); }
};

/// A thread that stops before its how-manieth step, and waits to be let go.
struct stop {
    std::uint64_t steps_to_go = 0;
    std::atomic<int> state{running};
    static constexpr int running = 0, stopped = 1, released = 2, ended = 3;
    static inline thread_local stop* mine = nullptr;

    void arm(std::uint64_t at_step) {
        steps_to_go = at_step;
        mine = this;
        on_step = [](step) {
            if (mine->steps_to_go-- != 0) return;
            on_step = nullptr;
            mine->state = stopped;
            mine->state.notify_all();
            mine->state.wait(stopped);
        };
    }
    void disarm() {
        on_step = nullptr;
        state = ended;
        state.notify_all();
    }
};

template <class T>
T some_value(std::uint64_t n) {
    if constexpr (std::is_same_v<T, large>)
        return large::of(n);
    else
        return n;
}

std::uint64_t number_in(std::uint64_t value) { return value; }
std::uint64_t number_in(const large& value) { return value.words[0]; }

/// What a snapshot shows, by look-ups and by a walk.
template <class Snapshot>
void expect_snapshot(const Snapshot& taken, const std::map<std::uint64_t, std::uint64_t>& contents, std::uint64_t at) {
    for (const auto& [number, n] : contents) {
        const auto value = taken.load(placed{number});
        ASSERT_TRUE(value.has_value()) << "key " << number << " is missing; stopped before step " << at;
        EXPECT_EQ(number_in(*value), n) << "stopped before step " << at;
    }
    std::map<std::uint64_t, std::uint64_t> walked;
    taken.for_each([&](const placed& key, const auto& value) {
        EXPECT_TRUE(walked.emplace(key.number, number_in(value)).second) << "a key came twice; stopped before step " << at;
    });
    EXPECT_EQ(walked, contents) << "stopped before step " << at;
}

/// Stops `write(map)` before every step that it has, or every `stride`-th, one after the other; before fewer of them where a
/// sanitizer makes each stop thirty times as long. Meanwhile readers of every key, `size`, and
/// writers of all eighths but one go on to their end, and so do readers of a snapshot, if there is one. Returns the number
/// of stops.
template <class T, class Prepare, class Write>
std::uint64_t stop_everywhere(Prepare prepare, Write write, bool leaves_size_alone, bool has_snapshot = false,
                              std::uint64_t stride = 1) {
    if (sanitized && !is_full_run()) stride *= 5;
    for (std::uint64_t at = 0, stops = 0;; at += stride, ++stops) {
        placed_map<T> map;
        prepare(map);
        const std::size_t size_before = map.size();
        std::map<std::uint64_t, std::uint64_t> contents;
        std::optional<decltype(map.snapshot())> taken;
        if (has_snapshot) {
            taken.emplace(map.snapshot());
            map.for_each([&](const placed& key, const T& value) { contents.emplace(key.number, number_in(value)); });
        }
        stop here;
        std::jthread victim([&] {
            static_cast<void>(map.contains(placed{0})); // the thread's first use is not what is looked at
            here.arm(at);
            write(map);
            here.disarm();
        });
        here.state.wait(stop::running);
        if (here.state == stop::ended) return stops;

        if (has_snapshot) expect_snapshot(*taken, contents, at);
        std::uint64_t found = 0;
        for (std::uint64_t eighth = 0; eighth < eighths; ++eighth) {
            for (std::uint64_t i = 0; i < keys_of_an_eighth; ++i) found += map.contains(in_eighth(eighth, i)) ? 1 : 0;
        }
        EXPECT_GE(found + 1, eighths * keys_of_an_eighth / 2) << "stopped before step " << at;
        const std::size_t size = map.size();
        EXPECT_LE(size, size_before + 1);
        EXPECT_GE(size + 1, size_before);
        if (leaves_size_alone) {
            EXPECT_EQ(size, size_before);
        }

        std::atomic<std::uint64_t> finished{0};
        std::vector<std::jthread> writers;
        for (std::uint64_t eighth = 0; eighth < eighths; ++eighth) {
            writers.emplace_back([&map, &finished, eighth] {
                for (std::uint64_t i = 0; i < keys_of_an_eighth; i += 2) {
                    map.store(in_eighth(eighth, i), some_value<T>(i + 1));
                    map.store(in_eighth(eighth, 1000), some_value<T>(i));
                    map.erase(in_eighth(eighth, 1000));
                }
                finished += 1;
                finished.notify_all();
            });
        }
        // A watchdog ends a test in which this never comes.
        for (std::uint64_t n = finished; n < eighths - 1; n = finished) finished.wait(n);
        if (has_snapshot) expect_snapshot(*taken, contents, at);
        here.state = stop::released;
        here.state.notify_all();
        writers.clear();
        victim.join();
        EXPECT_GE(map.size() + 1, size_before);
    }
}

template <class T>
void fill_every_second(placed_map<T>& map, std::uint64_t reserved) {
    map.reserve(reserved);
    for (std::uint64_t eighth = 0; eighth < eighths; ++eighth) {
        for (std::uint64_t i = 0; i < keys_of_an_eighth; i += 2) map.store(in_eighth(eighth, i), some_value<T>(i));
    }
}

template <class T>
void stop_all_kinds_of_writers(const char* layout) {
    const watchdog dog(std::string("writers that stand still: ") + layout, std::chrono::seconds(250));
    std::uint64_t stops = 0;
    const auto roomy = [](placed_map<T>& map) { fill_every_second(map, 2000); };
    const auto moving = [](placed_map<T>& map) { // to a larger table, which the writer will help with
        fill_every_second(map, 1);
        for (std::uint64_t i = 2000; !map.is_moving_many_buckets(); ++i) map.store(in_eighth(i % eighths, i), some_value<T>(i));
    };
    stops += stop_everywhere<T>(roomy, [](auto& map) { map.store(in_eighth(3, 2), some_value<T>(9)); }, true);
    stops += stop_everywhere<T>(roomy, [](auto& map) { map.store(in_eighth(3, 1), some_value<T>(9)); }, false);
    stops += stop_everywhere<T>(roomy, [](auto& map) { map.erase(in_eighth(3, 2)); }, false);
    stops += stop_everywhere<T>(
        roomy, [](auto& map) { map.update(in_eighth(3, 2), [](const T*) { return some_value<T>(8); }); }, true);
    stops += stop_everywhere<T>(
        roomy,
        [](auto& map) { // the last of them frees what was replaced
            for (std::uint64_t i = 0; i < 5; ++i) map.store(in_eighth(3, 2), some_value<T>(i));
        },
        true);
    stops += stop_everywhere<T>(
        moving,
        [](auto& map) {
            for (std::uint64_t i = 1; i < 6; i += 2) map.store(in_eighth(3, 2), some_value<T>(i));
            map.store(in_eighth(3, 1), some_value<T>(9));
        },
        false);
    for (const bool through_the_end : {false, true}) { // the second one moves the last group, too
        stops += stop_everywhere<T>(
            moving,
            [through_the_end](auto& map) {
                for (std::uint64_t i = 1; i < 6; i += 2) map.store(in_eighth(3, 2), some_value<T>(i));
                map.store(in_eighth(3, 1), some_value<T>(9));
                for (std::uint64_t i = 0; through_the_end && map.is_moving_many_buckets(); ++i)
                    map.store(in_eighth(3, 2), some_value<T>(i));
            },
            false, true, through_the_end ? 17 : 1);
    }
    report(std::string("places where a writer was stopped, ") + layout, stops);
    EXPECT_GT(stops, 60U);
}

} // namespace

TEST(stalls, of_a_writer_delay_its_bucket_alone_where_values_lie_in_the_table) {
    stop_all_kinds_of_writers<std::uint64_t>("values in the table");
}
TEST(stalls, of_a_writer_delay_its_bucket_alone_where_values_lie_in_nodes) {
    stop_all_kinds_of_writers<large>("values in nodes");
}

// ---- writers, stopped anywhere by a signal; the thread sanitizer delivers those at places of its own choice ----

#if !defined(SYNCMAP_TEST_SANITIZED)
namespace {

std::atomic<int> stopped_by_signal{0};
sem_t may_go_on;

void stand_in_handler(int) {
    stopped_by_signal = 1;
    while (::sem_wait(&may_go_on) != 0) {}
}

} // namespace

TEST(stalls, of_a_writer_anywhere_delay_nobody_elses_bucket) {
    const watchdog dog("writers stopped by signals", std::chrono::seconds(250));
    numbers map;
    map.reserve(10'000);
    constexpr std::uint64_t mine = 1'000'000;
    for (std::uint64_t n = 0; n < 2000; ++n) map.store(n, n);
    // Where the victim writes is up to the hash; a thread that shares a bucket with it waits, and is told apart by that.
    std::atomic<bool> end{false};
    ASSERT_EQ(::sem_init(&may_go_on, 0, 0), 0);
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = stand_in_handler;
    ASSERT_EQ(::sigaction(SIGUSR2, &action, &before), 0);
    std::jthread victim([&] {
        for (std::uint64_t i = 0; !end; ++i) {
            map.store(mine, i); // an overwrite, an insert and an erase of one bucket
            if (i % 3 == 0) map.erase(mine);
        }
    });
    const std::size_t stops = scaled(1000);
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    std::uint64_t delayed_in_all = 0;
    for (std::size_t i = 0; i < stops; ++i) {
        stopped_by_signal = 0;
        ::pthread_kill(victim.native_handle(), SIGUSR2);
        while (stopped_by_signal == 0) std::this_thread::yield();
        for (std::uint64_t n = 0; n < 2000; ++n) reads += map.contains(n) ? 1 : 0;
        static_cast<void>(map.contains(mine));
        const std::size_t size = map.size();
        EXPECT_TRUE(size == 2000 || size == 2001) << size;
        if (i % 20 == 0) { // one writer goes through all keys; where it comes to a halt, another goes on behind that key
            std::atomic<std::uint64_t> at{0};
            std::atomic<std::uint64_t> done{0};
            const auto write_rest = [&] {
                for (std::uint64_t n = at.fetch_add(1); n < 2000; n = at.fetch_add(1)) {
                    map.store(n, n);
                    done += 1;
                }
            };
            std::vector<std::jthread> writers;
            for (std::uint64_t seen = 0; at < 2000; seen = done) {
                if (done == seen) writers.emplace_back(write_rest);
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
            }
            // A bucket has a few slots; each of its keys stops one writer. The others did all the rest.
            for (int patience = 0; done + 8 < 2000 && patience < 10'000; ++patience)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            EXPECT_GE(done + 8, 2000U) << "more waited than share the bucket of the stopped writer";
            delayed_in_all += 2000 - done;
            writes += done;
            ::sem_post(&may_go_on);
            writers.clear();
        } else {
            ::sem_post(&may_go_on);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(i % 7 * 10)); // somewhere else next time
    }
    end = true;
    victim.join();
    ASSERT_EQ(::sigaction(SIGUSR2, &before, nullptr), 0);
    ::sem_destroy(&may_go_on);
    EXPECT_EQ(reads, 2000 * stops);
    report("times that a writer was stopped by a signal", stops);
    report("writes of other keys meanwhile", writes);
    report("of those that had to wait for it", delayed_in_all);
}
#endif

} // namespace test
