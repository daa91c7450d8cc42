// Walks that erase, by several threads at once, beside writers.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class M>
class erasing_walks : public ::testing::Test {
protected:
    const watchdog dog_{"erasing walks", std::chrono::seconds(300)};
    static typename M::key_type key(std::uint64_t i) { return key_of<typename M::key_type>(i); }
};
using erased_maps = ::testing::Types<flagship::of<std::uint64_t, std::uint64_t>, flagship::of<std::string, std::string>>;
TYPED_TEST_SUITE(erasing_walks, erased_maps, names);

TYPED_TEST(erasing_walks, of_several_threads_erase_every_entry_once) {
    const std::uint64_t entries = scaled(20'000);
    TypeParam map;
    for (int round = 0; round < 3; ++round) {
        for (std::uint64_t i = 0; i < entries; ++i) map.store(this->key(i), sample<typename TypeParam::mapped_type>(1));
        std::vector<std::atomic<unsigned>> erased(entries);
        together(4, [&](std::size_t thread) {
            if (thread % 2 == 0) {
                map.for_each([&](const auto& k, const auto&) {
                    if (map.erase(k)) ++erased[number_of(k)];
                });
            } else {
                map.erase_if([&](const auto& k, const auto&) { // true: others may have erased it before this does
                    static_cast<void>(map.for_each_from(syncmap::walk_position(), [](const auto&, const auto&) {}));
                    if (map.erase(k)) ++erased[number_of(k)];
                    return true;
                });
            }
        });
        ASSERT_TRUE(map.empty());
        for (std::uint64_t i = 0; i < entries; ++i) ASSERT_EQ(erased[i], 1U) << i;
    }
}

TYPED_TEST(erasing_walks, call_the_predicate_once_for_each_entry) {
    // Others overwrite the stable entries, and insert and erase around them, so that buckets are copied again and again.
    const std::uint64_t stable = 500;
    const std::uint64_t limit = stable + 4000;
    TypeParam map;
    for (std::uint64_t i = 0; i < stable; ++i) map.store(this->key(i), sample<typename TypeParam::mapped_type>(0));
    std::atomic<bool> stop{false};
    together(4, [&](std::size_t thread) {
        if (thread > 1) {
            for (int n = 0; !stop; ++n) {
                for (std::uint64_t i = stable + thread % 2 * 2000; i < stable + thread % 2 * 2000 + 2000; ++i) {
                    map.store(this->key(i), sample<typename TypeParam::mapped_type>(n % 10));
                    map.store(this->key(i % stable), sample<typename TypeParam::mapped_type>(n % 10));
                }
                for (std::uint64_t i = stable + thread % 2 * 2000; i < stable + thread % 2 * 2000 + 2000; ++i)
                    map.erase(this->key(i));
            }
            return;
        }
        for (std::size_t round = 0; round < scaled(40); ++round) {
            std::vector<unsigned> calls(limit);
            map.erase_if([&](const auto& k, const auto&) {
                ++calls[number_of(k)];
                return number_of(k) >= stable && number_of(k) % 3 == 0;
            });
            for (std::uint64_t i = 0; i < stable; ++i) ASSERT_EQ(calls[i], 1U) << i;
            for (std::uint64_t i = stable; i < limit; ++i) ASSERT_LE(calls[i], 1U) << i;
        }
        stop = true;
    });
    for (std::uint64_t i = 0; i < stable; ++i) ASSERT_TRUE(map.contains(this->key(i)));
}

} // namespace test
