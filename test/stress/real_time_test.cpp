// A write is visible to all threads when it returns: of two threads that each write a key and then look for the other's, one
// at least finds it. (On x86-64 a finished store may still be in the store buffer of its processor.)
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <thread>
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

    const watchdog dog_{"real_time", std::chrono::seconds(300)};

    static key_type key(std::uint64_t number) { return key_of<key_type>(number); }
    static mapped value(std::uint64_t number, std::uint64_t round) { return proof<mapped>::of({number, round, 0}); }

    /// In how many rounds both looked and neither found what the other had written.
    static std::size_t rounds_in_which_both_miss(M& map, kind how, std::size_t rounds, std::memory_order order) {
        const auto number = [&](std::size_t round, std::size_t thread) {
            return how == kind::overwrite ? 1 + thread : 10 + 2 * round + thread;
        };
        if (how == kind::overwrite || how == kind::erase) {
            for (std::size_t round = 0; round != (how == kind::erase ? rounds : 1); ++round) {
                for (std::size_t thread = 0; thread != 2; ++thread) map.store(key(number(round, thread)), value(number(round, thread), 0));
            }
        }
        struct alignas(64) side {
            std::atomic<std::size_t> round{0};
            std::vector<char> missed;
        };
        side sides[2];
        for (side& each : sides) each.missed.resize(rounds);
        together(2, [&](std::size_t me) {
            side& mine = sides[me];
            const side& other = sides[1 - me];
            for (std::size_t round = 0; round != rounds; ++round) {
                const auto own = key(number(round, me)), others = key(number(round, 1 - me));
                mapped made = value(number(round, me), round + 1);
                mine.round.store(round + 1);
                for (std::size_t looks = 0; other.round.load() <= round; ++looks) {
                    if (looks > 1000) std::this_thread::yield();
                }
                if (how == kind::erase) {
                    map.erase(own, order);
                    mine.missed[round] = map.contains(others);
                } else {
                    map.store(own, std::move(made), order);
                    const auto found = map.load(others);
                    mine.missed[round] = !found || proof<mapped>::generation(*found) < round + 1;
                }
            }
        });
        std::size_t both = 0;
        for (std::size_t round = 0; round != rounds; ++round) both += sides[0].missed[round] && sides[1].missed[round] ? 1 : 0;
        return both;
    }

    static void expect_one_to_see_the_other(kind how) {
        const std::size_t rounds = scaled(40'000);
        M map, relaxed;
        EXPECT_EQ(rounds_in_which_both_miss(map, how, rounds, std::memory_order_seq_cst), 0U) << "of " << rounds;
        std::printf("real time: with memory_order_release both missed in %zu of %zu rounds\n",
                    rounds_in_which_both_miss(relaxed, how, rounds, std::memory_order_release), rounds);
    }
};
TYPED_TEST_SUITE(real_time, proven_maps, names);

TYPED_TEST(real_time, of_two_that_insert_and_look_one_sees_the_other) { this->expect_one_to_see_the_other(TestFixture::kind::insert); }
TYPED_TEST(real_time, of_two_that_overwrite_and_look_one_sees_the_other) { this->expect_one_to_see_the_other(TestFixture::kind::overwrite); }
TYPED_TEST(real_time, of_two_that_erase_and_look_one_sees_the_other) { this->expect_one_to_see_the_other(TestFixture::kind::erase); }

} // namespace test
