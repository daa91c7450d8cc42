// What was erased or replaced waits for its destruction within bounds: in bytes where they are known, by number where not,
// for each thread over all maps.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <latch>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/scale.hpp"
#include "support/watchdog.hpp"

#include <syncmap/owned_bytes.hpp>

namespace test {

/// The bounds of docs/guarantees.md.
constexpr std::int64_t most_bytes_waiting = 1 << 18;
constexpr int most_unknown_waiting = 16;
constexpr std::int64_t most_nodes_waiting = 256;

/// Bytes that are allocated by it, and the most there were.
struct byte_books {
    static inline std::atomic<std::int64_t> now{0};
    static inline std::atomic<std::int64_t> most{0};

    static void add(std::int64_t bytes) {
        const std::int64_t sum = now.fetch_add(bytes) + bytes;
        std::int64_t seen = most.load();
        while (sum > seen && !most.compare_exchange_weak(seen, sum)) {}
    }
    static void begin() { most = now.load(); }
};
template <class T>
struct byte_counting {
    using value_type = T;
    byte_counting() = default;
    template <class U>
    byte_counting(const byte_counting<U>&) noexcept {}
    T* allocate(std::size_t n) {
        byte_books::add(static_cast<std::int64_t>(n * sizeof(T)));
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) noexcept {
        byte_books::add(-static_cast<std::int64_t>(n * sizeof(T)));
        std::allocator<T>().deallocate(p, n);
    }
    template <class U>
    friend bool operator==(const byte_counting&, const byte_counting<U>&) noexcept {
        return true;
    }
};
using counted_string = std::basic_string<char, std::char_traits<char>, byte_counting<char>>;

/// Counts how many of it are alive, and the most there were.
struct living {
    static inline std::atomic<int> now{0};
    static inline std::atomic<int> most{0};

    living() { up(); }
    living(const living&) { up(); }
    living& operator=(const living&) = default;
    ~living() { --now; }

private:
    static void up() {
        const int sum = ++now;
        int seen = most.load();
        while (sum > seen && !most.compare_exchange_weak(seen, sum)) {}
    }
};

/// The same, of a class that tells what it owns. It may ask for that to be noticed.
struct telling {
    living counted;
    std::size_t bytes = 0;
    static inline std::atomic<void (*)()> is_asked{nullptr};
    friend std::size_t owned_bytes(const telling& t) noexcept {
        if (void (*const notice)() = is_asked) notice();
        return t.bytes;
    }
};

static_assert(syncmap::detail::tells_owned_bytes<telling>);

template <class F>
void by_threads(int n, F f) {
    std::latch all(n);
    std::vector<std::jthread> threads;
    for (int t = 0; t != n; ++t) {
        threads.emplace_back([&, t] {
            all.arrive_and_wait();
            f(t);
        });
    }
}

template <class Family>
class garbage : public ::testing::Test {
protected:
    template <class T>
    using map_of = typename Family::template of<int, T>;

    /// `threads` overwrite four keys of each map in turn.
    template <class T, class Make>
    static void overwrite(std::vector<std::unique_ptr<map_of<T>>>& all_maps, int threads, int rounds, Make make) {
        by_threads(threads, [&](int) {
            for (int i = 0; i != rounds; ++i) {
                for (auto& m : all_maps) m->store(i % 4, make());
            }
        });
    }
    template <class T, class Make>
    static std::vector<std::unique_ptr<map_of<T>>> filled(std::size_t count, Make make) {
        std::vector<std::unique_ptr<map_of<T>>> all;
        for (std::size_t i = 0; i != count; ++i) {
            all.push_back(std::make_unique<map_of<T>>());
            for (int k = 0; k != 4; ++k) all.back()->store(k, make());
        }
        return all;
    }

    static void expect_bytes_bounded(std::size_t count, int threads, std::size_t length, int rounds) {
        const auto make = [length] { return counted_string(length, 'x'); };
        auto all = filled<counted_string>(count, make);
        const std::int64_t live = byte_books::now;
        byte_books::begin();
        overwrite<counted_string>(all, threads, rounds, make);
        // In the hands of a call are its argument, the copy that is not published yet, and the one whose retirement made the
        // account full; and what hazards of the others name.
        const auto each = static_cast<std::int64_t>(2 * length + 64);
        const std::int64_t bound = threads * (most_bytes_waiting + (4 + 2 * threads) * each);
        EXPECT_LE(byte_books::most - live, bound) << count << " maps, " << threads << " threads, " << length << " bytes";
    }
};
using destroying_late = ::testing::Types<flagship, with_snapshot>;
TYPED_TEST_SUITE(garbage, destroying_late, names);

TYPED_TEST(garbage, of_strings_is_bounded_in_bytes) {
    for (const int threads : {1, 3}) {
        this->expect_bytes_bounded(1, threads, 1, static_cast<int>(scaled(2'000)));
        this->expect_bytes_bounded(1, threads, 1 << 10, static_cast<int>(scaled(2'000)));
        this->expect_bytes_bounded(1, threads, 1 << 20, static_cast<int>(scaled(30)));
        this->expect_bytes_bounded(500, threads, 400, static_cast<int>(scaled(8)));
        this->expect_bytes_bounded(500, threads, 1 << 10, static_cast<int>(scaled(8)));
    }
    this->expect_bytes_bounded(20, 2, 1 << 20, 4);
}

TYPED_TEST(garbage, of_unknown_weight_is_bounded_by_number) {
    for (const int threads : {1, 3}) {
        for (const std::size_t count : {std::size_t{1}, std::size_t{500}}) {
            auto all = this->template filled<living>(count, [] { return living(); });
            const int live = living::now;
            living::most = live;
            this->template overwrite<living>(all, threads,
                                             count == 1 ? static_cast<int>(scaled(2'000)) : static_cast<int>(scaled(8)),
                                             [] { return living(); });
            // Beside those that wait: the argument and the copy of each call, and what hazards of the others name.
            EXPECT_LE(living::most - live, threads * (most_unknown_waiting + 2 + 2 * threads))
                << count << " maps, " << threads << " threads";
        }
    }
}

TYPED_TEST(garbage, of_a_type_that_tells_is_bounded_by_what_it_tells) {
    typename TestFixture::template map_of<telling> map;
    const auto most_alive = [&](std::size_t bytes) {
        map.store(1, telling{{}, bytes});
        map.flush();
        living::most = living::now.load();
        for (int i = 0; i != 2'000; ++i) map.store(1, telling{{}, bytes});
        return living::most - 1;
    };
    EXPECT_GT(most_alive(0), most_unknown_waiting + 2) << "known types are not counted";
    EXPECT_LE(most_alive(0), most_nodes_waiting + 2);
    EXPECT_LE(most_alive(most_bytes_waiting / 4), 4 + 2);
    EXPECT_LE(most_alive(most_bytes_waiting), 1 + 2);
    EXPECT_LE(most_alive(syncmap::unknown_bytes), most_unknown_waiting + 2);
}

TYPED_TEST(garbage, of_one_heavy_value_is_destroyed_at_once) {
    typename TestFixture::template map_of<counted_string> map;
    const std::int64_t before = byte_books::now;
    for (int i = 0; i != 5; ++i) map.store(1, counted_string(1 << 24, 'x'));
    EXPECT_LE(byte_books::now - before, (1 << 24) + 64);
}

TYPED_TEST(garbage, of_maps_that_are_not_written_any_more_is_destroyed_by_writes_to_others) {
    auto all = this->template filled<living>(100, [] { return living(); });
    for (auto& m : all) m->flush();
    const int live = living::now;
    for (auto& m : all) m->store(1, living());
    typename TestFixture::template map_of<living> other;
    for (int i = 0; i != most_unknown_waiting; ++i) other.store(1, living());
    EXPECT_LE(living::now - live, 1 + most_unknown_waiting);
}

TYPED_TEST(garbage, leaves_the_maps_that_end_alone) {
    // Threads overwrite in maps of their own and in one that all have, while each of its own maps comes and goes.
    constexpr int threads = 3;
    typename TestFixture::template map_of<living> shared;
    by_threads(threads, [&](int) {
        for (int i = 0; i != static_cast<int>(scaled(400)); ++i) {
            typename TestFixture::template map_of<living> own;
            for (int k = 0; k != 10; ++k) {
                own.store(k % 2, living());
                shared.store(k % 4, living());
            }
        }
    });
}

TYPED_TEST(garbage, of_a_map_that_another_thread_destroys_is_destroyed_once) {
    // One thread's garbage, of maps that another thread destroys while the first one goes on and collects.
    using map_type = typename TestFixture::template map_of<living>;
    const int before = living::now;
    {
        map_type others;
        std::atomic<map_type*> handed{nullptr};
        std::atomic<bool> done{false};
        std::jthread ending([&] {
            for (;;) {
                const bool last = done;
                if (map_type* const m = handed.exchange(nullptr)) {
                    delete m;
                } else if (last) {
                    return;
                }
            }
        });
        for (int i = 0; i != static_cast<int>(scaled(2'000)); ++i) {
            auto* const m = new map_type;
            for (int k = 0; k != 12; ++k) m->store(1, living());
            delete handed.exchange(m);
            for (int k = 0; k != 8; ++k) others.store(1, living());
        }
        done = true;
    }
    EXPECT_EQ(living::now, before);
}

/// Calls a function when it ends.
struct calling {
    std::shared_ptr<std::function<void()>> last_words;
    calling() = default;
    explicit calling(std::function<void()> f) : last_words(std::make_shared<std::function<void()>>(std::move(f))) {}
    calling(const calling& other) = default;
    calling& operator=(const calling&) = default;
    ~calling() {
        if (last_words.use_count() == 1 && *last_words) (*last_words)();
    }
};

TYPED_TEST(garbage, may_destroy_its_own_map) {
    using map_type = typename TestFixture::template map_of<calling>;
    {
        // What earlier tests have left of the thread's account is used up: a collection comes, and not within the next few
        // writes.
        map_type earlier;
        bool collected = false;
        earlier.store(1, calling([&] { collected = true; }));
        while (!collected) earlier.store(1, calling());
    }
    for (int before = 0; before != 12; ++before) {
        auto* map = new map_type;
        int calls = 0;
        const auto counting = [&calls] { return calling([&calls] { ++calls; }); };
        for (int i = 0; i != before; ++i) map->store(1, counting());
        map->store(1, calling([&] { delete std::exchange(map, nullptr); }));
        map->store(1, counting()); // the one that destroys the map has left it
        map->store(2, counting());
        map_type other; // in whose operation it ends
        for (int i = 0; i != 2 * most_unknown_waiting && map != nullptr; ++i) other.store(1, calling());
        EXPECT_EQ(map, nullptr);
        EXPECT_EQ(calls, before + 2) << "each value ended once";
    }
}

TYPED_TEST(garbage, may_use_and_destroy_other_maps) {
    using map_type = typename TestFixture::template map_of<calling>;
    map_type one;
    map_type two;
    int calls = 0;
    const auto counted = [&] { return calling([&] { ++calls; }); };
    for (int round = 0; round != 200; ++round) {
        auto own = std::make_shared<map_type>();
        for (int i = 0; i != 3; ++i) own->store(1, counted());
        auto& in = round % 2 == 0 ? one : two;
        in.store(round % 3, calling([&, own = std::move(own)]() mutable {
                     ++calls;
                     for (int i = 0; i != 20; ++i) two.store(10 + i % 2, counted());
                     for (int i = 0; i != 20; ++i) own->store(i % 2, counted());
                     static_cast<void>(one.contains(1));
                     own.reset();
                 }));
    }
    for (auto* m : {&one, &two, &one, &two}) {
        m->clear();
        m->flush();
    }
    EXPECT_EQ(calls, 200 * (1 + 3 + 20 + 20));
}

// Two threads destroy a value of a map each, and each of these moves the other map: neither move waits for the other thread.
TYPED_TEST(garbage, may_move_maps_whose_garbage_another_thread_destroys) {
    using map_type = typename TestFixture::template map_of<calling>;
    const watchdog dog("two moves in destructors");
    map_type pair[2];
    std::optional<map_type> moved[2];
    std::atomic<int> inside{0};
    by_threads(2, [&](int t) {
        map_type other; // in whose operations the thread collects, so that none on the pair is under way
        const auto collect_until = [&](const bool& done) {
            while (!done) other.store(1, calling());
        };
        bool begins_anew = false;
        other.store(1, calling([&] { begins_anew = true; }));
        collect_until(begins_anew);
        bool has_moved = false;
        pair[t].store(1, calling([&] {
                          ++inside;
                          while (inside != 2) std::this_thread::yield();
                          moved[t].emplace(std::move(pair[1 - t]));
                          has_moved = true;
                      }));
        pair[t].store(1, calling());
        collect_until(has_moved);
    });
    for (int t = 0; t != 2; ++t) EXPECT_TRUE(moved[t]->contains(1) && !pair[t].contains(1));
}

TYPED_TEST(garbage, of_a_destructor_that_writes_much_is_bounded_as_well) {
    using map_type = typename TestFixture::template map_of<calling>;
    map_type map;
    int alive = 0;
    int most = 0;
    const auto counted = [&] {
        most = std::max(most, ++alive);
        return calling([&] { --alive; });
    };
    map.store(1, calling([&] {
                  for (int i = 0; i != 10'000; ++i) map.store(2, counted());
              }));
    for (int i = 0; i != 100; ++i) map.store(1, counted());
    EXPECT_LE(most, 3 * most_unknown_waiting);
    map.clear();
    map.flush();
    EXPECT_EQ(alive, 0);
}

/// An allocator with a number; a copy of it, in a thread that has asked for that, waits until the map has moved, for a while.
template <class T>
struct slowly_copied {
    using value_type = T;
    static constexpr int right = 4711;
    int number = right;

    slowly_copied() = default;
    slowly_copied(const slowly_copied& other) noexcept : number((pause(), other.number)) { check(); }
    template <class U>
    slowly_copied(const slowly_copied<U>& other) noexcept : number((pause(), other.number)) {
        check();
    }
    T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
    void deallocate(T* p, std::size_t n) noexcept { std::allocator<T>().deallocate(p, n); }
    template <class U>
    friend bool operator==(const slowly_copied&, const slowly_copied<U>&) noexcept {
        return true;
    }

private:
    static void pause();
    void check() const;
};
struct slow_copies {
    static inline thread_local bool asked = false;
    static inline std::atomic<bool> begun{false};
    static inline std::atomic<bool> moved{false};
    static inline std::atomic<int> wrong{0};
};
template <class T>
void slowly_copied<T>::pause() {
    if (!std::exchange(slow_copies::asked, false)) return;
    slow_copies::begun = true;
    for (int i = 0; i != 50 && !slow_copies::moved; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
template <class T>
void slowly_copied<T>::check() const {
    if (number != right) ++slow_copies::wrong;
}

// A move waits while a collection copies the allocator out of the map object.
TEST(moved_garbage, is_destroyed_by_the_allocator_of_the_map_that_it_was_retired_in) {
    using map_type =
        syncmap::map<int, living, syncmap::hash<int>, std::equal_to<>, slowly_copied<std::pair<const int, living>>>;
    alignas(map_type) std::byte room[sizeof(map_type)];
    auto* const first = ::new (static_cast<void*>(room)) map_type;
    std::optional<map_type> second;
    std::jthread collects([&] {
        first->store(1, living());
        first->store(1, living());
        slow_copies::asked = true;
        syncmap::map<int, living> other;
        while (slow_copies::asked) other.store(1, living());
    });
    while (!slow_copies::begun) std::this_thread::yield();
    second.emplace(std::move(*first));
    std::destroy_at(first);
    std::memset(room, 0xEE, sizeof room); // there is no allocator there any more
    slow_copies::moved = true;
    collects.join();
    EXPECT_EQ(slow_copies::wrong, 0);
}

// What a value owns is asked with no lock held: a flush of another thread does not wait for the answer.
TEST(owned_bytes, may_wait_for_a_flush) {
    const watchdog dog("a flush while stats asks for owned bytes");
    static std::atomic<int> step{0};
    syncmap::map<int, telling> map;
    map.store(1, telling{{}, 1000});
    map.store(1, telling{{}, 2000});
    telling::is_asked = [] {
        step = 1;
        while (step != 2) std::this_thread::yield();
    };
    std::jthread other([&] {
        while (step != 1) std::this_thread::yield();
        map.flush();
        step = 2;
    });
    EXPECT_GE(map.stats().garbage_bytes.value_or(0), 1000U);
    other.join();
    telling::is_asked = nullptr;
    map.flush();
    EXPECT_EQ(map.stats().garbage_bytes, 0U);
}

TEST(owned_bytes, of_the_types_of_the_library) {
    using syncmap::unknown_bytes;
    using syncmap::detail::owned_bytes_of;
    EXPECT_EQ(owned_bytes_of(1), 0U);
    EXPECT_EQ(owned_bytes_of(std::string("short")), 0U);
    EXPECT_GE(owned_bytes_of(std::string(1000, 'x')), 1000U);
    EXPECT_EQ(owned_bytes_of(std::vector<int>{}), 0U);
    EXPECT_EQ(owned_bytes_of(std::vector<int>(10)), 40U);
    EXPECT_GE(owned_bytes_of(std::vector<std::string>(10, std::string(100, 'x'))), 10 * (100 + sizeof(std::string)));
    EXPECT_GE(owned_bytes_of(std::vector<std::string>(1000, std::string(100, 'x'))), 1000 * 100U);
    EXPECT_EQ(owned_bytes_of(std::vector<bool>(64)), 8U);
    EXPECT_EQ(owned_bytes_of(std::vector<living>(3)), unknown_bytes);
    EXPECT_GE(owned_bytes_of(std::pair<int, std::string>(1, std::string(100, 'x'))), 100U);
    EXPECT_EQ(owned_bytes_of(std::pair<int, living>()), unknown_bytes);
    EXPECT_GE(owned_bytes_of(std::tuple<std::string, std::string, int>(std::string(100, 'x'), std::string(100, 'y'), 1)), 200U);
    EXPECT_EQ(owned_bytes_of(std::tuple<>()), 0U);
    EXPECT_EQ(owned_bytes_of(std::optional<living>()), 0U);
    EXPECT_EQ(owned_bytes_of(std::optional<living>(std::in_place)), unknown_bytes);
    EXPECT_GE(owned_bytes_of(std::array<std::string, 2>{std::string(100, 'x'), std::string(100, 'y')}), 200U);
    EXPECT_EQ(owned_bytes_of(std::unique_ptr<int>()), 0U);
    EXPECT_EQ(owned_bytes_of(std::make_unique<int>(1)), sizeof(int));
    EXPECT_GE(owned_bytes_of(std::make_unique<std::string>(100, 'x')), 100 + sizeof(std::string));
    EXPECT_EQ(owned_bytes_of(std::make_unique<living>()), unknown_bytes);
    EXPECT_EQ(owned_bytes_of(std::unique_ptr<int[]>(new int[3])), unknown_bytes);
    EXPECT_EQ(owned_bytes_of(std::make_shared<int>(1)), unknown_bytes);
    EXPECT_EQ(owned_bytes_of(telling{{}, 123}), 123U);
    EXPECT_EQ(owned_bytes_of(std::vector<telling>(2, telling{{}, 50})), 2 * sizeof(telling) + 100);
}

} // namespace test
