// Maps that the program and the libraries that it loads share, all symbols hidden; libraries that come and go.
#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>

#include <gtest/gtest.h>

#include "life/common.hpp"
#include "life/libraries.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

/// A library in memory, until it is closed.
class loaded {
public:
    explicit loaded(const char* path) : handle_(::dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
        if (handle_ == nullptr) throw std::runtime_error(::dlerror());
    }
    loaded(const loaded&) = delete;
    loaded& operator=(const loaded&) = delete;
    ~loaded() { ::dlclose(handle_); }

    const library* operator->() const { return static_cast<const library*>(::dlsym(handle_, "syncmap_test_library")); }

    static bool is(const char* path) {
        void* const handle = ::dlopen(path, RTLD_NOW | RTLD_NOLOAD);
        if (handle != nullptr) ::dlclose(handle);
        return handle != nullptr;
    }

private:
    void* handle_;
};

/// As it is built by default; and so that its symbols do not keep it in memory for ever.
constexpr const char* usual = SYNCMAP_TEST_LIBRARY;
constexpr const char* unloadable = SYNCMAP_TEST_UNLOADABLE_LIBRARY;

void use_from_three_images(shared_map& map, const loaded& a, const loaded& b) {
    const std::size_t rounds = scaled(20'000);
    map.erase(3000);
    std::atomic<std::uint64_t> wrong{0};
    together(6, [&](std::size_t thread) {
        for (std::size_t turn = 0; turn < 3; ++turn) { // every thread runs the code of every image
            switch ((thread + turn) % 3) {
            case 0: wrong += work_on(map, thread, rounds); break;
            case 1: wrong += a->work(&map, thread, rounds); break;
            default: wrong += b->work(&map, thread, rounds);
            }
        }
    });
    EXPECT_EQ(wrong.load(), 0U) << "values were destroyed under a reader";
    EXPECT_EQ(map.size(), 16U + 6U + 1U);
    map.visit(3000, [&](const brittle& sum) { EXPECT_EQ(sum.number, 6 * 3 * ((rounds + 63) / 64)) << "updates were lost"; });
}

} // namespace

TEST(libraries, share_a_map_of_the_program) {
    const watchdog dog("a map of the program in two libraries");
    const loaded a(usual);
    const loaded b(unloadable);
    shared_map map;
    map.store(1, brittle(0));
    use_from_three_images(map, a, b);
}

TEST(libraries, share_a_map_of_one_of_them) {
    const watchdog dog("a map of a library in the program and in another library");
    const loaded a(usual);
    const loaded b(unloadable);
    const std::unique_ptr<shared_map, void (*)(shared_map*)> map(a->make(), a->destroy);
    a->work(map.get(), 0, 1);
    use_from_three_images(*map, a, b);
}

TEST(libraries, see_each_others_readers) {
    const watchdog dog("a reader in one library, the writer in another");
    const loaded a(usual);
    const loaded b(unloadable);
    shared_map map;
    map.store(1, brittle(1));
    const auto replace = [](shared_map* m) {
        m->store(1, brittle(2));
        m->flush();
    };
    std::jthread([&] { // its end lets go of the libraries
        EXPECT_TRUE(a->observe(&map, replace));
        EXPECT_TRUE(b->observe(&map, replace));
        EXPECT_TRUE(observe(map, replace));
    })
        .join();
}

TEST(libraries, know_each_others_computations) {
    const watchdog dog("a computation in one library that asks for itself in another");
    const loaded a(usual);
    static const loaded* other = nullptr;
    const loaded b(unloadable);
    other = &b;
    shared_map map;
    map.store(1, brittle(0));
    std::jthread([&] {
        a->compute(&map, [](shared_map* m) { EXPECT_TRUE((*other)->refused(m)); });
        b->compute(&map, [](shared_map* m) { EXPECT_TRUE(is_refused(*m)); });
        compute_with(map, [](shared_map* m) { EXPECT_TRUE((*other)->refused(m)); });
        EXPECT_FALSE(is_refused(map));
    }).join();
}

TEST(libraries, come_and_go_while_their_threads_live) {
    const watchdog dog("libraries that come and go", std::chrono::seconds(600));
    shared_map map;
    map.store(1, brittle(0));
    const std::size_t cycles = long_form() ? 1000 : sanitized ? 20 : 100;
    std::atomic<std::uint64_t> wrong{0};
    std::uint64_t before = 0;
    for (std::size_t cycle = 0; cycle < cycles; ++cycle) {
        std::latch closed(1);
        std::barrier used(3);
        std::vector<std::jthread> threads;
        {
            const loaded library(unloadable);
            for (std::size_t thread = 0; thread < 2; ++thread) {
                threads.emplace_back([&, thread, work = library->work] {
                    wrong += work(&map, thread, 100);
                    used.arrive_and_wait();
                    closed.wait(); // the library is closed now, and this thread has still its hazard record
                    wrong += work_on(map, thread, 100);
                });
            }
            used.arrive_and_wait();
        }
        closed.count_down();
        threads.clear();
        if (cycle == cycles / 10) before = resident_bytes();
    }
    EXPECT_EQ(wrong.load(), 0U);
    { const loaded library(unloadable); } // closing it sees to what still waited for its threads
    EXPECT_FALSE(loaded::is(unloadable)) << "something keeps the library in memory";
    const std::uint64_t growth = resident_bytes() - std::min(before, resident_bytes());
    report("cycles of loading a library", cycles);
    report("bytes that the process grew by meanwhile", growth);
    if (!sanitized) {
        EXPECT_LE(growth, std::uint64_t{1} << 20);
    }
}

} // namespace test
