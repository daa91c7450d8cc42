// Snapshots beside writers: whatever holds at every instant holds in each of them.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

/// Numbers as the values of a map: inline, beside a node, or in one.
template <class T>
struct amount;
template <>
struct amount<std::uint64_t> {
    static std::uint64_t of(std::uint64_t n) { return n; }
    static std::uint64_t in(std::uint64_t v) { return v; }
};
template <>
struct amount<std::string> {
    static std::string of(std::uint64_t n) { return std::to_string(n) + " in a text that is not short"; }
    static std::uint64_t in(const std::string& v) { return std::stoull(v); }
};

template <class M>
class snapshots : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped = typename M::mapped_type;
    using contents = std::map<std::uint64_t, std::uint64_t>;
    const watchdog dog_{"snapshots", std::chrono::seconds(300)};

    static void put(M& map, std::uint64_t number, std::uint64_t n) {
        map.store(key_of<key_type>(number), amount<mapped>::of(n));
    }
    static void add(M& map, std::uint64_t number, std::uint64_t n) {
        map.update(key_of<key_type>(number),
                   [&](const mapped* v) { return amount<mapped>::of((v == nullptr ? 0 : amount<mapped>::in(*v)) + n); });
    }
    template <class S>
    static contents read(const S& taken) {
        contents all;
        taken.for_each([&](const key_type& k, const mapped& v) {
            EXPECT_TRUE(all.emplace(number_of(k), amount<mapped>::in(v)).second) << "a key came twice";
        });
        EXPECT_EQ(all.size(), taken.size());
        return all;
    }
};
using snapshot_maps = ::testing::Types<flagship::of<std::uint64_t, std::uint64_t>, flagship::of<std::string, std::uint64_t>,
                                       flagship::of<std::uint64_t, std::string>>;
TYPED_TEST_SUITE(snapshots, snapshot_maps, names);

TYPED_TEST(snapshots, show_no_transfer_that_lost_more_than_is_on_its_way) {
    // Each writer takes 1 from an account and then gives it to another: at any instant at most one per writer is missing.
    constexpr std::uint64_t accounts = 64, each = 1'000'000, writers = 3;
    TypeParam map;
    for (std::uint64_t i = 0; i < accounts; ++i) this->put(map, i, each);
    std::atomic<bool> stop{false};
    together(writers + 1, [&](std::size_t thread) {
        random draw(thread);
        if (thread < writers) {
            for (std::uint64_t n = accounts; !stop; ++n) {
                this->add(map, draw.below(accounts), ~std::uint64_t{0});
                this->add(map, draw.below(accounts), 1);
                if (n % 64 == 0) this->put(map, (thread + 1) * 1'000'000 + n % 20'000, 0); // and the map grows
            }
            return;
        }
        for (std::size_t i = 0; i < scaled(1000); ++i) {
            const auto taken = map.snapshot();
            const auto first = this->read(taken);
            std::uint64_t sum = 0;
            for (const auto& [number, n] : first) sum += number < accounts ? n : 0;
            ASSERT_LE(sum, accounts * each);
            ASSERT_GE(sum, accounts * each - writers);
            if (i % 16 == 0) {
                ASSERT_EQ(this->read(taken), first) << "the second look differs";
            }
        }
        stop = true;
    });
}

TYPED_TEST(snapshots, show_the_order_of_writes) {
    // A writer counts in its first key, then in its second; one of them is erased and inserted again all the time.
    constexpr std::uint64_t writers = 3;
    TypeParam map;
    std::atomic<bool> stop{false};
    together(writers + 1, [&](std::size_t thread) {
        if (thread < writers) {
            const std::uint64_t a = 1000 * thread + 1, b = 1000 * thread + 2;
            for (std::uint64_t n = 1; !stop; ++n) {
                this->put(map, a, n);
                if (n % 3 == 0) map.erase(key_of<typename TypeParam::key_type>(b));
                this->put(map, b, n);
                if (n % 128 == 0) {
                    for (std::uint64_t i = 0; i < 400; ++i) this->put(map, 100'000 * (thread + 1) + i, n);
                }
                if (n % 128 == 64) {
                    for (std::uint64_t i = 0; i < 400; ++i)
                        map.erase(key_of<typename TypeParam::key_type>(100'000 * (thread + 1) + i));
                }
            }
            return;
        }
        std::map<std::uint64_t, std::uint64_t> last;
        for (std::size_t i = 0; i < scaled(2000); ++i) {
            auto now = this->read(map.snapshot());
            for (std::uint64_t w = 0; w < writers; ++w) {
                const auto a = now.find(1000 * w + 1), b = now.find(1000 * w + 2);
                if (b != now.end()) {
                    ASSERT_NE(a, now.end());
                    ASSERT_TRUE(a->second == b->second || a->second == b->second + 1) << a->second << " and " << b->second;
                }
                if (a != now.end()) {
                    ASSERT_GE(a->second, last[1000 * w + 1]) << "time ran backwards";
                }
            }
            last = std::move(now);
        }
        stop = true;
    });
}

TYPED_TEST(snapshots, have_what_their_thread_has_written_before) {
    TypeParam map;
    std::atomic<std::size_t> running{4};
    together(4, [&](std::size_t thread) {
        for (std::uint64_t i = 1; i < scaled(3000); ++i) {
            this->put(map, thread * 1'000'000 + i % 700, i);
            const auto taken = map.snapshot();
            const auto seen = taken.load(key_of<typename TypeParam::key_type>(thread * 1'000'000 + i % 700));
            ASSERT_TRUE(seen);
            ASSERT_EQ(amount<typename TypeParam::mapped_type>::in(*seen), i);
            ASSERT_GE(taken.size(), 1U);
        }
        --running;
    });
}

TYPED_TEST(snapshots, of_maps_that_are_cleared_show_one_generation) {
    // The writer gives all keys generation g in order, then clears: an instant has a first part of the keys.
    TypeParam map;
    const std::uint64_t keys = 200;
    std::atomic<bool> stop{false};
    together(3, [&](std::size_t thread) {
        if (thread == 0) {
            for (std::uint64_t g = 1; g < scaled(300) + 2; ++g) {
                for (std::uint64_t i = 0; i < keys; ++i) this->put(map, i, g);
                map.clear();
            }
            stop = true;
            return;
        }
        std::uint64_t last = 0;
        while (!stop) {
            const auto taken = map.snapshot();
            for (int look = 0; look < 2; ++look) {
                const auto now = this->read(taken);
                std::uint64_t next = 0;
                for (const auto& [number, g] : now) {
                    ASSERT_EQ(number, next++) << "a key is missing that was written before";
                    ASSERT_EQ(g, now.begin()->second);
                }
                if (!now.empty()) {
                    ASSERT_GE(now.begin()->second, last);
                    last = now.begin()->second;
                }
            }
        }
    });
}

} // namespace test
