// Many threads, all operations, and every value that a thread sees proves where it comes from.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {
namespace {

/// Shares of the operations, in percent; the rest of 100 is `clear`, once in a thousand such draws.
struct mix {
    unsigned reads;
    unsigned writes;
    unsigned erasures;
};

template <class Map>
class hammer {
    using key_type = typename Map::key_type;
    using mapped = typename Map::mapped_type;

public:
    hammer(mix shares, std::uint64_t keys) : shares_(shares), keys_(keys) {}

    void run(Map& map, std::size_t operations) {
        together(crowd, [&](std::size_t thread) {
            random draw(thread + 1);
            for (std::size_t i = 0; i < operations / crowd; ++i) step(map, thread, i, draw);
        });
        verify(map);
        EXPECT_EQ(lies_.load(), 0U) << "values that are not what was written for their key";
        EXPECT_EQ(map.for_each([](const auto&, const auto&) {}), map.size());
        EXPECT_EQ(map.approx_size(), map.size());
    }

private:
    void check(const mapped& value, std::uint64_t number) {
        if (!proof<mapped>::holds(value, number)) ++lies_;
    }
    void check(const std::optional<mapped>& value, std::uint64_t number) {
        if (value) check(*value, number);
    }

    void verify(const Map& map) {
        map.for_each([&](const key_type& key, const mapped& value) { check(value, number_of(key)); });
    }

    void step(Map& map, std::size_t thread, std::size_t generation, random& draw) {
        const std::uint64_t number = draw.below(keys_);
        const key_type key = key_of<key_type>(number);
        const auto fresh = [&] { return proof<mapped>::of({number, generation, thread}); };
        std::uint64_t dice = draw.below(100);
        if (dice < shares_.reads) {
            if (draw.below(4) == 0) {
                map.visit(key, [&](const mapped& value) { check(value, number); });
            } else {
                check(map.load(key), number);
            }
            return;
        }
        dice -= shares_.reads;
        if (dice < shares_.writes) return write(map, key, number, fresh, draw);
        dice -= shares_.writes;
        if (dice < shares_.erasures) return erase(map, key, number, draw);
        if (draw.below(1000) == 0) map.clear();
        if (draw.below(1000) == 0) verify(map);
    }

    template <class Fresh>
    void write(Map& map, const key_type& key, std::uint64_t number, Fresh fresh, random& draw) {
        switch (draw.below(7)) {
        case 0: map.store(key, fresh()); break;
        case 1: map.insert(key, fresh()); break;
        case 2: check(map.load_or_store(key, fresh()).value, number); break;
        case 3: check(map.exchange(key, fresh()), number); break;
        case 4: check(map.load_or_compute(key, fresh).value, number); break;
        case 5:
            map.update(key, [&](const mapped* current) {
                if (current != nullptr) check(*current, number);
                return fresh();
            });
            break;
        default: {
            std::optional<mapped> expected = map.load(key);
            if (!map.compare_exchange(key, expected, fresh())) check(expected, number);
        }
        }
    }

    void erase(Map& map, const key_type& key, std::uint64_t number, random& draw) {
        switch (draw.below(4)) {
        case 0: map.erase(key); break;
        case 1: check(map.load_and_erase(key), number); break;
        case 2:
            map.update(key, [&](const mapped* current) -> std::optional<mapped> {
                if (current != nullptr) check(*current, number);
                return std::nullopt;
            });
            break;
        default:
            if (std::optional<mapped> expected = map.load(key)) {
                if (!map.compare_erase(key, *expected)) check(*expected, number);
            }
        }
    }

    mix shares_;
    std::uint64_t keys_;
    std::atomic<std::size_t> lies_{0};
};

} // namespace

template <class M>
class origin_of_values : public ::testing::Test {
protected:
    const watchdog dog_{"origin_of_values", std::chrono::seconds(300)};
};
TYPED_TEST_SUITE(origin_of_values, proven_maps, names);

TYPED_TEST(origin_of_values, is_right_when_nearly_all_read) {
    TypeParam map;
    hammer<TypeParam>({95, 3, 2}, 1000).run(map, scaled(400'000));
}

TYPED_TEST(origin_of_values, is_right_when_half_write) {
    TypeParam map;
    hammer<TypeParam>({50, 25, 25}, 10'000).run(map, scaled(200'000));
}

TYPED_TEST(origin_of_values, is_right_on_one_hot_key) {
    TypeParam map;
    hammer<TypeParam>({40, 40, 20}, 1).run(map, scaled(100'000));
}

TYPED_TEST(origin_of_values, is_right_on_a_handful_of_keys) {
    TypeParam map;
    hammer<TypeParam>({30, 40, 30}, 6).run(map, scaled(100'000));
}

TYPED_TEST(origin_of_values, is_right_while_the_map_grows) {
    TypeParam map;
    hammer<TypeParam>({10, 90, 0}, 1'000'000).run(map, scaled(150'000));
}

TYPED_TEST(origin_of_values, is_right_while_the_map_shrinks) {
    TypeParam map;
    using key_type = typename TypeParam::key_type;
    using mapped = typename TypeParam::mapped_type;
    const std::uint64_t keys = scaled(50'000);
    for (std::uint64_t i = 0; i < keys; ++i) map.store(key_of<key_type>(i), proof<mapped>::of({i, 0, 0}));
    hammer<TypeParam>({20, 5, 75}, keys).run(map, scaled(250'000));
}

TYPED_TEST(origin_of_values, is_right_while_the_map_is_cleared) {
    TypeParam map;
    hammer<TypeParam>({20, 40, 10}, 2000).run(map, scaled(200'000));
}

} // namespace test
