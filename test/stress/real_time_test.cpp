// A write is visible to all threads when it returns: of two threads that each write a key and then look for the other's, one
// at least finds it. (On x86-64 a finished store may still be in the store buffer of its processor.)
//
// The two threads begin each round together. What they do to meet comes before their writes, so it hides nothing: between a
// write and the look after it there is no instruction of the test's own that orders them.
#include <array>
#include <atomic>
#include <chrono>
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
    using round = std::uint64_t;

    const watchdog dog_{"real_time", std::chrono::seconds(300)};

    static key_type key(std::uint64_t number) { return key_of<key_type>(number); }
    static mapped value(std::uint64_t number, round r) { return proof<mapped>::of({number, r, 0}); }

    /// How often a thread meets the other: each says by a store that it is there.
    class meeting {
    public:
        void wait(std::size_t me, round r) noexcept {
            there_[me].at.store(r, std::memory_order_release);
            for (unsigned looks = 1; there_[1 - me].at.load(std::memory_order_acquire) < r; ++looks) {
                if (looks % 1000 == 0) std::this_thread::yield(); // the other one may need this processor
            }
        }

    private:
        struct alignas(64) place {
            std::atomic<round> at{0};
        };
        std::array<place, 2> there_;
    };

    /// In how many rounds neither thread found what the other had written.
    static std::size_t play(kind how, round rounds, std::memory_order order) {
        M map;
        meeting both;
        std::vector<char> missed[2];
        for (std::size_t me = 0; me != 2; ++me) {
            missed[me].resize(rounds + 1);
            map.store(key(1 + me), value(1 + me, 0));
        }
        together(2, [&](std::size_t me) {
            for (round r = 1; r <= rounds; ++r) {
                const auto number = [&](std::size_t thread) { return how == kind::insert ? 10 + 2 * r + thread : 1 + thread; };
                const key_type mine = key(number(me)), others = key(number(1 - me));
                mapped made = value(number(me), r);
                if (how == kind::erase) map.store(mine, value(number(me), r));
                both.wait(me, r);
                if (how == kind::erase) {
                    map.erase(mine, order);
                } else {
                    map.store(mine, std::move(made), order);
                }
                const auto found = map.load(others);
                const round seen = found ? proof<mapped>::generation(*found) : 0;
                // A thread that erases has missed the other's erasure if it finds what the other has stored for this round.
                missed[me][r] = how == kind::erase ? seen == r : seen < r;
            }
        });
        std::size_t both_missed = 0;
        for (round r = 1; r <= rounds; ++r) both_missed += missed[0][r] && missed[1][r] ? 1 : 0;
        return both_missed;
    }

    static void expect_one_to_see_the_other(kind how) {
        const round rounds = scaled(20'000);
        const std::size_t missed = play(how, rounds, std::memory_order_seq_cst);
        EXPECT_EQ(missed, 0U) << "of " << rounds;
        std::printf("real time: both missed in %zu of %zu rounds; with memory_order_release in %zu\n", missed,
                    static_cast<std::size_t>(rounds), play(how, rounds, std::memory_order_release));
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
