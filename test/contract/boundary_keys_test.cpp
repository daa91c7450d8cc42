// Keys and values whose bits an engine may be tempted to use for itself.
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace test {

template <class Family>
class boundary_keys : public ::testing::Test {
protected:
    template <class Integer>
    static std::vector<Integer> numbers() {
        std::vector<Integer> result;
        const auto around = [&](Integer centre) {
            using word = std::make_unsigned_t<Integer>;
            for (word i = 0; i < 8; ++i) {
                result.push_back(static_cast<Integer>(static_cast<word>(centre) + i - 4));
            }
        };
        around(0);
        around(std::numeric_limits<Integer>::max());
        around(std::numeric_limits<Integer>::min());
        for (int bit = 4; bit < std::numeric_limits<Integer>::digits; ++bit) {
            result.push_back(static_cast<Integer>(Integer{1} << bit));
        }
        return result;
    }

    template <class Integer>
    static void every_operation_works() {
        const auto keys = numbers<Integer>();
        typename Family::template of<Integer, Integer> map;
        std::map<Integer, Integer> expected;
        for (const Integer k : keys) {
            for (const Integer v : keys) {
                ASSERT_EQ(map.store(k, v), expected.insert_or_assign(k, v).second);
                ASSERT_EQ(map.load(k), v);
            }
        }
        ASSERT_EQ(map.size(), expected.size());
        std::map<Integer, Integer> seen;
        map.for_each([&](Integer k, Integer v) { EXPECT_TRUE(seen.emplace(k, v).second) << +k; });
        ASSERT_EQ(seen, expected);
        for (const auto& entry : expected) {
            const Integer k = entry.first;
            const Integer v = entry.second; // not a structured binding, which Clang 14 cannot capture
            std::optional<Integer> current = v;
            ASSERT_EQ(map.exchange(k, k), v);
            ASSERT_FALSE(map.insert(k, v));
            ASSERT_EQ(map.load_or_store(k, v).value, k);
            ASSERT_EQ(map.compare_exchange(k, current, v), k == v);
            map.store(k, v);
            map.fetch_add(k, Integer{1});
            ASSERT_EQ(map.load(k), static_cast<Integer>(static_cast<std::make_unsigned_t<Integer>>(v) + 1U));
            ASSERT_TRUE(map.load_and_erase(k));
            ASSERT_FALSE(map.contains(k));
            ASSERT_FALSE(map.erase(k));
            current.reset();
            ASSERT_TRUE(map.compare_exchange(k, current, v));
            map.update(k, [](const Integer*) { return std::nullopt; });
            ASSERT_FALSE(map.load_or_compute(k, [&] { return v; }).loaded);
        }
        ASSERT_EQ(map.size(), expected.size());
        for (int i = 0; i < 3000; ++i) { // and through growth
            map.store(static_cast<Integer>(1000 + i), Integer{1});
            expected[static_cast<Integer>(1000 + i)] = Integer{1};
        }
        for (const auto& [k, v] : expected) ASSERT_EQ(map.load(k), v) << +k;
        ASSERT_EQ(map.erase_if([](Integer, Integer) { return true; }), expected.size());
        ASSERT_TRUE(map.empty());
        for (const Integer k : keys) ASSERT_FALSE(map.contains(k)) << +k;
        for (const Integer k : keys) map.store(k, k);
        map.clear();
        for (const Integer k : keys) ASSERT_FALSE(map.contains(k)) << +k;
    }
};
TYPED_TEST_SUITE(boundary_keys, families, names);

TYPED_TEST(boundary_keys, of_64_bits_are_keys_and_values_like_any_other) {
    this->template every_operation_works<std::uint64_t>();
}
TYPED_TEST(boundary_keys, of_64_bits_with_sign_are_keys_and_values_like_any_other) {
    this->template every_operation_works<std::int64_t>();
}
TYPED_TEST(boundary_keys, of_32_bits_are_keys_and_values_like_any_other) {
    this->template every_operation_works<std::int32_t>();
}
TYPED_TEST(boundary_keys, of_16_bits_are_keys_and_values_like_any_other) {
    this->template every_operation_works<std::uint16_t>();
}

} // namespace test
