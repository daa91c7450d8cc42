// The arithmetic of a thread's line in a map: counts that wrap, and sequences that always go on.
#include <cstdint>

#include <gtest/gtest.h>

#include <syncmap/engine/table/thread_record.hpp>
#include <syncmap/engine/tuning.hpp>

namespace {

using thread_record = syncmap::engine::thread_record<syncmap::engine::machine>;
using syncmap::engine::change;
using syncmap::engine::word;

constexpr word most = thread_record::net_mask; // as a net: -1

/// A thread record of the given sequence and net.
void set(thread_record& s, word sequence, word net) { s.net_count.store(sequence << thread_record::sequence_shift | net); }
word sequence_of(const thread_record& s) { return s.net_count.load() >> thread_record::sequence_shift; }

TEST(thread_record, tells_what_it_counted) {
    thread_record s;
    EXPECT_EQ(thread_record::entries_of(thread_record::net_of(s.net_count.load())), 0);
    for (const std::int64_t delta : {+1, +1, -1, -1, -1, +5, -7}) s.count(delta);
    EXPECT_EQ(thread_record::entries_of(thread_record::net_of(s.net_count.load())), -3);
}

TEST(thread_record, never_keeps_its_sequence) {
    for (const word sequence : {word{0}, word{1}, word{0xFFFF}, word{1} << 16, (word{1} << 22) - 1}) {
        for (const word net : {word{0}, word{1}, most / 2, most / 2 + 1, most - 1, most}) {
            for (const std::int64_t delta : {0, +1, -1, +3, -3}) {
                thread_record s;
                set(s, sequence, net);
                s.announce(nullptr, change::multiple, 0);
                ASSERT_TRUE(thread_record::announces(s.pending_slot.load(), s.net_count.load()));
                s.count(delta);
                EXPECT_NE(sequence_of(s), sequence) << sequence << ", " << net << ", " << delta;
                EXPECT_FALSE(thread_record::announces(s.pending_slot.load(), s.net_count.load()))
                    << sequence << ", " << net << ", " << delta;
                EXPECT_EQ(thread_record::net_of(s.net_count.load()), (net + static_cast<word>(delta)) & most);
            }
        }
    }
}

TEST(thread_record, may_count_more_erasures_than_it_has_room_for) {
    // One thread has inserted, another has erased nearly as much, both beyond what their nets can hold.
    thread_record inserts, erases;
    const word many = word{5} << 41;
    set(inserts, 7, (many + 10) & most);
    set(erases, 8, (word{0} - many) & most);
    const auto size = [&] {
        return thread_record::entries_of(thread_record::net_of(inserts.net_count.load()) +
                                         thread_record::net_of(erases.net_count.load()));
    };
    EXPECT_EQ(size(), 10);
    for (word step = 0; step != 9; ++step) {
        erases.count(-1);
        EXPECT_EQ(size(), 9 - static_cast<std::int64_t>(step));
    }
}

TEST(thread_record, begins_a_new_generation_with_nothing_counted) {
    thread_record s;
    set(s, 41, most);
    s.announce(nullptr, change::insert, 5);
    EXPECT_EQ(s.generation.load(), 5U);
    EXPECT_EQ(thread_record::net_of(s.net_count.load()), 0U);
    EXPECT_EQ(sequence_of(s), 42U);
    EXPECT_TRUE(thread_record::announces(s.pending_slot.load(), s.net_count.load()));
}

} // namespace
