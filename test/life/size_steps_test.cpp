// `size` beside an erase that is stopped before each of its stores, in every combination of their steps.
#include <cstdint>
#include <functional>
#include <semaphore>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/map.hpp>

#include "support/stepping_sync.hpp"

namespace test {
namespace {

/// The key's place is its upper bits: keys from `apart` on lie in the other half of a table.
constexpr std::uint64_t apart = std::uint64_t{1} << 63;
struct by_number {
    std::uint64_t operator()(std::uint64_t key, const syncmap::hash_seed&) const noexcept { return key; }
    std::size_t operator()(std::uint64_t key) const noexcept { return key; }
};
using map_of_steps =
    syncmap::basic_map<syncmap::engine::table<std::uint64_t, std::uint64_t, by_number, std::equal_to<>,
                                              std::allocator<std::pair<const std::uint64_t, std::uint64_t>>, stepping_sync>>;

/// A thread that does one thing at a time, and can be stopped on the way.
class worker {
public:
    worker() {
        thread_ = std::jthread([this](const std::stop_token& end) {
            current = this;
            for (go_.acquire(); !end.stop_requested(); go_.acquire()) {
                task_();
                on_step = nullptr;
                done_ = true;
                stopped_.release();
            }
        });
    }
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    ~worker() {
        thread_.request_stop();
        go_.release();
    }

    /// Until it is done, or about to make its n-th store, if n is not 0.
    void run(std::function<void()> task, int stores = 0) {
        done_ = false;
        task_ = [this, task = std::move(task), stores] {
            stores_left_ = stores;
            if (stores != 0) on_step = [](step what) { current->stop_before_store(what); };
            task();
        };
        go_on();
    }
    void finish() {
        if (!done_) go_on();
    }
    bool done() const noexcept { return done_; }

private:
    static inline thread_local worker* current = nullptr;

    void go_on() {
        go_.release();
        stopped_.acquire();
    }
    void stop_before_store(step what) {
        if (what != step::store || --stores_left_ != 0) return;
        stopped_.release();
        go_.acquire();
    }

    std::function<void()> task_;
    std::binary_semaphore go_{0};
    std::binary_semaphore stopped_{0};
    int stores_left_ = 0;
    bool done_ = true;
    std::jthread thread_;
};

/// What the counting thread does before its steps.
struct steps_of_size {
    int count = 0;
    int first = 0;
    int second = 0;
    std::function<void()> at_first;
    std::function<void()> at_second;
};
thread_local steps_of_size* counting = nullptr;

std::size_t stepwise_size(map_of_steps& map, steps_of_size& steps) {
    counting = &steps;
    on_step = [](step) {
        steps_of_size& s = *counting;
        ++s.count;
        auto* const hook = std::exchange(on_step, nullptr); // what is done there are no steps of this thread
        if (s.count == s.first) s.at_first();
        if (s.count == s.second) s.at_second();
        on_step = hook;
    };
    const std::size_t seen = map.size();
    on_step = nullptr;
    return seen;
}

} // namespace

TEST(size_steps, no_size_is_one_that_the_map_never_had) {
    constexpr std::uint64_t entries = 5; // one more than a line has places: the erase brings the fourth home
    worker eraser;
    worker inserter;
    std::uint64_t combinations = 0;
    std::uint64_t absent = 0;
    bool more_stores = true;
    for (int stores = 1; std::exchange(more_stores, false); ++stores) {
        bool between = true; // the entry is gone, and not counted yet
        bool more_first = true;
        for (int first = 1; more_first && between; first += 2) {
            bool more_second = true;
            for (int second = first + 1; more_second && between; ++second) {
                map_of_steps map;
                for (std::uint64_t key = 1; key <= entries; ++key) map.store(key, key);
                for (worker* each :
                     {&eraser, &inserter}) { // takes a thread record, and counts in it: the eraser's is looked at first
                    each->run([&] {
                        map.store(apart, 1);
                        map.erase(apart);
                    });
                }
                bool found = true;
                steps_of_size steps{0, first, second,
                                    [&] {
                                        eraser.run([&] { map.erase(1); }, stores);
                                        more_stores |= !eraser.done();
                                        inserter.run([&] {
                                            found = map.contains(1);
                                            map.store(apart, 1);
                                        });
                                        between = !found && map.approx_size() == entries + 1;
                                    },
                                    [&] { eraser.finish(); }};
                const std::size_t seen = stepwise_size(map, steps);
                eraser.finish();
                ++combinations;
                more_first = steps.count >= first;
                more_second = steps.count >= second;
                if (!more_first) break;
                if (!found) ++absent; // a thread that found the key absent inserted after the erase
                ASSERT_GE(seen, entries - 1);
                ASSERT_LE(seen, found ? entries + 1 : entries)
                    << "stopped before store " << stores << ", steps " << first << ", " << second;
            }
        }
    }
    RecordProperty("combinations", static_cast<int>(combinations));
    EXPECT_GT(absent, 0U);
}

} // namespace test
