// Long random sequences of operations, step by step against std::unordered_map: every result and, now and then, the
// whole content. With good hashes, and with bad ones that make keys crowd, share tags, or all collide.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/text.hpp>

#include "support/maps.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/types.hpp"

namespace test {
namespace {

/// Can throw when it is copied or moved, so an engine cannot keep it as it keeps others.
struct brittle {
    explicit brittle(int n = 0) : number(n) {}
    brittle(const brittle& other) : number(other.number) {}
    brittle(brittle&& other) noexcept(false) : number(other.number) {}
    brittle& operator=(const brittle& other) {
        number = other.number;
        return *this;
    }
    ~brittle() = default;
    int number;
    friend bool operator==(const brittle& a, const brittle& b) { return a.number == b.number; }
};

template <class T>
T make(std::uint64_t number) {
    if constexpr (std::is_same_v<T, std::string>) {
        return sample<std::string>(static_cast<int>(number));
    } else {
        return T(static_cast<int>(number));
    }
}

/// A map and what it should be.
template <class Map>
class pair_of_maps {
    using shown_key = typename Map::key_type;
    using shown = typename Map::mapped_type;
    using key_type = syncmap::detail::copied_out_t<shown_key>;
    using mapped = syncmap::detail::copied_out_t<shown>;
    using optional = std::optional<mapped>;
    using model_map = std::unordered_map<key_type, mapped>;

public:
    pair_of_maps(std::uint64_t seed, std::uint64_t keys) : draw_(seed), keys_(keys) {}

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) {
            SCOPED_TRACE("step " + std::to_string(i));
            step();
            if (::testing::Test::HasFatalFailure()) return;
            if (i % 512 == 0) compare();
        }
        compare();
    }

private:
    optional expected_now(const key_type& key) const {
        const auto found = model_.find(key);
        return found != model_.end() ? optional(found->second) : std::nullopt;
    }

    void step() {
        // The lean changes with time, so that the map grows, stays and shrinks in turn.
        if (draw_.below(4096) == 0) leaning_ = draw_.below(3);
        const key_type key = make<key_type>(draw_.below(keys_));
        const mapped value = make<mapped>(draw_.below(1000));
        const optional now = expected_now(key);
        if (draw_.below(3) < leaning_) return insert(key, value, now);
        switch (draw_.below(12)) {
        case 0:
        case 1: ASSERT_EQ(map_.load(key), now); break;
        case 2: ASSERT_EQ(map_.contains(key), now.has_value()); break;
        case 3:
        case 4: ASSERT_EQ(map_.erase(key), model_.erase(key) == 1); break;
        case 5:
            ASSERT_EQ(map_.load_and_erase(key), now);
            model_.erase(key);
            break;
        case 6: {
            mapped expected = draw_.below(2) == 0 && now ? *now : value;
            const bool equal = now && *now == expected;
            ASSERT_EQ(map_.compare_erase(key, expected), equal);
            ASSERT_TRUE(!now || expected == *now);
            if (equal) model_.erase(key);
            break;
        }
        case 7: update(key, value, now); break;
        case 8: erase_some(); break;
        case 9: walk(); break;
        case 10:
            ASSERT_EQ(map_.size(), model_.size());
            ASSERT_EQ(map_.approx_size(), model_.size());
            break;
        default:
            if (draw_.below(2000) == 0) {
                map_.clear();
                model_.clear();
            } else if (draw_.below(2000) == 0) {
                map_.reserve(draw_.below(2 * keys_));
            } else {
                insert(key, value, now);
            }
        }
    }

    void insert(const key_type& key, const mapped& value, const optional& now) {
        switch (draw_.below(7)) {
        case 0:
            ASSERT_EQ(map_.store(key, value), !now);
            model_.insert_or_assign(key, value);
            break;
        case 1:
            ASSERT_EQ(map_.insert(key, value), !now);
            model_.try_emplace(key, value);
            break;
        case 2: {
            const auto result = map_.load_or_store(key, value);
            ASSERT_EQ(result.loaded, now.has_value());
            ASSERT_TRUE(result.value == (now ? *now : value));
            model_.try_emplace(key, value);
            break;
        }
        case 3:
            ASSERT_EQ(map_.exchange(key, value), now);
            model_.insert_or_assign(key, value);
            break;
        case 4: {
            bool computed = false;
            const auto result = map_.load_or_compute(key, [&] {
                computed = true;
                return value;
            });
            ASSERT_EQ(computed, !now);
            ASSERT_EQ(result.loaded, now.has_value());
            ASSERT_TRUE(result.value == (now ? *now : value));
            model_.try_emplace(key, value);
            break;
        }
        case 5: {
            optional expected = draw_.below(2) == 0 ? now : optional(value);
            const bool equal = expected == now;
            ASSERT_EQ(map_.compare_exchange(key, expected, value), equal);
            ASSERT_TRUE(equal || expected == now);
            if (equal) model_.insert_or_assign(key, value);
            break;
        }
        default: {
            mapped expected = draw_.below(2) == 0 && now ? *now : value;
            const bool equal = now && *now == expected;
            ASSERT_EQ(map_.compare_exchange(key, expected, value), equal);
            ASSERT_TRUE(!now || expected == *now);
            if (equal) model_.insert_or_assign(key, value);
        }
        }
    }

    void update(const key_type& key, const mapped& value, const optional& now) {
        using syncmap::update_result;
        const std::uint64_t wish = draw_.below(3);
        const auto result = map_.update(key, [&](const shown* current) -> syncmap::update_action<shown> {
            EXPECT_EQ(current != nullptr ? optional(mapped(*current)) : std::nullopt, now);
            if (wish == 0) return syncmap::keep;
            if (wish == 1) return std::nullopt;
            return value;
        });
        if (wish == 0) {
            ASSERT_EQ(result, update_result::kept);
        }
        if (wish == 1) {
            ASSERT_EQ(result, now ? update_result::erased : update_result::kept);
            model_.erase(key);
        }
        if (wish == 2) {
            ASSERT_EQ(result, now ? update_result::assigned : update_result::inserted);
            model_.insert_or_assign(key, value);
        }
    }

    void erase_some() {
        if (draw_.below(200) != 0) return;
        const mapped doomed = make<mapped>(draw_.below(1000));
        const auto erased = map_.erase_if([&](const shown_key&, const shown& value) { return value == doomed; });
        ASSERT_EQ(erased, std::erase_if(model_, [&](const auto& entry) { return entry.second == doomed; }));
    }

    void walk() {
        if (draw_.below(200) != 0) return;
        const std::size_t limit = 1 + draw_.below(keys_);
        std::size_t calls = 0;
        const auto returned = map_.for_each([&](const shown_key&, const shown&) { return ++calls < limit; });
        ASSERT_EQ(returned, calls);
        ASSERT_EQ(calls, std::min(limit, model_.size()));
    }

    void compare() {
        ASSERT_EQ(map_.size(), model_.size());
        model_map seen;
        map_.for_each([&](const shown_key& key, const shown& value) {
            EXPECT_TRUE(seen.emplace(key_type(key), mapped(value)).second) << "a key came twice";
        });
        ASSERT_TRUE(seen == model_);
        for (const auto& [key, value] : model_) ASSERT_EQ(map_.load(key), optional(value));
    }

    Map map_{};
    model_map model_{};
    random draw_;
    std::uint64_t keys_;
    std::uint64_t leaning_ = 1;
};

} // namespace

template <class Family>
class model : public ::testing::Test {
protected:
    template <class Key, class T, class Hash = syncmap::hash<Key>>
    static void compare(std::size_t steps, std::uint64_t few, std::uint64_t many) {
        for (const std::uint64_t keys : {std::uint64_t{1}, few, many}) {
            SCOPED_TRACE(std::to_string(keys) + " keys");
            pair_of_maps<typename Family::template of<Key, T, Hash>>(keys, keys).run(scaled(steps));
        }
    }
};
TYPED_TEST_SUITE(model, families, names);

TYPED_TEST(model, agrees_for_integers) { this->template compare<int, int>(150'000, 20, 20'000); }
TYPED_TEST(model, agrees_for_long_integers) { this->template compare<std::uint64_t, std::int64_t>(150'000, 20, 20'000); }
TYPED_TEST(model, agrees_for_strings) { this->template compare<std::string, std::string>(80'000, 20, 5'000); }
TYPED_TEST(model, agrees_for_words_and_counts) { this->template compare<std::string, int>(80'000, 20, 5'000); }
TYPED_TEST(model, agrees_for_values_that_may_throw) { this->template compare<int, brittle>(80'000, 20, 5'000); }

TYPED_TEST(model, agrees_when_all_integers_collide) { this->template compare<int, int, constant_hash>(30'000, 10, 200); }
TYPED_TEST(model, agrees_when_all_strings_collide) {
    this->template compare<std::string, std::string, constant_hash>(20'000, 10, 150);
}
TYPED_TEST(model, agrees_when_all_hashes_are_zero) {
    this->template compare<std::uint64_t, std::uint64_t, truncated_hash<0>>(30'000, 10, 200);
}
TYPED_TEST(model, agrees_when_hashes_have_one_bit) { this->template compare<int, int, truncated_hash<1>>(30'000, 10, 300); }
TYPED_TEST(model, agrees_when_hashes_have_four_bits) {
    this->template compare<std::string, std::string, truncated_hash<4>>(30'000, 30, 1'000);
}
TYPED_TEST(model, agrees_when_a_users_hash_has_four_bits) {
    this->template compare<int, brittle, poor_hash<4>>(30'000, 30, 1'000);
}

namespace {

/// A poor hash of what converts to a view.
template <unsigned Bits>
struct truncated_view_hash {
    using is_transparent = void;
    std::uint64_t operator()(std::string_view key, const syncmap::hash_seed& seed) const {
        return truncated_hash<Bits>()(key, seed);
    }
    std::size_t operator()(std::string_view key) const { return static_cast<std::size_t>((*this)(key, {})); }
};

template <class Key, class T, class Hash = syncmap::hash<Key>>
void compare_texts(std::size_t steps) {
    for (const std::uint64_t keys : {std::uint64_t{1}, std::uint64_t{20}, std::uint64_t{2'000}}) {
        SCOPED_TRACE(std::to_string(keys) + " keys");
        pair_of_maps<syncmap::map<Key, T, Hash>>(keys, keys).run(scaled(steps));
    }
}

} // namespace

TEST(model_of_texts, agrees) { compare_texts<syncmap::text, syncmap::text>(80'000); }
TEST(model_of_texts, agrees_with_numbers_as_values) { compare_texts<syncmap::text, int>(80'000); }
TEST(model_of_texts, agrees_with_numbers_as_keys) { compare_texts<int, syncmap::text>(80'000); }
TEST(model_of_texts, agrees_when_hashes_have_four_bits) {
    compare_texts<syncmap::text, syncmap::text, truncated_view_hash<4>>(20'000);
}

} // namespace test
