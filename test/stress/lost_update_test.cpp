// Nothing that an operation reported is ever lost or handed out twice.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class Family>
class lost_update : public ::testing::Test {
protected:
    const watchdog dog_{"lost_update", std::chrono::seconds(300)};

    using numbers = typename Family::template of<std::uint64_t, std::uint64_t>;
    using words = typename Family::template of<std::string, std::uint64_t>;
    using texts = typename Family::template of<std::uint64_t, std::string>;
};
TYPED_TEST_SUITE(lost_update, families, names);

TYPED_TEST(lost_update, never_happens_to_fetch_add_on_few_keys) {
    typename TestFixture::numbers map;
    const std::size_t each = scaled(50'000);
    together(crowd, [&](std::size_t thread) {
        random draw(thread + 1);
        for (std::size_t i = 0; i < each; ++i) map.fetch_add(draw.below(4), 1);
    });
    std::uint64_t sum = 0;
    map.for_each([&](std::uint64_t, std::uint64_t value) { sum += value; });
    EXPECT_EQ(sum, crowd * each);
}

TYPED_TEST(lost_update, never_happens_to_fetch_add_while_the_map_grows) {
    typename TestFixture::numbers map;
    const std::size_t keys = scaled(40'000);
    together(crowd, [&](std::size_t) {
        for (std::size_t i = 0; i < keys; ++i) map.fetch_add(i, i + 1);
    });
    EXPECT_EQ(map.size(), keys);
    for (std::size_t i = 0; i < keys; ++i) ASSERT_EQ(map.load(i), crowd * (i + 1)) << i;
}

TYPED_TEST(lost_update, never_happens_to_fetch_add_of_words) {
    typename TestFixture::words map;
    const std::size_t each = scaled(40'000);
    together(crowd, [&](std::size_t thread) {
        random draw(thread + 1);
        for (std::size_t i = 0; i < each; ++i) map.fetch_add("word number " + std::to_string(draw.below(200)), 1);
    });
    std::uint64_t sum = 0;
    map.for_each([&](const std::string&, std::uint64_t value) { sum += value; });
    EXPECT_EQ(sum, crowd * each);
}

TYPED_TEST(lost_update, returns_each_number_once_from_fetch_add) {
    typename TestFixture::numbers map;
    const std::size_t each = scaled(10'000);
    std::vector<std::atomic<bool>> taken(crowd * each);
    std::atomic<std::size_t> twice{0};
    together(crowd, [&](std::size_t) {
        for (std::size_t i = 0; i < each; ++i) {
            if (taken.at(map.fetch_add(7, 1)).exchange(true)) ++twice;
        }
    });
    EXPECT_EQ(twice.load(), 0U);
    EXPECT_EQ(map.load(7), crowd * each);
}

TYPED_TEST(lost_update, never_happens_to_update) {
    typename TestFixture::texts map;
    const std::size_t each = scaled(10'000);
    together(crowd, [&](std::size_t thread) {
        random draw(thread + 1);
        for (std::size_t i = 0; i < each; ++i) {
            map.update(draw.below(8), [](const std::string* current) {
                return std::to_string((current != nullptr ? std::stoull(*current) : 0) + 1);
            });
        }
    });
    std::uint64_t sum = 0;
    map.for_each([&](std::uint64_t, const std::string& value) { sum += std::stoull(value); });
    EXPECT_EQ(sum, crowd * each);
}

TYPED_TEST(lost_update, never_happens_to_update_that_erases_every_tenth_time) {
    typename TestFixture::numbers map;
    std::atomic<std::uint64_t> cashed{0};
    const std::size_t each = scaled(20'000);
    together(crowd, [&](std::size_t thread) {
        random draw(thread + 1);
        for (std::size_t i = 0; i < each; ++i) {
            map.update(draw.below(16), [&](const std::uint64_t* current) -> std::optional<std::uint64_t> {
                const std::uint64_t now = (current != nullptr ? *current : 0) + 1;
                if (now < 10) return now;
                cashed += now; // runs exactly once, so it may count
                return std::nullopt;
            });
        }
    });
    std::uint64_t sum = cashed;
    map.for_each([&](std::uint64_t, std::uint64_t value) { sum += value; });
    EXPECT_EQ(sum, crowd * each);
}

TYPED_TEST(lost_update, never_happens_to_a_compare_exchange_loop) {
    typename TestFixture::texts map;
    const std::size_t each = scaled(5'000);
    together(crowd, [&](std::size_t thread) {
        random draw(thread + 1);
        for (std::size_t i = 0; i < each; ++i) {
            const std::uint64_t key = draw.below(4);
            std::optional<std::string> expected;
            while (!map.compare_exchange(key, expected, std::to_string((expected ? std::stoull(*expected) : 0) + 1))) {}
        }
    });
    std::uint64_t sum = 0;
    map.for_each([&](std::uint64_t, const std::string& value) { sum += std::stoull(value); });
    EXPECT_EQ(sum, crowd * each);
}

TYPED_TEST(lost_update, never_happens_to_a_chain_of_exchanges) {
    typename TestFixture::numbers map;
    const std::size_t each = scaled(20'000);
    const std::uint64_t keys = 4;
    std::vector<std::atomic<unsigned>> returned(crowd * each);
    together(crowd, [&](std::size_t thread) {
        random draw(thread + 1);
        for (std::size_t i = 0; i < each; ++i) {
            if (const auto previous = map.exchange(draw.below(keys), thread * each + i)) ++returned.at(*previous);
        }
    });
    map.for_each([&](std::uint64_t, std::uint64_t last) { ++returned.at(last); });
    for (std::size_t i = 0; i < returned.size(); ++i) ASSERT_EQ(returned[i].load(), 1U) << "value " << i;
}

TYPED_TEST(lost_update, never_happens_between_put_and_take) {
    typename TestFixture::texts map; // a value put in by insert is taken out by exactly one erasure
    const std::size_t each = scaled(20'000);
    std::vector<std::atomic<unsigned>> taken(crowd * each);
    std::atomic<std::size_t> put{0};
    together(crowd, [&](std::size_t thread) {
        random draw(thread + 1);
        for (std::size_t i = 0; i < each; ++i) {
            const std::uint64_t key = draw.below(64);
            if (thread % 2 == 0) {
                if (map.insert(key, std::to_string(thread * each + i))) ++put;
            } else if (draw.below(2) == 0) {
                if (const auto value = map.load_and_erase(key)) ++taken.at(std::stoull(*value));
            } else if (auto value = map.load(key)) {
                if (map.compare_erase(key, *value)) ++taken.at(std::stoull(*value));
            }
        }
    });
    map.for_each([&](std::uint64_t, const std::string& value) { ++taken.at(std::stoull(value)); });
    std::size_t sum = 0;
    for (const auto& count : taken) {
        ASSERT_LE(count.load(), 1U) << "a value was taken twice";
        sum += count;
    }
    EXPECT_EQ(sum, put.load());
}

TYPED_TEST(lost_update, never_happens_to_the_count_of_erase_if) {
    typename TestFixture::numbers map;
    std::atomic<std::size_t> inserted{0};
    std::atomic<std::size_t> erased{0};
    const std::size_t each = scaled(10'000);
    together(crowd, [&](std::size_t thread) {
        if (thread < 2) {
            for (int i = 0; i < 30; ++i) {
                erased += map.erase_if([&](std::uint64_t key, std::uint64_t) { return key % 2 == thread; });
            }
        } else {
            for (std::size_t i = 0; i < each; ++i) inserted += map.insert(i, thread) ? 1U : 0U;
        }
    });
    EXPECT_EQ(map.size(), inserted - erased);
    EXPECT_EQ(map.for_each([](std::uint64_t, std::uint64_t) {}), inserted - erased);
}

} // namespace test
