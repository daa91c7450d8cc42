// Threads in numbers, and maps used while threads end.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <thread>
#include <vector>

#include <pthread.h>

#include <gtest/gtest.h>

#include "life/common.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

/// Threads with small stacks, as thousands at once want them.
class small_threads {
public:
    explicit small_threads(std::size_t count) : threads_(count) {}
    template <class F>
    void start(std::size_t i, F& f) {
        pthread_attr_t attributes;
        ::pthread_attr_init(&attributes);
        if (!sanitized) ::pthread_attr_setstacksize(&attributes, std::size_t{64} << 10);
        ASSERT_EQ(::pthread_create(
                      &threads_[i], &attributes,
                      [](void* function) -> void* { // NOLINT
                          (*static_cast<F*>(function))();
                          return nullptr;
                      },
                      &f),
                  0);
        ::pthread_attr_destroy(&attributes);
    }
    void join(std::size_t i) { ::pthread_join(threads_[i], nullptr); }
    std::size_t count() const { return threads_.size(); }

private:
    std::vector<pthread_t> threads_;
};

void use(numbers& some, texts& others, std::uint64_t number) {
    const std::uint64_t n = number % 1000;
    some.store(n, proven<numbers>(n, 1));
    others.store(keys<texts>()[n], proven<texts>(n, number));
    EXPECT_TRUE(read_one(some, n) && read_one(others, n));
    some.erase(n);
    others.erase(keys<texts>()[n]);
}

} // namespace

TEST(threads, come_and_go_by_the_hundred_thousand) {
    const watchdog dog("many short threads", std::chrono::seconds(280));
    numbers some;
    texts others;
    std::atomic<std::uint64_t> started{0};
    auto live = [&] { use(some, others, started.fetch_add(1)); };
    const std::size_t lives = sanitized ? 5'000 : 100'000;
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < lives; i += 4) {
        if (i == lives / 10 / 4 * 4) before = resident_bytes();
        small_threads four(4);
        for (std::size_t t = 0; t < 4; ++t) four.start(t, live);
        for (std::size_t t = 0; t < 4; ++t) four.join(t);
    }
    const std::uint64_t growth = resident_bytes() - std::min(before, resident_bytes());
    report("short threads", started);
    report("bytes that the process grew by meanwhile", growth);
    EXPECT_EQ(started.load(), lives);
    EXPECT_EQ(some.size() + others.size(), 0U);
    if (!sanitized) {
        EXPECT_LE(growth, std::uint64_t{1} << 20);
    }
}

TEST(threads, live_by_the_thousand_at_once) {
    const watchdog dog("many threads at once", std::chrono::seconds(280));
    numbers some;
    texts others;
    const std::size_t count = sanitized ? 400 : 4'000;
    std::uint64_t before = 0;
    for (int wave = 0; wave < 4; ++wave) {
        std::atomic<std::uint64_t> started{0};
        std::latch all(static_cast<std::ptrdiff_t>(count));
        auto live = [&] {
            const std::uint64_t number = started.fetch_add(1);
            use(some, others, number);
            all.arrive_and_wait(); // every one has its hazard record now
            use(some, others, number);
        };
        small_threads crowd_of(count);
        for (std::size_t t = 0; t < count; ++t) crowd_of.start(t, live);
        for (std::size_t t = 0; t < count; ++t) crowd_of.join(t);
        EXPECT_EQ(some.size() + others.size(), 0U);
        others.flush();                           // else up to 512 erased nodes wait in each of the threads' thread records
        if (wave == 1) before = resident_bytes(); // the heap has made its arenas by then
    }
    const std::uint64_t growth = resident_bytes() - std::min(before, resident_bytes());
    report("threads alive at once", count);
    report("bytes that the process grew by in two further waves of them", growth);
    if (!sanitized) {
        EXPECT_LE(growth, std::uint64_t{1} << 20);
    }
}

namespace {

/// Uses maps while its thread ends.
struct last_use {
    numbers* some = nullptr;
    texts* others = nullptr;
    std::atomic<int>* uses = nullptr;
    ~last_use() {
        if (some == nullptr) return;
        use(*some, *others, 1);
        others->update("at the end",
                       [](const auto* old) { return proven<texts>(0, old == nullptr ? 1 : old->from.generation + 1); });
        others->for_each([](const auto&, const auto&) {});
        *uses += 1;
    }
};

} // namespace

TEST(threads, may_use_maps_in_destructors_before_and_after_the_librarys_own) {
    const watchdog dog("maps in the destructors of thread-locals");
    numbers some;
    texts others;
    std::atomic<int> uses{0};
    const int rounds = 50;
    for (int i = 0; i < rounds; ++i) {
        std::jthread([&] {
            static thread_local last_use after_the_librarys; // made before: destroyed after
            after_the_librarys.uses = &uses;
            use(some, others, 1);
            static thread_local last_use before_the_librarys;
            before_the_librarys.uses = &uses;
            for (last_use* each : {&after_the_librarys, &before_the_librarys}) {
                each->some = &some;
                each->others = &others;
            }
        }).join();
    }
    EXPECT_EQ(uses.load(), 2 * rounds);
    others.visit("at the end",
                 [&](const auto& value) { EXPECT_EQ(value.from.generation, static_cast<std::uint64_t>(2 * rounds)); });
}

TEST(threads, may_use_maps_in_destructors_of_the_systems_keys) {
    const watchdog dog("maps in the destructors of thread-specific data");
    static numbers some;
    static texts others;
    static std::atomic<int> uses;
    static pthread_key_t key;
    ASSERT_EQ(::pthread_key_create(&key,
                                   [](void* rounds) { // after all thread-locals, and once more
                                       use(some, others, 2);
                                       if (++uses % 2 == 1) ::pthread_setspecific(key, rounds);
                                   }),
              0);
    for (int i = 0; i < 20; ++i) {
        std::jthread([] {
            ::pthread_setspecific(key, &uses);
            use(some, others, 3);
        }).join();
    }
    EXPECT_EQ(uses.load(), 40);
    ::pthread_key_delete(key);
}

} // namespace test
