// Threads whose end has begun, and still read maps: in destructors, and in signal handlers that interrupt those.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

#include <pthread.h>

#include <gtest/gtest.h>

#include <syncmap/warm_up.hpp>

#include "life/common.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

texts* read_by_signals = nullptr;
std::atomic<std::uint64_t> reads_in_handlers{0};
std::atomic<std::uint64_t> wrong_in_handlers{0};
std::atomic<std::uint64_t> hazard_records_made_in_handlers{0};

/// The place that a thread keeps.
using kept_hazard_record = syncmap::engine::machine::per_thread<syncmap::reclaim::hazard_record<syncmap::engine::machine>>;
std::atomic<std::uint64_t> shared_hazard_records{0};

/// Places for threads; a read that finds none allocates one.
std::size_t hazard_records() {
    return syncmap::engine::process<syncmap::engine::machine>::instance().threads.hazard_record_count();
}

void read_a_text(int) {
    const std::uint64_t number = reads_in_handlers.fetch_add(1, std::memory_order_relaxed) % 100;
    const std::size_t before = hazard_records();
    if (!read_one(*read_by_signals, number)) wrong_in_handlers += 1;
    hazard_records_made_in_handlers += hazard_records() - before;
}

/// A map that the handler of SIGUSR1 reads.
class signalled_map {
public:
    signalled_map() {
        for (std::uint64_t n = 0; n < 100; ++n) map_.store(keys<texts>()[n], proven<texts>(n, 0));
        read_by_signals = &map_;
        reads_in_handlers = wrong_in_handlers = hazard_records_made_in_handlers = 0;
        struct sigaction action{};
        action.sa_handler = read_a_text;
        action.sa_flags = SA_RESTART;
        ::sigaction(SIGUSR1, &action, &before_);
    }
    signalled_map(const signalled_map&) = delete;
    signalled_map& operator=(const signalled_map&) = delete;
    ~signalled_map() { ::sigaction(SIGUSR1, &before_, nullptr); }
    texts& map() noexcept { return map_; }

private:
    texts map_;
    struct sigaction before_{};
};

/// What runs last in a thread: a destructor of thread-specific data with a later key than the library's.
std::atomic<void (*)()> at_the_very_end{nullptr};
pthread_key_t late_key() {
    static const pthread_key_t key = [] {
        syncmap::warm_up(); // the library's key is made before this one
        pthread_key_t made{};
        EXPECT_EQ(::pthread_key_create(&made, [](void*) { at_the_very_end.load()(); }), 0);
        return made;
    }();
    return key;
}
void run_at_the_very_end(void (*f)()) {
    at_the_very_end = f;
    EXPECT_EQ(::pthread_setspecific(late_key(), &at_the_very_end), 0);
}

} // namespace

TEST(endings, keep_what_a_signal_handler_needs) {
    const watchdog dog("a signal handler in a thread that is ending");
    signalled_map signalled;
    static_cast<void>(late_key());
    std::jthread([] {
        syncmap::warm_up();
        run_at_the_very_end([] {
            // It reads a map here, too; then other threads begin, and take whatever place is free.
            if (!read_one(*read_by_signals, 1)) wrong_in_handlers += 1;
            const auto* const mine = kept_hazard_record::left();
            std::latch taken(4);
            std::latch done(1);
            std::vector<std::jthread> others;
            for (int i = 0; i < 4; ++i) {
                others.emplace_back([&] {
                    syncmap::warm_up();
                    if (kept_hazard_record::get() == mine) shared_hazard_records += 1;
                    taken.arrive_and_wait();
                    done.wait();
                });
            }
            taken.wait();
            ::raise(SIGUSR1);
            done.count_down();
        });
    }).join();
    EXPECT_EQ(reads_in_handlers.load(), 1U);
    EXPECT_EQ(shared_hazard_records.load(), 0U) << "two threads have one place";
    EXPECT_EQ(wrong_in_handlers.load(), 0U);
    EXPECT_EQ(hazard_records_made_in_handlers.load(), 0U);
}

TEST(endings, may_be_interrupted_by_reads_anywhere) {
    const watchdog dog("signals for threads that are ending", std::chrono::seconds(280));
    signalled_map signalled;
    static_cast<void>(late_key());
    const std::size_t lives = scaled(400);
    for (std::size_t i = 0; i < lives; ++i) {
        static std::atomic<bool> ending{false};
        static std::atomic<bool> ended{false};
        ending = ended = false;
        pthread_t thread{};
        ASSERT_EQ(::pthread_create(
                      &thread, nullptr,
                      [](void*) -> void* {
                          syncmap::warm_up();
                          run_at_the_very_end([] {
                              const std::uint64_t so_far = reads_in_handlers.load();
                              for (std::uint64_t n = 0; reads_in_handlers.load() < so_far + 3; ++n) {
                                  if (!read_one(*read_by_signals, n % 100)) wrong_in_handlers += 1;
                              }
                              ended = true;
                          });
                          read_by_signals->store(keys<texts>()[5], proven<texts>(5, 1));
                          ending = true;
                          return nullptr;
                      },
                      nullptr),
                  0);
        while (!ending.load()) std::this_thread::yield();
        while (!ended.load()) {
            ::pthread_kill(thread, SIGUSR1);
            std::this_thread::yield();
        }
        ::pthread_join(thread, nullptr);
    }
    report("signals over ending threads", reads_in_handlers);
    EXPECT_EQ(wrong_in_handlers.load(), 0U);
    EXPECT_EQ(hazard_records_made_in_handlers.load(), 0U);
}

TEST(endings, leave_their_places_to_later_threads) {
    const watchdog dog("threads after threads");
    static texts map;
    static_cast<void>(late_key());
    const std::size_t before = hazard_records();
    for (std::size_t i = 0; i < scaled(2'000); ++i) {
        std::jthread([] {
            map.store(keys<texts>()[1], proven<texts>(1, 1));
            run_at_the_very_end([] { static_cast<void>(map.contains(keys<texts>()[1])); });
        }).join();
    }
    EXPECT_LE(hazard_records(), before + 8) << "places of threads that have ended are not used again";
}

} // namespace test
