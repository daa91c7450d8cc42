// Generations: a thread replaces all contents again and again, others never see two of them mixed.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class M>
class generations : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped = typename M::mapped_type;
    const watchdog dog_{"generations", std::chrono::seconds(300)};

    static mapped to_value(std::uint64_t n) {
        if constexpr (std::is_same_v<mapped, std::string>) {
            return std::to_string(n) + " in a text that is not short";
        } else {
            return n;
        }
    }
    static std::uint64_t to_number(const mapped& v) {
        if constexpr (std::is_same_v<mapped, std::string>) {
            return std::stoull(v);
        } else {
            return v;
        }
    }
};
using generation_maps = ::testing::Types<flagship::of<std::uint64_t, std::uint64_t>, flagship::of<std::string, std::uint64_t>,
                                         flagship::of<std::uint64_t, std::string>>;
TYPED_TEST_SUITE(generations, generation_maps, names);

TYPED_TEST(generations, are_seen_whole_and_never_go_back) {
    constexpr std::uint64_t keys = 500;
    // Generation g has the keys below keys + g % 7 * 100, each with the value g; so sizes tell generations apart, too.
    const auto size_of = [](std::uint64_t g) { return keys + g % 7 * 100; };
    TypeParam map;
    std::atomic<std::uint64_t> done{0}; // the newest generation that is surely in
    std::atomic<bool> stop{false};
    const auto next_generation = [&](std::uint64_t g) {
        TypeParam next;
        for (std::uint64_t i = 0; i < size_of(g); ++i) next.store(key_of<typename TypeParam::key_type>(i), this->to_value(g));
        map.replace(std::move(next));
        ASSERT_EQ(next.size(), 0U);
        done = g;
    };
    next_generation(1);
    together(4, [&](std::size_t thread) {
        random draw(thread);
        if (thread == 0) {
            for (std::uint64_t g = 2; g < scaled(500) + 3; ++g) next_generation(g);
            stop = true;
            return;
        }
        std::uint64_t last = 0;
        while (!stop) {
            if (thread == 1) { // one key after the other
                for (int i = 0; i < 100; ++i) {
                    const std::uint64_t at_least = done;
                    const auto seen = map.load(key_of<typename TypeParam::key_type>(draw.below(keys)));
                    ASSERT_TRUE(seen.has_value());
                    ASSERT_GE(this->to_number(*seen), last);
                    last = this->to_number(*seen);
                    ASSERT_GE(last, at_least);
                }
            } else if (thread == 2) { // a walk, which may go on in a newer generation, but not in an older one
                std::uint64_t shown = 0;
                const std::uint64_t at_least = done;
                std::vector<bool> seen(keys);
                map.for_each([&](const auto& k, const auto& v) {
                    ASSERT_GE(this->to_number(v), at_least);
                    if (const std::uint64_t n = number_of(k); n < keys) {
                        ASSERT_FALSE(seen[n]) << "shown twice";
                        seen[n] = true;
                        ++shown;
                    }
                });
                ASSERT_EQ(shown, keys) << "a key was there throughout";
            } else { // a snapshot: one generation
                const auto taken = map.snapshot();
                std::uint64_t g = 0;
                taken.for_each([&](const auto&, const auto& v) {
                    if (g == 0) g = this->to_number(v);
                    ASSERT_EQ(this->to_number(v), g);
                });
                ASSERT_EQ(taken.size(), size_of(g));
                ASSERT_GE(g, last);
                last = g;
                const std::size_t entries = map.size();
                ASSERT_EQ((entries - keys) % 100, 0U);
            }
        }
    });
}

TYPED_TEST(generations, end_what_writers_had_in_hand) {
    // Writers write their generation's mark into keys of their own; after the last replacement only its entries are there.
    TypeParam map;
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> stored{0};
    together(4, [&](std::size_t thread) {
        if (thread == 0) {
            for (std::size_t g = 0; g < scaled(400) + 1; ++g) {
                TypeParam next;
                for (std::uint64_t i = 0; i < 100 + g % 3 * 400; ++i) {
                    next.store(key_of<typename TypeParam::key_type>(i), this->to_value(g));
                }
                map.replace(std::move(next));
            }
            stop = true;
            return;
        }
        random draw(thread);
        for (std::uint64_t n = 0; !stop; ++n) {
            const auto k = key_of<typename TypeParam::key_type>(draw.below(3000));
            switch (n % 4) {
            case 0: map.erase(k); break;
            case 1: map.update(k, [&](const auto*) { return this->to_value(7); }); break;
            default: map.store(k, this->to_value(n)); break;
            }
            ++stored;
        }
    });
    std::size_t entries = map.for_each([](const auto&, const auto&) {});
    EXPECT_EQ(map.size(), entries);
    TypeParam last;
    for (std::uint64_t i = 0; i < 10; ++i) last.store(key_of<typename TypeParam::key_type>(i), this->to_value(i));
    map.replace(std::move(last));
    EXPECT_EQ(map.size(), 10U);
    EXPECT_EQ(map.for_each([](const auto&, const auto&) {}), 10U);
    map.flush();
}

} // namespace test
