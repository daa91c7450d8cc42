// Forks while other threads write: the child reads at once, and writes after the hooks.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <syncmap/cache.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/fork.hpp>
#include <syncmap/snapshot.hpp>
#include <syncmap/snapshot_map.hpp>

#include "life/common.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

constexpr std::size_t forks = 150;
std::size_t forks_of_each() { return long_form() ? 1000 : sanitized ? 20 : forks; }

/// Runs `f` in a child, which an alarm ends if it hangs: 0 when it returned true.
template <class F>
int status_of_child(F f) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(20);
        ::_exit(f() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
}

/// Three threads that write to a map.
template <class Map>
class busy_map {
public:
    busy_map() {
        for (std::uint64_t n = 0; n < 200; ++n) map.store(keys<Map>()[n], proven<Map>(n, 0));
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            threads_.emplace_back([this, seed] { write_while(map, seed, [&] { return !stop_.load(); }); });
        }
    }
    ~busy_map() { stop_ = true; }
    Map map;

private:
    std::atomic<bool> stop_{false};
    std::vector<std::jthread> threads_;
};

template <class Map>
bool reads_all(const Map& map) {
    bool right = true;
    for (std::uint64_t n = 0; n < keys<Map>().size(); ++n) right = read_one(map, n) && right;
    return right;
}

#if !defined(SYNCMAP_TEST_SANITIZED)
/// What a program does with a map that it has for itself.
template <class Map>
bool does_everything(Map& map) {
    const auto& all = keys<Map>();
    if (!reads_all(map)) return false;
    std::size_t counted = 0;
    map.for_each([&](const auto&, const auto&) { ++counted; });
    if (counted != map.size()) return false;
    for (std::uint64_t n = 0; n < all.size(); ++n) map.store(all[n], proven<Map>(n, 1));
    if (map.size() != all.size()) return false;
    const auto taken = map.snapshot();
    for (std::uint64_t n = 0; n < all.size(); ++n) {
        map.update(all[n],
                   [&](const auto* old) { return proven<Map>(n, proof<typename Map::mapped_type>::generation(*old) + 1); });
        if (proof<typename Map::mapped_type>::generation(*map.load(all[n])) != 2) return false;
    }
    if (taken.size() != all.size()) return false;
    for (std::uint64_t n = 10; n < all.size(); ++n) map.erase(all[n]);
    map.flush();
    if (map.size() != 10) return false;
    map.clear();
    map.reserve(5000);
    static_cast<void>(map.load_or_compute(all[0], [&] { return proven<Map>(0, 7); }));
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::uint64_t n = t; n < all.size(); n += 4) map.store(all[n], proven<Map>(n, 3));
        });
    }
    threads.clear();
    return map.size() == all.size();
}
#endif

template <class Map>
void fork_and_read() {
    const watchdog dog("reads in the children of forks", std::chrono::seconds(600));
    busy_map<Map> busy;
    for (std::size_t i = 0; i < forks_of_each(); ++i) {
        ASSERT_EQ(status_of_child([&] { return reads_all(busy.map); }), 0) << "fork " << i;
    }
    report("forks beside three writers whose children read every key, without hooks", forks_of_each());
}

#if !defined(SYNCMAP_TEST_SANITIZED)
template <class Map>
void fork_and_write() {
    const watchdog dog("writes in the children of forks", std::chrono::seconds(600));
    busy_map<Map> busy;
    for (std::size_t i = 0; i < forks_of_each(); ++i) {
        syncmap::before_fork();
        const int status = status_of_child([&] {
            syncmap::after_fork_in_child();
            return does_everything(busy.map);
        });
        syncmap::after_fork_in_parent();
        ASSERT_EQ(status, 0) << "fork " << i;
    }
    report("forks beside three writers whose children write, between the hooks", forks_of_each());
}
#endif

/// A child that no hook prepared may read and end: its maps are destroyed though lost threads may have every lock.
TEST(forks, lets_a_child_that_only_reads_destroy_its_maps) {
    const watchdog dog("a child that ends");
    using map_type = syncmap::map<std::uint64_t, std::uint64_t>;
    std::atomic<bool> stop{false};
    std::optional<map_type> kept;
    std::latch made(1);
    // It makes and destroys maps all the time, so that at many instants it has the lock of the list that `kept` is in.
    std::jthread maker([&] {
        kept.emplace();
        for (std::uint64_t i = 1; i < 100; ++i) kept->store(i, i);
        made.count_down();
        while (!stop) {
            map_type others[8];
            for (map_type& m : others) m.store(1, 1);
        }
    });
    made.wait();
    for (std::size_t i = 0; i < forks_of_each(); ++i) {
        ASSERT_EQ(status_of_child([&] {
                      const bool right = kept->load(1) == 1U && kept->contains(99) && !kept->contains(100);
                      kept.reset();
                      return right;
                  }),
                  0)
            << i;
    }
    stop = true;
}

/// A thread that leaves nothing of what maps share unlocked for long: it makes and destroys maps, sleeps on computations,
/// collects garbage, takes snapshots and loads into a cache. Half of what it does is in maps that all have.
class busy_process {
public:
    using text_map = syncmap::map<std::uint64_t, std::string>;
    using others_map = syncmap::snapshot_map<std::uint64_t, std::string>;
    using text_cache = syncmap::cache<std::uint64_t, std::string>;

    busy_process() {
        for (std::uint64_t n = 0; n < 100; ++n) {
            texts->store(n, text(n));
            numbers->store(n, n);
            others->store(n, text(n));
            cache->put(n, text(n));
        }
        for (unsigned t = 0; t < 3; ++t) {
            threads_.emplace_back([this] {
                while (!stop_) turn();
            });
        }
    }
    ~busy_process() { stop_ = true; }

    /// Uses maps of its own.
    static bool serve() {
        bool right = true;
        for (int round = 0; round < 3; ++round) {
            syncmap::map<std::uint64_t, std::uint64_t> own_numbers;
            text_map own_texts;
            others_map own_others;
            text_cache own_cache({.capacity = 50});
            for (std::uint64_t n = 0; n < 300; ++n) {
                own_numbers.store(n, n);
                for (int again = 0; again < 3; ++again) own_texts.store(n, text(n));
                own_others.store(n, text(n));
                right = own_cache.get_or_load(n, [&] { return text(n); }) == text(n) && right;
                own_texts.update(n, [](const std::string* old) { return *old; });
                own_numbers.update(n, [](const std::uint64_t* old) { return *old + 1; });
            }
            const auto taken = own_texts.snapshot();
            for (std::uint64_t n = 0; n < 300; n += 2) {
                right = own_texts.erase(n) && own_others.erase(n) && own_numbers.load(n) == n + 1 && right;
            }
            own_texts.flush();
            right =
                own_texts.size() == 150 && own_others.size() == 150 && taken.size() == 300 && own_cache.size() == 50 && right;
#if !defined(SYNCMAP_THREAD_SANITIZER) // it starts no thread in such a child
            std::jthread other([&] { own_texts.store(0, text(1)); });
            own_texts.store(0, text(1));
            other.join();
            right = own_texts.load(0) == text(1) && right;
#endif
        }
        return right;
    }
    /// Reads, moves and destroys what was there before.
    bool end() {
        bool right = numbers->contains(1) && texts->load(2) == text(2) && others->load(3) == text(3);
        static_cast<void>(cache->peek(4));
        syncmap::map<std::uint64_t, std::uint64_t> moved = std::move(*numbers);
        right = moved.contains(5) && right;
        numbers.reset();
        texts.reset();
        if (!serve()) return false;
        others.reset();
        cache.reset();
        return right;
    }

private:
    static std::string text(std::uint64_t n) { return "a text of its own on the heap, number " + std::to_string(n); }

    void turn() {
        syncmap::map<std::uint64_t, std::uint64_t> own_numbers;
        text_map own_texts;
        for (std::uint64_t n = 0; n < 20; ++n) {
            own_numbers.store(n, n);
            own_texts.store(n, text(n));
            texts->store(n, text(n));
            others->store(n, text(n));
            numbers->store(n, n);
            texts->update(n % 3, [&](const std::string* old) { return *old; });
            static_cast<void>(texts->load_or_compute(1000 + n % 2, [&] { return text(n); }));
            texts->erase(1000 + n % 2);
            static_cast<void>(cache->get_or_load(n * n, [&] { return text(n * n); }));
        }
        static_cast<void>(texts->snapshot());
        own_texts.clear();
    }

public:
    std::optional<syncmap::map<std::uint64_t, std::uint64_t>> numbers{std::in_place};
    std::optional<text_map> texts{std::in_place};
    std::optional<others_map> others{std::in_place};
    std::optional<text_cache> cache{std::in_place, text_cache::options_type{.capacity = 60}};

private:
    std::atomic<bool> stop_{false};
    std::vector<std::jthread> threads_;
};
TEST(forks, let_a_child_without_hooks_use_maps_of_its_own_and_destroy_those_of_before) {
    const watchdog dog("maps that a child makes without hooks", std::chrono::seconds(600));
    busy_process busy;
    for (std::size_t i = 0; i < forks_of_each(); ++i) {
        ASSERT_EQ(status_of_child([&] { return busy_process::serve() && busy.end() && busy_process::serve(); }), 0) << i;
    }
    report("forks beside three busy threads whose children make maps and destroy those of before, without hooks",
           forks_of_each());
}

/// Its destructor keeps its thread while the value has a gate that is closed.
class held_up {
public:
    struct gate {
        std::atomic<bool> met{false};
        std::atomic<bool> open{false};
    };

    held_up() = default;
    explicit held_up(gate& at) : at_(&at) {}
    held_up(held_up&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
    held_up& operator=(held_up&& other) noexcept {
        std::swap(at_, other.at_);
        return *this;
    }
    ~held_up() {
        if (at_ == nullptr || at_->open) return;
        at_->met = true;
        at_->met.notify_all();
        at_->open.wait(false);
    }

private:
    gate* at_ = nullptr;
};

/// A lost thread that destroys garbage of a map keeps neither a move of the map nor its destructor.
template <class Map>
void end_beside_a_lost_destructor() {
    const watchdog dog("a child whose lost thread destroys garbage");
    held_up::gate gate;
    Map map;
    std::jthread destroys([&] {
        map.store(1, held_up(gate));
        while (!gate.open) map.store(1, held_up()); // until the garbage is destroyed, among it the first value
    });
    gate.met.wait(false);
    EXPECT_EQ(status_of_child([&] {
                  gate.open.store(true); // wakes no thread: there is none
                  Map moved = std::move(map);
                  return moved.contains(1) && !map.contains(1);
              }),
              0);
    gate.open = true;
    gate.open.notify_all();
}
TEST(forks, lets_a_child_move_and_destroy_a_map_whose_garbage_a_lost_thread_destroys) {
    end_beside_a_lost_destructor<syncmap::map<int, held_up>>();
}
TEST(forks, lets_a_child_move_and_destroy_a_snapshot_map_whose_garbage_a_lost_thread_destroys) {
    end_beside_a_lost_destructor<syncmap::snapshot_map<int, held_up>>();
}

} // namespace

TEST(forks, beside_writers_of_entries_in_place_let_the_child_read) { fork_and_read<numbers>(); }
TEST(forks, beside_writers_of_nodes_let_the_child_read) { fork_and_read<texts>(); }
// The memory of sanitizers is not fit for use in the child of a program with threads.
#if !defined(SYNCMAP_TEST_SANITIZED)
TEST(forks, beside_writers_of_entries_in_place_let_the_child_write_between_the_hooks) { fork_and_write<numbers>(); }
TEST(forks, beside_writers_of_nodes_let_the_child_write_between_the_hooks) { fork_and_write<texts>(); }

TEST(forks, drop_the_computations_of_threads_that_the_child_has_not) {
    const watchdog dog("computations and forks");
    texts map;
    std::atomic<bool> computing{false};
    std::atomic<bool> go_on{false};
    std::jthread other([&] {
        map.update("theirs", [&](const auto*) {
            computing = true;
            computing.notify_all();
            go_on.wait(false);
            return proven<texts>(1, 1);
        });
    });
    computing.wait(false);
    std::jthread waiter([&] { map.store("theirs", proven<texts>(2, 2)); }); // asleep, or about to be
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    // The forking thread computes a key itself: that goes on in both.
    bool is_child = false;
    int status = -1;
    map.update("ours", [&](const auto*) {
        syncmap::before_fork();
        const pid_t child = ::fork();
        if (child == 0) {
            ::alarm(20);
            syncmap::after_fork_in_child();
            is_child = true;
            map.store("theirs", proven<texts>(3, 3));
            try {
                map.store("ours", proven<texts>(4, 4));
                ::_exit(3); // it is being computed still
            } catch (const syncmap::recursive_update&) {}
        } else {
            syncmap::after_fork_in_parent();
            ::waitpid(child, &status, 0);
        }
        return proven<texts>(5, is_child ? 6 : 5);
    });
    if (is_child) {
        map.store("ours", *map.load("ours"));
        ::_exit(map.load("theirs") == proven<texts>(3, 3) && map.load("ours") == proven<texts>(5, 6) ? 0 : 1);
    }
    EXPECT_EQ(status, 0);
    EXPECT_EQ(map.load("ours"), (proven<texts>(5, 5)));
    EXPECT_EQ(map.load("theirs"), std::nullopt) << "the other thread has not done yet";
    go_on = true;
    go_on.notify_all();
    other.join();
    waiter.join();
    EXPECT_EQ(map.load("theirs"), (proven<texts>(2, 2)));
}

TEST(forks, wait_for_maps_that_come_and_go) {
    const watchdog dog("forks while maps come and go");
    std::atomic<bool> stop{false};
    std::vector<std::jthread> makers;
    for (std::uint64_t t = 0; t < 2; ++t) {
        makers.emplace_back([&, t] {
            for (std::uint64_t i = 0; !stop; ++i) {
                numbers map;
                for (std::uint64_t n = 0; n < 20; ++n) map.store(n, i + t);
            }
        });
    }
    numbers lasting;
    for (std::size_t i = 0; i < forks_of_each() / 3 + 1; ++i) {
        syncmap::before_fork();
        const int status = status_of_child([&] {
            syncmap::after_fork_in_child();
            numbers own;
            own.store(1, i);
            lasting.store(1, i);
            return own.load(1) == i && lasting.load(1) == i;
        });
        syncmap::after_fork_in_parent();
        ASSERT_EQ(status, 0);
    }
    stop = true;
}
#endif

} // namespace test
