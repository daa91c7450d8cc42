// A reader that has loaded the root, and looks into the table when its memory is that of a table which `replace` is filling:
// in every combination of the reader's loads and the changes of `replace`.
#include <cstdint>
#include <functional>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/map.hpp>

#include "support/stepping_sync.hpp"

namespace test {
namespace {

template <class T>
using map_of_late_readers =
    syncmap::basic_map<syncmap::engine::table<std::uint64_t, T, syncmap::hash<std::uint64_t>, std::equal_to<>,
                                              std::allocator<std::pair<const std::uint64_t, T>>, stepping_sync>>;

/// A thread that stops before the n-th of its steps of one kind, until it is told to finish.
class late_thread {
public:
    late_thread(step kind, int n, std::function<void()> task)
        : kind_(kind), left_(n), thread_([this, task = std::move(task)] {
              mine = this;
              on_step = [](step what) { mine->at(what); };
              task();
              on_step = nullptr;
              is_done_ = true;
              stopped_.release();
          }) {
        stopped_.acquire();
    }
    late_thread(const late_thread&) = delete;
    late_thread& operator=(const late_thread&) = delete;
    ~late_thread() { finish(); }

    bool is_done() const noexcept { return is_done_; }
    void finish() {
        if (is_done_) return;
        go_.release();
        stopped_.acquire();
    }

private:
    static inline thread_local late_thread* mine = nullptr;

    void at(step what) {
        if (what != kind_ || --left_ != 0) return;
        stopped_.release();
        go_.acquire();
    }

    const step kind_;
    int left_;
    std::binary_semaphore go_{0};
    std::binary_semaphore stopped_{0};
    bool is_done_ = false;
    std::jthread thread_;
};

template <class T>
T numbered_value(std::uint64_t n) {
    if constexpr (std::is_same_v<T, std::string>) {
        return std::to_string(n);
    } else {
        return n;
    }
}

constexpr std::uint64_t first_key = 100;

/// Leaves the table of one bucket for that of eight.
template <class Map>
void leave_first_table(Map& map) {
    const auto value = numbered_value<typename Map::mapped_type>(1);
    for (std::uint64_t key = first_key; key < first_key + 16; ++key) map.store(key, value);
    ASSERT_EQ(map.stats().buckets, 8U);
}
/// Leaves that table as well, and the next: the memory of each is free then.
template <class Map>
void leave_second_table(Map& map) {
    const auto value = numbered_value<typename Map::mapped_type>(1);
    for (std::uint64_t key = first_key; key < first_key + 200; ++key) map.store(key, value);
    ASSERT_GT(map.stats().buckets, 8U);
    map.flush();
    for (int i = 0; i < 200; ++i) map.store(100, value);
    map.flush();
}

template <class T>
void read_beside_replace() {
    const T before = numbered_value<T>(1);
    const T after = numbered_value<T>(77);
    int replaced = 0;
    for (int loads = 1; loads <= 8; ++loads) {
        bool is_replaced = false;
        for (int changes = 1; !is_replaced; ++changes) {
            map_of_late_readers<T> map;
            map_of_late_readers<T> next;
            map.store(1, before);
            next.store(1, after);
            leave_first_table(map);
            std::optional<T> seen;
            late_thread reader(step::load, loads, [&] { seen = map.load(1); });
            leave_second_table(map);
            late_thread replacing(step::change, changes, [&] { map.replace(std::move(next)); });
            reader.finish();
            const bool is_new = seen == after;
            replaced += is_new ? 1 : 0;
            ASSERT_TRUE(!is_new || map.load(1) == after)
                << "a reader saw an entry before it was the map's: stopped before load " << loads << ", change " << changes;
            is_replaced = replacing.is_done();
        }
    }
    EXPECT_GT(replaced, 0);
}

} // namespace

TEST(late_readers, see_no_entry_of_a_table_that_is_not_published) {
    read_beside_replace<std::uint64_t>();
    read_beside_replace<std::string>();
}

} // namespace test
