// The checker can say no: histories made by hand, of every kind of mistake, and the right ones beside them.
#include <cstdint>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "linearizability/file.hpp"
#include "linearizability/history.hpp"

namespace linearizability {
namespace {

std::string judge(const std::string& lines) {
    std::istringstream in("syncmap history 1\n" + lines);
    return check(read_history(in)).trouble;
}

TEST(wrong_histories, a_lost_update_is_found) {
    EXPECT_EQ(judge("held 7 5\n"
                    "1 10 40 fetch_add 7 1 -> 5\n"
                    "2 20 30 fetch_add 7 1 -> 6\n"),
              "");
    EXPECT_EQ(judge("held 7 5\n"
                    "1 10 40 fetch_add 7 1 -> 5\n"
                    "2 20 30 fetch_add 7 1 -> 5\n"
                    "3 5 50 load 8 -> nothing\n"),
              "not linearizable: key 7 held 5, then\n"
              "  A  [fetch_add(7, 1) -> 5---]\n"
              "     ^ no order explains this\n"
              "  B    [fetch_add(7, 1) -> 5]\n");
}

TEST(wrong_histories, a_stale_read_is_found) {
    EXPECT_EQ(judge("1 10 20 store 7 100 -> new\n"
                    "1 30 50 store 7 101 -> replaced\n"
                    "2 40 60 load 7 -> 100\n"),
              "");
    EXPECT_EQ(judge("3 1 2 store 7 99 -> new\n"
                    "1 10 20 store 7 100 -> replaced\n"
                    "1 30 40 store 7 101 -> replaced\n"
                    "2 50 60 load 7 -> 100\n"
                    "3 70 80 load 7 -> 101\n"),
              "not linearizable: key 7 held nothing, then\n"
              "  A  [store(7, 100) -> replaced] [store(7, 101) -> replaced]\n"
              "  B                                                          [load(7) -> 100]\n"
              "                                                             ^ no order explains this\n"
              "  (whether or not 1 other write(s) took effect)\n");
}

TEST(wrong_histories, two_reads_against_each_other_are_found) {
    EXPECT_EQ(judge("held 7 1\n"
                    "1 10 90 store 7 2 -> replaced\n"
                    "2 20 30 load 7 -> 1\n"
                    "3 40 50 load 7 -> 2\n"),
              "");
    EXPECT_EQ(judge("held 7 1\n"
                    "1 10 90 store 7 2 -> replaced\n"
                    "2 20 30 load 7 -> 2\n"
                    "3 40 50 load 7 -> 1\n"),
              "not linearizable: key 7 held 1, then\n"
              "  A  [store(7, 2) ...-------------->\n"
              "  B    [load(7) -> 2]\n"
              "  C                   [load(7) -> 1]\n"
              "                      ^ no order explains this\n");
}

TEST(wrong_histories, two_that_both_exchanged_the_same_value_are_found) {
    EXPECT_EQ(judge("held 7 1\n"
                    "1 10 40 compare_exchange 7 1 2 -> done\n"
                    "2 20 30 compare_exchange 7 1 3 -> saw 2\n"),
              "");
    EXPECT_EQ(judge("held 7 1\n"
                    "1 10 40 compare_exchange 7 1 2 -> done\n"
                    "2 20 30 compare_exchange 7 1 3 -> done\n"),
              "not linearizable: key 7 held 1, then\n"
              "  A  [compare_exchange(7, 1, 2) -> done---]\n"
              "     ^ no order explains this\n"
              "  B    [compare_exchange(7, 1, 3) -> done]\n");
    EXPECT_NE(judge("1 10 40 load_or_store 7 2 -> stored 2\n"
                    "2 20 30 load_or_store 7 3 -> stored 3\n"),
              "");
    EXPECT_NE(judge("held 7 1\n"
                    "1 10 40 load_and_erase 7 -> 1\n"
                    "2 20 30 load_and_erase 7 -> 1\n"),
              "");
    EXPECT_NE(judge("1 10 40 load_or_compute 7 2 -> computed 2\n"
                    "2 20 30 load_or_compute 7 3 -> loaded 2 runs 1\n"),
              "");
}

TEST(wrong_histories, a_size_that_misses_an_entry_is_found) {
    const std::string before = "held 1 10\n"
                               "1 20 30 store 2 20 -> new\n"
                               "1 40 50 erase 1 -> erased\n";
    EXPECT_EQ(judge(before + "2 10 60 size -> 2\n"), "");
    EXPECT_EQ(judge(before + "2 10 60 size -> 1\n"), "");
    EXPECT_EQ(judge(before + "2 10 60 size -> 0\n"), "not linearizable: the map held {1: 10}, then\n"
                                                     "  A    [store(2, 20) -> new] [erase(1) -> erased]\n"
                                                     "  B  [size() -> 0--------------------------------]\n"
                                                     "     ^ no order explains this\n");
}

TEST(wrong_histories, a_snapshot_of_two_instants_is_found) {
    const std::string before = "held 1 10\n"
                               "held 2 20\n"
                               "1 20 30 store 1 11 -> replaced\n"
                               "1 40 50 store 2 21 -> replaced\n";
    EXPECT_EQ(judge(before + "2 10 60 snapshot -> 1=11 2=20\n"), "");
    EXPECT_EQ(judge(before + "2 10 60 snapshot -> 1=10 2=21\n"),
              "not linearizable: the map held {1: 10, 2: 20}, then\n"
              "  A    [store(1, 11) -> replaced] [store(2, 21) -> replaced]\n"
              "  B  [snapshot() -> {1: 10, 2: 21}--------------------------]\n"
              "     ^ no order explains this\n");
    // Two snapshots that cannot both be right, whatever the order of the writes.
    const std::string meanwhile = "held 1 10\n"
                                  "held 2 20\n"
                                  "1 20 90 store 1 11 -> replaced\n"
                                  "2 20 90 store 2 21 -> replaced\n";
    EXPECT_EQ(judge(meanwhile + "3 30 60 snapshot -> 1=11 2=20\n4 40 70 snapshot -> 1=11 2=21\n"), "");
    EXPECT_NE(judge(meanwhile + "3 30 60 snapshot -> 1=11 2=20\n4 40 70 snapshot -> 1=10 2=21\n"), "");
}

TEST(wrong_histories, a_key_that_comes_back_after_clear_is_found) {
    const std::string before = "1 10 20 store 1 10 -> new\n";
    EXPECT_EQ(judge(before + "2 30 60 clear\n3 40 50 load 1 -> 10\n"), "");
    EXPECT_EQ(judge(before + "2 30 60 clear\n3 40 50 load 1 -> nothing\n3 70 80 load 1 -> 10\n"),
              "not linearizable: the map held {}, then\n"
              "  A  [store(1, 10) -> new]\n"
              "  B                        [clear()]\n"
              "  C                                  [load(1) -> 10]\n"
              "                                     ^ no order explains this\n");
    // Not in one step: one key is gone while the other is still there, and then the other way round.
    EXPECT_NE(judge("held 1 10\nheld 2 20\n2 30 90 clear\n3 40 50 load 1 -> nothing\n3 60 70 load 2 -> 20\n"), "");
}

/// Writers of one entry each, of more keys than are searched together.
std::string many_keys(std::uint64_t first, std::uint64_t last, std::uint64_t from) {
    std::string lines;
    for (std::uint64_t key = first; key <= last; ++key) {
        lines += "1 " + std::to_string(from) + " " + std::to_string(from + 5) + " store " + std::to_string(key) + " " +
                 std::to_string(1000 + key) + " -> new\n";
        from += 10;
    }
    return lines;
}

TEST(wrong_histories, an_old_entry_beside_new_contents_is_found) {
    const std::string before = "held 1 10\nheld 2 20\n1 10 20 replace 2 3 30\n";
    EXPECT_EQ(judge(before + "2 15 40 load 1 -> 10\n2 50 60 load 2 -> 30\n"), "");
    EXPECT_NE(judge(before + "2 30 40 load 1 -> 10\n2 50 60 load 2 -> 30\n"), "");
    EXPECT_NE(judge(before + "2 1 2 size -> 2\n2 30 40 size -> 3\n"), "");
    EXPECT_NE(judge("held 1 10\nheld 2 20\n1 10 90 replace 2 3 30\n2 20 30 load 2 -> 30\n2 40 50 load 1 -> 10\n"), "");
}

TEST(wrong_histories, half_an_update_of_two_keys_is_found) {
    const std::string before = "held 1 10\nheld 2 20\n1 10 90 swap_two 1 2 -> 10 20\n";
    // Calls that read one key may come between its two parts, snapshots and writers may not.
    EXPECT_EQ(judge(before + "2 20 30 load 1 -> 20\n2 40 50 load 2 -> 20\n"), "");
    EXPECT_EQ(judge(before + "2 20 30 snapshot -> 1=20 2=10\n"), "");
    EXPECT_NE(judge(before + "2 20 30 snapshot -> 1=20 2=20\n"), "");
    EXPECT_EQ(judge(before + "2 20 30 exchange 1 11 -> 20\n2 40 50 exchange 2 21 -> 10\n"), "");
    EXPECT_NE(judge(before + "2 20 30 exchange 1 11 -> 20\n2 40 50 exchange 2 21 -> 20\n"), "");
    // Each key alone is in order: the first exchange came after the swap of key 1, the second one before that of key 2.
    EXPECT_EQ(judge("held 1 10\nheld 2 20\n1 10 90 swap_two 1 2 -> 10 21\n"
                    "2 20 30 exchange 1 11 -> 21\n2 40 50 exchange 2 21 -> 20\n"),
              "not linearizable: the map held {1: 10, 2: 20}, then\n"
              "  A  [swap_two(1 and 2) ...-->\n"
              "  B    [exchange(1, 11) -> 21]\n"
              "       ^ no order explains this\n");
    EXPECT_NE(judge("held 1 10\n1 10 40 add_to_two 1 2 5 -> 10 nothing\n2 20 30 add_to_two 2 1 5 -> nothing 10\n"), "");
    EXPECT_EQ(judge("held 1 10\n1 10 40 add_to_two 1 2 5 -> 10 nothing\n2 20 30 add_to_two 2 1 5 -> 5 15\n3 50 60 size -> 2\n"),
              "");
}

TEST(wrong_histories, a_wrong_size_of_a_large_map_is_found) {
    const std::string before = many_keys(1, 50, 10); // the last ends at 505
    EXPECT_EQ(judge(before + "2 505 520 size -> 49\n"), ""); // overlaps the last one
    EXPECT_EQ(judge(before + "2 510 520 size -> 50\n"), "");
    EXPECT_EQ(judge(before + "2 510 520 size -> 49\n"), "not linearizable: there were 50 to 50 entries during\n"
                                                        "  B  [size() -> 49]\n"
                                                        "     ^ no order explains this\n");
    const std::string cleared = before + "2 510 520 clear\n" + many_keys(61, 70, 530);
    EXPECT_EQ(judge(cleared + "3 640 650 size -> 10\n"), "");
    EXPECT_NE(judge(cleared + "3 640 650 size -> 11\n"), "");
    EXPECT_NE(judge(cleared + "3 640 650 size -> 9\n"), "");
    EXPECT_EQ(judge(cleared + "3 500 650 size -> 30\n"), "");
    EXPECT_NE(judge(cleared + "3 500 650 size -> 51\n"), "");
}

TEST(wrong_histories, a_snapshot_of_two_instants_of_a_large_map_is_found) {
    // Key 1 is overwritten long before key 50 is written; both are in different groups.
    const auto snapshot = [](std::uint64_t of_first, std::uint64_t last) {
        std::string line = "2 5 900 snapshot -> 1=" + std::to_string(of_first);
        for (std::uint64_t key = 2; key <= last; ++key) line += " " + std::to_string(key) + "=" + std::to_string(1000 + key);
        return line + "\n";
    };
    const std::string before = many_keys(1, 20, 10) + "1 300 310 store 1 2000 -> replaced\n" + many_keys(21, 50, 400);
    EXPECT_EQ(judge(before + snapshot(1001, 20)), "");
    EXPECT_EQ(judge(before + snapshot(2000, 50)), "");
    EXPECT_EQ(judge(before + snapshot(1001, 50)),
              "not linearizable: the snapshot shows 1050 for key 50, which was written only after what it shows for key 1 "
              "was no longer there\n"
              "  A    [store(1, 2000) -> replaced] [store(50, 1050) -> new]\n"
              "  B  [snapshot()--------------------------------------------]\n"
              "     ^ no order explains this\n");
    EXPECT_NE(judge(before + snapshot(2000, 49) + "1 910 920 load 50 -> nothing\n"), "");
}

TEST(wrong_histories, long_ones_are_shown_from_where_nothing_was_pending) {
    std::string lines = "1 1 2 store 3 1 -> new\n";
    for (std::uint64_t i = 1; i != 2000; ++i) {
        lines += "1 " + std::to_string(100 * i) + " " + std::to_string(100 * i + 50) + " store 3 " + std::to_string(i + 1) +
                 " -> replaced\n";
        lines += "2 " + std::to_string(100 * i + 20) + " " + std::to_string(100 * i + 60) + " load 3 -> " +
                 std::to_string(i + i % 2) + "\n";
    }
    EXPECT_EQ(judge(lines), "");
    EXPECT_EQ(judge(lines + "2 500000 500010 load 3 -> 1999\n"), "not linearizable: key 3 held 2000, then\n"
                                                                 "  B  [load(3) -> 1999]\n"
                                                                 "     ^ no order explains this\n");
}

} // namespace
} // namespace linearizability
