// Threads and maps that come and go.
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class M>
class lifetime : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped = typename M::mapped_type;
    const watchdog dog_{"lifetime", std::chrono::seconds(300)};

    static void churn(M& map, std::size_t thread, std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t number = thread * count + i;
            map.store(key_of<key_type>(number), proof<mapped>::of({number, i, thread}));
            ASSERT_TRUE(map.contains(key_of<key_type>(number)));
            if (i % 2 == 0) map.erase(key_of<key_type>(number));
        }
    }
};
TYPED_TEST_SUITE(lifetime, proven_maps, names);

TYPED_TEST(lifetime, of_a_thread_leaves_no_trace_but_its_entries) {
    TypeParam map;
    const std::size_t waves = scaled(60);
    for (std::size_t wave = 0; wave < waves; ++wave) {
        together(crowd, [&](std::size_t thread) { this->churn(map, wave * crowd + thread, 50); });
    }
    EXPECT_EQ(map.size(), waves * crowd * 25);
}

TYPED_TEST(lifetime, of_a_map_ends_while_its_threads_live_on) {
    std::vector<std::unique_ptr<TypeParam>> row(scaled(100));
    for (auto& map : row) map = std::make_unique<TypeParam>();
    std::barrier step(static_cast<std::ptrdiff_t>(4));
    together(4, [&](std::size_t thread) {
        for (auto& map : row) {
            this->churn(*map, thread, 100);
            step.arrive_and_wait();
            if (thread == 0) map.reset(); // the others go on to the next map meanwhile
        }
    });
}

TYPED_TEST(lifetime, of_many_maps_at_once_is_independent) {
    std::vector<TypeParam> row(50);
    together(crowd, [&](std::size_t thread) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            this->churn(row[(i + thread * 7) % row.size()], thread, scaled(60));
        }
    });
    for (TypeParam& map : row) EXPECT_EQ(map.size(), crowd * (scaled(60) / 2));
}

template <class Family>
class lifetime_of_values : public ::testing::Test {};
TYPED_TEST_SUITE(lifetime_of_values, families, names);

TYPED_TEST(lifetime_of_values, ends_exactly_once) {
    static std::atomic<std::int64_t> alive{0};
    struct counted {
        explicit counted(std::uint64_t n) : number(n) { ++alive; }
        counted(const counted& other) : number(other.number) { ++alive; }
        counted(counted&& other) noexcept : number(other.number) { ++alive; }
        ~counted() { --alive; }
        std::uint64_t number;
    };
    alive = 0;
    {
        typename TypeParam::template of<std::uint64_t, counted> map;
        together(crowd, [&](std::size_t thread) {
            random draw(thread + 1);
            for (std::size_t i = 0; i < scaled(20'000); ++i) {
                const std::uint64_t key = draw.below(256);
                switch (draw.below(6)) {
                case 0: map.store(key, counted(key)); break;
                case 1: map.erase(key); break;
                case 2: map.visit(key, [&](const counted& value) { ASSERT_EQ(value.number, key); }); break;
                case 3: ASSERT_EQ(map.load_or_store(key, counted(key)).value.number, key); break;
                case 4:
                    if (const auto value = map.exchange(key, counted(key))) {
                        ASSERT_EQ(value->number, key);
                    }
                    break;
                default:
                    if (draw.below(100) == 0) map.clear();
                }
            }
        });
        EXPECT_GE(alive.load(), static_cast<std::int64_t>(map.size()));
    }
    EXPECT_EQ(alive.load(), 0);
}

} // namespace test
