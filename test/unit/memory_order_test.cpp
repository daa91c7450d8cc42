// Every write of every map takes a memory order, which changes nothing of what it does.
#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include <syncmap/any.hpp>
#include <syncmap/any_map.hpp>
#include <syncmap/concepts.hpp>
#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot_map.hpp>

namespace test::memory_order {

template <class M>
class memory_orders : public testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped_type = typename M::mapped_type;

    static key_type key(int number) {
        if constexpr (std::is_constructible_v<key_type, int>) {
            return key_type(number);
        } else {
            return std::to_string(number);
        }
    }
    static mapped_type value(int number) {
        if constexpr (std::is_constructible_v<mapped_type, int>) {
            return mapped_type(number);
        } else {
            return std::to_string(number);
        }
    }
};
using every_map = testing::Types<syncmap::map<int, int>, syncmap::map<std::string, int>, syncmap::map<std::string, std::string>,
                                 syncmap::mutex_map<int, int>, syncmap::shared_mutex_map<int, int>,
                                 syncmap::snapshot_map<int, int>, syncmap::any_map>;
TYPED_TEST_SUITE(memory_orders, every_map);

constexpr std::memory_order all_orders[] = {std::memory_order_relaxed, std::memory_order_acquire, std::memory_order_release,
                                            std::memory_order_acq_rel, std::memory_order_seq_cst};

TYPED_TEST(memory_orders, are_taken_by_every_write_and_change_no_result) {
    using T = typename TypeParam::mapped_type;
    for (const std::memory_order order : all_orders) {
        TypeParam map;
        const auto one = this->key(1), two = this->key(2);
        EXPECT_TRUE(map.store(one, this->value(1), order));
        EXPECT_FALSE(map.insert(one, this->value(2), order));
        EXPECT_TRUE(map.load_or_store(one, this->value(3), order).loaded);
        EXPECT_EQ(map.exchange(one, this->value(4), order), this->value(1));
        T expected = this->value(4);
        EXPECT_TRUE(map.compare_exchange(one, expected, this->value(5), order));
        std::optional<T> none;
        EXPECT_FALSE(map.compare_exchange(one, none, this->value(6), order));
        EXPECT_FALSE(map.load_or_compute(two, [&] { return this->value(7); }, order).loaded);
        EXPECT_EQ(map.update(two, [&](const T*) { return this->value(8); }, order), syncmap::update_result::assigned);
        EXPECT_EQ(map.load(two), this->value(8));
        expected = this->value(8);
        EXPECT_TRUE(map.compare_erase(two, expected, order));
        EXPECT_FALSE(map.erase(two, order));
        EXPECT_EQ(map.load_and_erase(one, order), this->value(5));
        EXPECT_EQ(map.size(), 0U);
    }
}

TYPED_TEST(memory_orders, are_taken_by_batches_and_walks) {
    using K = typename TypeParam::key_type;
    using T = typename TypeParam::mapped_type;
    for (const std::memory_order order : all_orders) {
        TypeParam map;
        const std::array<K, 2> keys{this->key(1), this->key(2)};
        const std::array<T, 2> values{this->value(1), this->value(2)};
        std::size_t told = 0;
        const auto count = [&](std::size_t, bool) { ++told; };
        EXPECT_EQ(map.store_many(keys, values, order), 2U);
        EXPECT_EQ(map.store_many(keys, values, count, order), 0U);
        EXPECT_EQ(map.erase_many(keys, order), 2U);
        EXPECT_EQ(map.erase_many(keys, count, order), 0U);
        EXPECT_EQ(told, 4U);
        map.store(keys[0], values[0], order);
        EXPECT_EQ(map.erase_if([](const K&, const T&) { return true; }, order), 1U);
        EXPECT_EQ(map.size(), 0U);
    }
}

TYPED_TEST(memory_orders, are_taken_by_updates_of_several_keys_and_by_sums) {
    using K = typename TypeParam::key_type;
    using T = typename TypeParam::mapped_type;
    for (const std::memory_order order : all_orders) {
        TypeParam map;
        if constexpr (syncmap::multi_key_map<TypeParam>) {
            const std::array<K, 2> keys{this->key(1), this->key(2)};
            const auto assign = [&](std::span<syncmap::update_slot<T>> slots) {
                for (auto& each : slots) each.assign(this->value(9));
            };
            EXPECT_TRUE(map.update(keys, assign, order));
            EXPECT_TRUE(map.update({keys[0], keys[1]}, assign, order));
            EXPECT_EQ(map.load(keys[1]), this->value(9));
        }
        if constexpr (std::is_integral_v<T>) {
            EXPECT_EQ(map.fetch_add(this->key(3), 2, order), 0);
            EXPECT_EQ(map.fetch_add(this->key(3), 2, order), 2);
        }
    }
}

} // namespace test::memory_order
