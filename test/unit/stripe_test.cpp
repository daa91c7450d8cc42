// The arithmetic of a thread's line in a map: counts that wrap, and sequences that always go on.
#include <cstdint>

#include <gtest/gtest.h>

#include <syncmap/engine/table/stripe.hpp>
#include <syncmap/engine/tuning.hpp>

namespace {

using stripe = syncmap::engine::stripe<syncmap::engine::machine>;
using syncmap::engine::change;
using syncmap::engine::word;

constexpr word most = stripe::net_mask; // as a net: -1

/// A stripe of the given sequence and net.
void set(stripe& s, word sequence, word net) { s.tally.store(sequence << stripe::sequence_shift | net); }
word sequence_of(const stripe& s) { return s.tally.load() >> stripe::sequence_shift; }

TEST(stripe, tells_what_it_counted) {
    stripe s;
    EXPECT_EQ(stripe::entries_of(stripe::net_of(s.tally.load())), 0);
    for (const std::int64_t delta : {+1, +1, -1, -1, -1, +5, -7}) s.count(delta);
    EXPECT_EQ(stripe::entries_of(stripe::net_of(s.tally.load())), -3);
}

TEST(stripe, never_keeps_its_sequence) {
    for (const word sequence : {word{0}, word{1}, word{0xFFFF}, word{1} << 16, (word{1} << 22) - 1}) {
        for (const word net : {word{0}, word{1}, most / 2, most / 2 + 1, most - 1, most}) {
            for (const std::int64_t delta : {0, +1, -1, +3, -3}) {
                stripe s;
                set(s, sequence, net);
                s.announce(nullptr, change::several, 0);
                ASSERT_TRUE(stripe::announces(s.place.load(), s.tally.load()));
                s.count(delta);
                EXPECT_NE(sequence_of(s), sequence) << sequence << ", " << net << ", " << delta;
                EXPECT_FALSE(stripe::announces(s.place.load(), s.tally.load())) << sequence << ", " << net << ", " << delta;
                EXPECT_EQ(stripe::net_of(s.tally.load()), (net + static_cast<word>(delta)) & most);
            }
        }
    }
}

TEST(stripe, may_count_more_erasures_than_it_has_room_for) {
    // One thread has inserted, another has erased nearly as much, both beyond what their nets can hold.
    stripe inserts, erases;
    const word many = word{5} << 41;
    set(inserts, 7, (many + 10) & most);
    set(erases, 8, (word{0} - many) & most);
    const auto size = [&] {
        return stripe::entries_of(stripe::net_of(inserts.tally.load()) + stripe::net_of(erases.tally.load()));
    };
    EXPECT_EQ(size(), 10);
    for (word step = 0; step != 9; ++step) {
        erases.count(-1);
        EXPECT_EQ(size(), 9 - static_cast<std::int64_t>(step));
    }
}

TEST(stripe, begins_a_new_life_with_nothing_counted) {
    stripe s;
    set(s, 41, most);
    s.announce(nullptr, change::insert, 5);
    EXPECT_EQ(s.incarnation.load(), 5U);
    EXPECT_EQ(stripe::net_of(s.tally.load()), 0U);
    EXPECT_EQ(sequence_of(s), 42U);
    EXPECT_TRUE(stripe::announces(s.place.load(), s.tally.load()));
}

} // namespace
