// Walks by several threads, and the parts of a walk that users hand to threads of their own.
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/scale.hpp"
#include "support/types.hpp"

namespace test {

template <class M>
class for_each_parallel : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    static std::map<key_type, int> fill(M& map, int from, int to) {
        std::map<key_type, int> once;
        for (int i = from; i < to; ++i) {
            map.store(key<M>(i), value<M>(i));
            once.emplace(key<M>(i), 1);
        }
        return once;
    }
    /// How often each key is shown.
    template <class Source>
    static std::map<key_type, int> seen_by(std::size_t threads, const Source& source) {
        std::mutex lock;
        std::map<key_type, int> times;
        std::size_t calls = 0;
        EXPECT_EQ(source.for_each_parallel(threads,
                                           [&](const auto& k, const auto&) {
                                               const std::lock_guard guard(lock);
                                               ++times[k];
                                               ++calls;
                                           }),
                  calls);
        return times;
    }
};
using walked = ::testing::Types<flagship::of<std::uint64_t, int>, flagship::of<std::string, std::string>>;
TYPED_TEST_SUITE(for_each_parallel, walked, names);

TYPED_TEST(for_each_parallel, shows_every_entry_once) {
    TypeParam map;
    EXPECT_EQ(map.for_each_parallel(3, [](const auto&, const auto&) { FAIL(); }), 0U);
    for (const int entries : {1, 10, 3000}) {
        const auto once = this->fill(map, 0, entries);
        for (const std::size_t threads : {1U, 2U, 5U, 64U}) ASSERT_EQ(this->seen_by(threads, map), once) << threads;
        const auto taken = map.snapshot();
        for (int i = 0; i < entries; i += 2) map.erase(key<TypeParam>(i));
        ASSERT_EQ(this->seen_by(4, taken), once);
    }
}

TYPED_TEST(for_each_parallel, of_no_threads_is_refused) {
    const TypeParam map;
    EXPECT_THROW(map.for_each_parallel(0, [](const auto&, const auto&) {}), std::invalid_argument);
}

TYPED_TEST(for_each_parallel, stops_when_the_callback_says_so) {
    TypeParam map;
    this->fill(map, 0, 3000);
    std::atomic<std::size_t> calls{0};
    EXPECT_EQ(map.for_each_parallel(1, [&](const auto&, const auto&) { return ++calls < 5; }), 5U);
    EXPECT_LT(map.for_each_parallel(4, [](const auto&, const auto&) { return false; }), 5U);
}

TYPED_TEST(for_each_parallel, lets_the_first_exception_out_after_all_threads_ended) {
    TypeParam map;
    this->fill(map, 0, 3000);
    std::atomic<int> inside{0};
    std::atomic<int> calls{0};
    const auto throws = [&](const auto&, const auto&) {
        ++inside;
        const bool now = ++calls % 50 == 0;
        --inside;
        if (now) throw thrown_on_purpose();
    };
    EXPECT_THROW(map.for_each_parallel(4, throws), thrown_on_purpose);
    EXPECT_EQ(inside, 0);
    EXPECT_LT(calls, 3000);
    EXPECT_EQ(this->seen_by(2, map).size(), 3000U);
}

TYPED_TEST(for_each_parallel, parts_have_every_key_in_exactly_one_of_them) {
    TypeParam map;
    const auto once = this->fill(map, 0, 1000);
    const auto taken = map.snapshot();
    for (const std::size_t n : {1U, 2U, 3U, 7U, 1000U}) {
        std::map<typename TypeParam::key_type, int> times, in_snapshot;
        for (std::size_t i = 0; i < n; ++i) {
            for (auto rest = syncmap::walk_range::part(i, n); !rest.at_end();) {
                rest = map.for_each_from(rest, [&](const auto& k, const auto&) { ++times[k]; });
            }
            for (auto rest = syncmap::walk_range::part(i, n); !rest.at_end();) {
                rest = taken.for_each_from(rest, [&](const auto& k, const auto&) { ++in_snapshot[k]; });
            }
        }
        ASSERT_EQ(times, once) << n;
        ASSERT_EQ(in_snapshot, once) << n;
    }
}

TYPED_TEST(for_each_parallel, shows_what_stays_once_while_the_table_grows_and_shrinks) {
    TypeParam map;
    const int stable = 500;
    this->fill(map, 0, stable);
    std::atomic<bool> stop{false};
    std::jthread churn([&] {
        while (!stop) {
            for (int i = stable; i < 20'000 && !stop; ++i) map.store(key<TypeParam>(i), value<TypeParam>(i));
            for (int i = stable; i < 20'000 && !stop; ++i) map.erase(key<TypeParam>(i));
        }
    });
    for (std::size_t round = 0; round < scaled(60); ++round) {
        const auto times = this->seen_by(3, map);
        int found = 0;
        for (int i = 0; i < stable; ++i) {
            const auto at = times.find(key<TypeParam>(i));
            ASSERT_NE(at, times.end()) << i;
            ++found;
        }
        ASSERT_EQ(found, stable);
        for (const auto& [k, n] : times) ASSERT_EQ(n, 1);
    }
    stop = true;
}

TEST(for_each_parallel_of_integers, shows_the_keys_that_look_like_marks) {
    syncmap::map<std::uint64_t, int> map;
    const std::uint64_t top = ~std::uint64_t{0};
    for (const std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, top, top - 1}) map.store(k, 1);
    std::atomic<int> sum{0};
    EXPECT_EQ(map.for_each_parallel(3, [&](std::uint64_t, int v) { sum += v; }), 4U);
    EXPECT_EQ(map.snapshot().for_each_parallel(3, [&](std::uint64_t, int v) { sum += v; }), 4U);
    EXPECT_EQ(sum, 8);
}

} // namespace test
