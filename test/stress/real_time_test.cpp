// A write is visible to all threads when it returns: of two threads that each write a key and then look for the other's, one
// at least finds it. (On x86-64 a finished store may still be in the store buffer of its processor.)
//
// The two do not wait for each other: a round is what both begin at the same tick of the clock, ten microseconds after the
// last. Whether they do it at the same time decides only how much a round can show.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>

#include "support/proof.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/watchdog.hpp"

namespace test {

template <class M>
class real_time : public ::testing::Test {
protected:
    using key_type = typename M::key_type;
    using mapped = typename M::mapped_type;
    enum class kind { insert, overwrite, erase };
    using round = std::uint64_t;

    const watchdog dog_{"real_time", std::chrono::seconds(300)};

    using clock = std::chrono::steady_clock;
    static constexpr round most_rounds = round{1} << 22;
    /// The rounds since then, from 1 on: few enough for a generation of the smallest value.
    static round rounds_since(clock::time_point start) {
        return static_cast<round>((clock::now() - start) / std::chrono::microseconds(10)) + 1;
    }
    static key_type key(std::uint64_t number) { return key_of<key_type>(number); }
    static mapped value(std::uint64_t number, round r) { return proof<mapped>::of({number, r, 0}); }

    struct outcome {
        std::size_t rounds = 0;      ///< in which both took part
        std::size_t both_missed = 0; ///< and neither found what the other had written
    };

    static outcome play(kind how, std::size_t rounds, std::memory_order order) {
        M map;
        const auto start = clock::now();
        std::vector<round> attended[2], missed[2];
        for (std::size_t me = 0; me != 2; ++me) {
            attended[me].reserve(rounds);
            missed[me].reserve(rounds);
            map.store(key(1 + me), value(1 + me, 0));
        }
        together(2, [&](std::size_t me) {
            for (std::size_t i = 0; i != rounds; ++i) {
                const round r = rounds_since(start) + 1;
                if (r >= most_rounds) break; // the system had stopped this thread for long
                const auto number = [&](std::size_t thread) { return how == kind::insert ? 10 + 2 * r + thread : 1 + thread; };
                const key_type mine = key(number(me)), others = key(number(1 - me));
                mapped made = value(number(me), r);
                if (how == kind::erase) map.store(mine, value(number(me), r), std::memory_order_release);
                while (rounds_since(start) < r) {}
                if (how == kind::erase) {
                    map.erase(mine, order);
                } else {
                    map.store(mine, std::move(made), order);
                }
                const auto found = map.load(others);
                const round seen = found ? proof<mapped>::generation(*found) : 0;
                attended[me].push_back(r);
                // A thread that erases has missed the other's erasure if it finds what the other has stored for this round.
                if (how == kind::erase ? seen == r : seen < r) missed[me].push_back(r);
            }
        });
        const auto in_both = [](const std::vector<round>(&each)[2]) {
            std::vector<round> common;
            std::set_intersection(each[0].begin(), each[0].end(), each[1].begin(), each[1].end(), std::back_inserter(common));
            return common.size();
        };
        return {in_both(attended), in_both(missed)};
    }

    static void expect_one_to_see_the_other(kind how) {
        const std::size_t rounds = scaled(20'000);
        const outcome visible = play(how, rounds, std::memory_order_seq_cst);
        EXPECT_EQ(visible.both_missed, 0U) << "of " << visible.rounds;
        const outcome cheaper = play(how, rounds, std::memory_order_release);
        std::printf("real time: both missed in %zu of %zu rounds; with memory_order_release in %zu of %zu\n",
                    visible.both_missed, visible.rounds, cheaper.both_missed, cheaper.rounds);
    }
};
TYPED_TEST_SUITE(real_time, proven_maps, names);

TYPED_TEST(real_time, of_two_that_insert_and_look_one_sees_the_other) {
    this->expect_one_to_see_the_other(TestFixture::kind::insert);
}
TYPED_TEST(real_time, of_two_that_overwrite_and_look_one_sees_the_other) {
    this->expect_one_to_see_the_other(TestFixture::kind::overwrite);
}
TYPED_TEST(real_time, of_two_that_erase_and_look_one_sees_the_other) {
    this->expect_one_to_see_the_other(TestFixture::kind::erase);
}

} // namespace test
