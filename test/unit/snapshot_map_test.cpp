// What only the read/dirty algorithm has: what it locks and what not, promotion, expunged and dead entries.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/engine/read_dirty.hpp>
#include <syncmap/engine/tuning.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/snapshot_map.hpp>

#include "support/allocators.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

/// The machine, with a mutex that counts how often the calling thread locks it and knows whether it has it.
struct counting_sync : syncmap::engine::machine {
    class mutex {
    public:
        void lock() {
            mutex_.lock();
            ++locks;
            held = true;
        }
        bool try_lock() {
            if (!mutex_.try_lock()) return false;
            ++locks;
            held = true;
            return true;
        }
        void unlock() {
            held = false;
            mutex_.unlock();
        }
        static inline thread_local std::size_t locks = 0;
        static inline thread_local bool held = false;

    private:
        std::mutex mutex_;
    };
    class condition {
    public:
        void wait(std::unique_lock<mutex>& lock) { signal_.wait(lock); }
        void wait_briefly(std::unique_lock<mutex>& lock) { signal_.wait_for(lock, std::chrono::milliseconds(1)); }
        template <class Deadline>
        bool wait_until(std::unique_lock<mutex>& lock, const Deadline& limit) {
            if (limit.over()) return false;
            signal_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::nanoseconds(limit.left()));
            return true;
        }
        void notify_all() noexcept { signal_.notify_all(); }

    private:
        std::condition_variable_any signal_;
    };
};

template <class Key, class T, class Hash = syncmap::hash<Key>, class KeyEqual = std::equal_to<>>
using counting_map = syncmap::basic_map<
    syncmap::engine::read_dirty<Key, T, Hash, KeyEqual, std::allocator<std::pair<const Key, T>>, counting_sync>>;

template <class F>
std::size_t locks_of(F&& f) {
    const std::size_t before = counting_sync::mutex::locks;
    f();
    return counting_sync::mutex::locks - before;
}

/// Keys 0 ... count - 1, all in the snapshot and none in a dirty map.
template <class Map>
void fill(Map& map, int count) {
    for (int i = 0; i < count; ++i) map.store(i, 10 * i);
    map.for_each([](const auto&, const auto&) { return false; }); // promotes
}

} // namespace

TEST(snapshot_map, reads_its_snapshot_without_a_lock) {
    counting_map<int, int> map;
    fill(map, 100);
    EXPECT_EQ(locks_of([&] {
                  for (int i = 0; i < 100; ++i) EXPECT_EQ(map.load(i), 10 * i);
                  EXPECT_FALSE(map.contains(100)) << "nothing is in a dirty map, so a miss need not look there";
                  EXPECT_EQ(map.size(), 100U);
                  EXPECT_EQ(map.for_each([](int, int) {}), 100U);
              }),
              0U);
}

TEST(snapshot_map, overwrites_erases_and_stores_again_what_the_snapshot_has_without_a_lock) {
    counting_map<int, int> map;
    fill(map, 100);
    EXPECT_EQ(locks_of([&] {
                  EXPECT_FALSE(map.store(1, 2));
                  EXPECT_EQ(map.exchange(1, 3), 2);
                  int expected = 3;
                  EXPECT_TRUE(map.compare_exchange(1, expected, 4));
                  EXPECT_TRUE(map.erase(1));
                  EXPECT_FALSE(map.contains(1));
                  EXPECT_EQ(map.size(), 99U);
                  EXPECT_TRUE(map.store(1, 5));
                  EXPECT_EQ(map.load(1), 5);
                  EXPECT_EQ(map.size(), 100U);
              }),
              0U);
}

TEST(snapshot_map, promotes_the_dirty_map_after_as_many_misses_as_it_has_entries) {
    counting_map<int, int> map;
    fill(map, 9);
    map.store(9, 90); // the dirty map has ten entries now
    EXPECT_EQ(locks_of([&] {
                  for (int i = 0; i < 9; ++i) EXPECT_EQ(map.load(i), 10 * i);
              }),
              0U)
        << "those of the snapshot stay there";
    EXPECT_EQ(locks_of([&] {
                  for (int i = 0; i < 30; ++i) EXPECT_EQ(map.load(9), 90);
              }),
              10U)
        << "then it is the snapshot";
}

TEST(snapshot_map, runs_no_user_code_under_its_mutex) {
    struct guarded {
        static void look() { EXPECT_FALSE(counting_sync::mutex::held); }
        explicit guarded(int n) : number(n) {}
        guarded(const guarded& other) : number(other.number) { look(); }
        guarded& operator=(const guarded& other) {
            look();
            number = other.number;
            return *this;
        }
        ~guarded() { look(); }
        bool operator==(const guarded& other) const {
            look();
            return number == other.number;
        }
        int number;
    };
    struct hash {
        std::size_t operator()(const guarded& key) const {
            guarded::look();
            return static_cast<std::size_t>(key.number % 7); // keys collide, so that many are compared
        }
    };
    counting_map<guarded, guarded, hash> map;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 100; ++i) {
            map.store(guarded(i), guarded(i));
            EXPECT_TRUE(map.contains(guarded(i / 2)));
            EXPECT_EQ(map.load_or_store(guarded(i), guarded(0)).value.number, i);
            map.update(guarded(i), [&](const guarded* current) { return guarded(current->number); });
        }
        for (int i = 0; i < 100; ++i) {
            guarded expected(i);
            if (i % 3 == 0) {
                EXPECT_TRUE(map.compare_erase(guarded(i), expected));
            }
            map.erase(guarded(i / 2));
        }
        map.erase_if([](const guarded& key, const guarded&) { return key.number % 2 == 0; });
        map.reserve(500);
        if (round == 1) map.clear();
    }
}

TEST(snapshot_map, stores_an_expunged_key_again) {
    syncmap::snapshot_map<int, int> map;
    fill(map, 10);
    map.erase(3);
    map.store(100, 1000); // makes a dirty map, without 3
    EXPECT_FALSE(map.contains(3));
    EXPECT_EQ(map.size(), 10U);
    EXPECT_TRUE(map.store(3, 33));
    EXPECT_EQ(map.load(3), 33);
    EXPECT_EQ(map.size(), 11U);
    EXPECT_EQ(map.for_each([](int, int) {}), 11U) << "the promoted dirty map has it, too";
    EXPECT_EQ(map.load(3), 33);
}

TEST(snapshot_map, computes_an_expunged_key_again) {
    syncmap::snapshot_map<int, int> map;
    fill(map, 10);
    map.erase(3);
    map.erase(4);
    map.store(100, 1000);
    EXPECT_FALSE(map.load_or_compute(3, [] { return 33; }).loaded);
    EXPECT_EQ(map.update(4, [](const int* current) { return current == nullptr ? 44 : 0; }), syncmap::update_result::inserted);
    EXPECT_EQ(map.for_each([](int, int) {}), 11U);
    EXPECT_EQ(map.load(3), 33);
    EXPECT_EQ(map.load(4), 44);
}

TEST(snapshot_map, drops_expunged_keys_with_their_snapshot) {
    syncmap::snapshot_map<int, int> map;
    fill(map, 10);
    map.erase(3);
    map.store(100, 1000);
    map.for_each([](int, int) {}); // promotes: 3 is nowhere
    EXPECT_FALSE(map.contains(3));
    EXPECT_TRUE(map.store(3, 33));
    EXPECT_EQ(map.load(3), 33);
    EXPECT_EQ(map.size(), 11U);
}

template <class Key, class T>
using booked_map = syncmap::snapshot_map<Key, T, syncmap::hash<Key>, std::equal_to<>, booked<std::pair<const Key, T>>>;

TEST(snapshot_map, does_not_let_deleted_keys_pile_up) {
    ledger books;
    booked_map<int, int> map(booked_map<int, int>::allocator_type{books});
    fill(map, 20'000);
    const std::size_t full = books.live_bytes;
    for (int i = 0; i < 20'000; ++i) map.erase(i);
    EXPECT_EQ(map.size(), 0U);
    // No new key came, so sync.Map would have every key still.
    EXPECT_LT(books.live_bytes.load(), full / 10);
}

TEST(snapshot_map, does_not_grow_while_keys_come_and_go) {
    ledger books;
    booked_map<int, int> map(booked_map<int, int>::allocator_type{books});
    std::size_t most = 0;
    for (int i = 0; i < 50'000; ++i) {
        map.store(i, i);
        map.erase(i);
        most = std::max(most, books.live_bytes.load());
    }
    EXPECT_LT(most, 256U * 1024U);
}

TEST(snapshot_map, frees_overwritten_values_while_a_reader_stands_still) {
    ledger books;
    booked_map<int, std::string> map(booked_map<int, std::string>::allocator_type{books});
    map.store(1, "first");
    map.visit(1, [&](const std::string& value) {
        std::size_t most = 0;
        for (int i = 0; i < 50'000; ++i) {
            map.store(1, std::to_string(i));
            most = std::max(most, books.live_bytes.load());
        }
        EXPECT_LT(most, 256U * 1024U);
        EXPECT_EQ(value, "first");
    });
}

TEST(snapshot_map, orders_a_clear_after_the_computation_that_it_interrupts) {
    syncmap::snapshot_map<int, int> map;
    fill(map, 5);
    const auto clear = [&](const int*) {
        map.clear();
        EXPECT_EQ(map.size(), 0U);
        return 7;
    };
    EXPECT_EQ(map.update(1, clear), syncmap::update_result::assigned);
    EXPECT_EQ(map.size(), 0U);
    EXPECT_FALSE(map.contains(1));
    EXPECT_EQ(map.update(2, clear), syncmap::update_result::inserted);
    EXPECT_EQ(map.size(), 0U);
    EXPECT_FALSE(map.contains(2));
    EXPECT_TRUE(map.store(2, 3));
    EXPECT_EQ(map.size(), 1U);
}

/// A value whose comparison does something else first, once.
struct interrupting {
    static inline std::function<void()> inside;
    int number;
    friend bool operator==(const interrupting& a, const interrupting& b) {
        if (const auto run = std::exchange(inside, nullptr)) run();
        return a.number == b.number;
    }
};

TEST(snapshot_map, does_not_count_what_is_erased_from_a_generation_that_clear_has_ended) {
    syncmap::snapshot_map<int, interrupting> map;
    for (int i = 0; i < 5; ++i) map.store(i, interrupting{i});
    map.for_each([](int, const interrupting&) {});
    interrupting::inside = [&] {
        map.clear();
        map.store(7, interrupting{7});
    };
    interrupting expected{1};
    EXPECT_FALSE(map.compare_erase(1, expected)) << "the key went with the clear, before it could be erased";
    EXPECT_EQ(map.size(), 1U);
    EXPECT_EQ(map.for_each([](int, const interrupting&) {}), 1U);
}

TEST(snapshot_map, keeps_its_count_through_clears_beside_writers) {
    const watchdog dog("clears beside writers", std::chrono::seconds(300));
    syncmap::snapshot_map<int, int> map;
    together(4, [&](std::size_t thread) {
        random draw(thread + 1);
        for (std::size_t i = 0; i < scaled(40'000); ++i) {
            const int key = static_cast<int>(draw.below(40));
            switch (draw.below(8)) {
            case 0: map.erase(key); break;
            case 1: map.update(key, [](const int*) { return 1; }); break;
            case 2:
                if (draw.below(20) == 0) map.clear();
                break;
            case 3: ASSERT_LE(map.size(), 40U); break;
            case 4: static_cast<void>(map.load(key)); break;
            default: map.store(key, 1);
            }
        }
    });
    std::size_t present = 0;
    for (int key = 0; key < 40; ++key) present += map.contains(key) ? 1U : 0U;
    EXPECT_EQ(map.size(), present);
    EXPECT_EQ(map.for_each([](int, int) {}), present);
}

TEST(snapshot_map, frees_what_a_clear_takes_away_without_another_write) {
    for (const bool promoted : {true, false}) {
        ledger books;
        booked_map<int, std::string> map(booked_map<int, std::string>::allocator_type{books});
        for (int i = 0; i < 20'000; ++i) map.store(i, std::string(40, 'v'));
        if (promoted) map.for_each([](int, const std::string&) {});
        const std::size_t full = books.live_bytes.load();
        map.clear();
        EXPECT_LT(books.live_bytes.load(), full / 10) << (promoted ? "from the snapshot" : "from the dirty map");
    }
}

TEST(snapshot_map, computes_a_key_once_at_a_time_also_across_a_clear) {
    const watchdog dog("a computation beside clear", std::chrono::seconds(60));
    syncmap::snapshot_map<int, int> map;
    // Of the same thread, which can wait for no other.
    const auto recursive = [&] {
        map.clear();
        EXPECT_THROW(static_cast<void>(map.load_or_compute(1, [] { return 3; })), syncmap::recursive_update);
        return 2;
    };
    EXPECT_EQ(map.load_or_compute(1, recursive).value, 2);
    EXPECT_FALSE(map.contains(1)) << "it was computed before the clear";
    // Of threads that clear all the time.
    std::atomic<int> inside{0};
    together(3, [&](std::size_t) {
        for (std::size_t i = 0; i < scaled(2'000); ++i) {
            const auto alone = [&] {
                EXPECT_EQ(inside.fetch_add(1), 0);
                map.clear();
                inside.fetch_sub(1);
                return 1;
            };
            static_cast<void>(map.load_or_compute(1, alone));
        }
    });
}

/// Computes its own key when it ends.
struct renewing {
    static inline syncmap::snapshot_map<int, std::shared_ptr<renewing>>* map = nullptr;
    static inline int renewed = 0;
    ~renewing() {
        if (map == nullptr || renewed != 0) return;
        ++renewed;
        map->update(1, [](const std::shared_ptr<renewing>*) { return std::shared_ptr<renewing>(); });
    }
};

TEST(snapshot_map, lets_destructors_compute_the_key_that_they_leave) {
    syncmap::snapshot_map<int, std::shared_ptr<renewing>> map;
    renewing::map = &map;
    map.store(1, std::make_shared<renewing>());
    // Each update retires what was there: so many that the first is destroyed within one of them.
    const auto replace = [](const std::shared_ptr<renewing>*) { return std::make_shared<renewing>(); };
    for (int i = 0; i < 2'000 && renewing::renewed == 0; ++i) map.update(1, replace);
    EXPECT_EQ(renewing::renewed, 1);
    renewing::map = nullptr;
}

/// What an allocator may throw beside bad_alloc.
struct no_memory_today {};

TEST(snapshot_map, erases_whatever_the_allocator_throws) {
    using allocator = refusing<std::pair<const int, int>, no_memory_today>;
    bool angry = false;
    syncmap::snapshot_map<int, int, syncmap::hash<int>, std::equal_to<>, allocator> map(allocator{angry});
    fill(map, 500);
    angry = true; // so that the snapshot cannot be made anew
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(map.erase(i));
    angry = false;
    EXPECT_EQ(map.size(), 0U);
}

} // namespace test
