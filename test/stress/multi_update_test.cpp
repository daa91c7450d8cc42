// Transfers between accounts in one step, beside everything else: a snapshot never shows another sum, `size` never
// another number. And entries that are kept by other threads than found them.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/maps.hpp"
#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

/// A number as a value.
template <class T>
struct balance {
    static T of(std::uint64_t n) { return n; }
    static std::uint64_t in(const T& v) { return v; }
};
template <>
struct balance<std::string> {
    static std::string of(std::uint64_t n) { return std::to_string(n) + " in a text that is not short"; }
    static std::uint64_t in(const std::string& v) { return std::stoull(v); }
};

template <class M>
class transfers : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped = typename M::mapped_type;
    static constexpr std::uint64_t accounts = 32, each = 1000;
    const watchdog dog_{"transfers", std::chrono::seconds(300)};

    static std::uint64_t in(const syncmap::update_slot<mapped>& slot) {
        return slot.current() == nullptr ? 0 : balance<mapped>::in(*slot.current());
    }
    static void put(syncmap::update_slot<mapped>& slot, std::uint64_t n) {
        n == 0 ? slot.erase() : slot.assign(balance<mapped>::of(n));
    }
    template <class S>
    static std::uint64_t sum_of(const S& shown) {
        std::uint64_t sum = 0;
        shown.for_each(
            [&](const key_type& k, const mapped& v) { sum += number_of(k) < accounts ? balance<mapped>::in(v) : 0; });
        return sum;
    }
};
using transfer_maps = ::testing::Types<flagship::of<std::uint64_t, std::uint64_t>, flagship::of<std::string, std::uint64_t>,
                                       flagship::of<std::string, std::string>, behind_mutex::of<std::string, std::string>>;
TYPED_TEST_SUITE(transfers, transfer_maps, names);

TYPED_TEST(transfers, keep_the_sum_in_every_snapshot) {
    TypeParam map;
    for (std::uint64_t i = 0; i < this->accounts; ++i)
        map.store(key_of<typename TypeParam::key_type>(i), balance<typename TypeParam::mapped_type>::of(this->each));
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> made{0};
    together(crowd, [&](std::size_t thread) {
        random draw(thread);
        if (thread < crowd - 2) {
            for (std::uint64_t n = 0; !stop; ++n) {
                // Two or three accounts, in any order; one that has nothing is erased.
                std::vector<typename TypeParam::key_type> keys;
                std::vector<std::uint64_t> drawn;
                while (drawn.size() < 2 + n % 2) {
                    const std::uint64_t k = draw.below(this->accounts);
                    if (std::find(drawn.begin(), drawn.end(), k) != drawn.end()) continue;
                    drawn.push_back(k);
                    keys.push_back(key_of<typename TypeParam::key_type>(k));
                }
                map.update(keys, [&](auto slots) {
                    std::uint64_t pot = 0;
                    for (auto& s : slots) pot += this->in(s);
                    if (n % 8 == 0) std::this_thread::yield(); // others want these keys meanwhile
                    const std::uint64_t first = n % 7 == 0 ? 0 : draw.below(pot + 1);
                    this->put(slots[0], first);
                    this->put(slots[1], pot - first);
                    if (slots.size() == 3) slots[2].erase();
                });
                ++made;
                const std::uint64_t other = (thread + 1) * 1'000'000 + n % 5'000; // and the map grows and shrinks
                if (n % 16 == 0)
                    map.store(key_of<typename TypeParam::key_type>(other), balance<typename TypeParam::mapped_type>::of(1));
                if (n % 16 == 8) map.erase(key_of<typename TypeParam::key_type>(other - 8));
            }
            return;
        }
        for (std::size_t i = 0; i < scaled(1'000) || made < scaled(100'000); ++i) {
            if constexpr (requires { map.snapshot(); }) {
                ASSERT_EQ(this->sum_of(map.snapshot()), this->accounts * this->each);
            } else {
                ASSERT_EQ(this->sum_of(map), this->accounts * this->each);
            }
        }
        stop = true;
    });
    EXPECT_EQ(this->sum_of(map), this->accounts * this->each);
}

TYPED_TEST(transfers, keep_the_number_in_every_size) {
    // Tokens that move between places: as many as ever, at every instant.
    TypeParam map;
    const std::uint64_t tokens = this->accounts / 2;
    for (std::uint64_t i = 0; i < tokens; ++i)
        map.store(key_of<typename TypeParam::key_type>(i), balance<typename TypeParam::mapped_type>::of(i + 1));
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> made{0};
    together(4, [&](std::size_t thread) {
        random draw(thread);
        if (thread < 3) {
            for (std::uint64_t n = 0; !stop;) {
                const std::uint64_t a = draw.below(this->accounts), b = draw.below(this->accounts);
                if (a == b) continue;
                map.update({key_of<typename TypeParam::key_type>(a), key_of<typename TypeParam::key_type>(b)}, [&](auto slots) {
                    const std::uint64_t first = this->in(slots[0]), second = this->in(slots[1]);
                    if (n++ % 8 == 0) std::this_thread::yield();
                    this->put(slots[0], second);
                    this->put(slots[1], first);
                });
                ++made;
            }
            return;
        }
        for (std::size_t i = 0; i < scaled(20'000) || made < scaled(100'000); ++i) ASSERT_EQ(map.size(), tokens);
        stop = true;
    });
    std::uint64_t sum = 0;
    map.for_each([&](const auto&, const auto& v) { sum += balance<typename TypeParam::mapped_type>::in(v); });
    EXPECT_EQ(sum, tokens * (tokens + 1) / 2);
}

template <class M>
class pins : public ::testing::Test {
protected:
    const watchdog dog_{"pins", std::chrono::seconds(300)};
};
using pin_stress_maps = ::testing::Types<flagship::of<std::uint64_t, std::uint64_t>, flagship::of<std::string, std::uint64_t>,
                                         flagship::of<std::string, std::string>>;
TYPED_TEST_SUITE(pins, pin_stress_maps, names);

TYPED_TEST(pins, hold_across_threads_while_their_keys_come_and_go) {
    using key_type = typename TypeParam::key_type;
    using values = proof<typename TypeParam::mapped_type>;
    constexpr std::uint64_t keys = 200;
    TypeParam map;
    using handle = decltype(map.pin(std::declval<const key_type&>()));
    std::mutex mutex;
    std::deque<handle> held;
    std::atomic<std::size_t> running{4};
    together(6, [&](std::size_t thread) {
        random draw(thread);
        if (thread < 4) {
            for (std::uint64_t n = 0; n < scaled(40'000); ++n) {
                const std::uint64_t k = draw.below(keys);
                if (n % 4 == 0) {
                    if (handle found = map.pin(key_of<key_type>(k))) {
                        const std::lock_guard guard(mutex);
                        held.push_back(std::move(found));
                    }
                } else if (n % 4 == 1) {
                    map.erase(key_of<key_type>(k));
                } else {
                    map.store(key_of<key_type>(k), values::of({k, n & 0xFFFFFFU, thread}));
                }
                if (n % 20'000 == 19'999) map.clear();
                if (n % 1'000 == 0) map.flush();
            }
            --running;
            return;
        }
        for (bool last = false;; last = running == 0) {
            handle mine;
            {
                const std::lock_guard guard(mutex);
                if (held.size() > (last ? 0U : 500U)) { // some stay for long
                    mine = std::move(held.front());
                    held.pop_front();
                }
            }
            if (mine) {
                ASSERT_TRUE(values::holds(mine.value(), number_of(mine.key()))) << "a kept entry is another one's";
            } else if (last) {
                break;
            }
        }
    });
}

} // namespace test
