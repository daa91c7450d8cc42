// Histories as text: what is written is read again, and what cannot be read is refused with its line.
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "linearizability/file.hpp"
#include "linearizability/history.hpp"

namespace linearizability {
namespace {

const std::string all_operations = "syncmap history 1\n"
                                   "held 3 17\n"
                                   "held 900 1\n"
                                   "1 10 20 load 3 -> 17\n"
                                   "1 30 40 load 4 -> nothing\n"
                                   "2 50 60 store 4 40 -> new\n"
                                   "2 70 80 store 4 41 -> replaced\n"
                                   "1 90 100 exchange 5 50 -> nothing\n"
                                   "1 110 120 exchange 5 51 -> 50\n"
                                   "1 130 140 load_or_store 5 52 -> loaded 51\n"
                                   "1 150 160 load_or_store 6 60 -> stored 60\n"
                                   "3 170 180 load_and_erase 6 -> 60\n"
                                   "3 190 200 load_and_erase 6 -> nothing\n"
                                   "1 210 220 compare_exchange 6 nothing 61 -> done\n"
                                   "1 230 240 compare_exchange 6 60 62 -> saw 61\n"
                                   "1 250 260 compare_erase 6 60 -> saw 61\n"
                                   "1 270 280 compare_erase 6 61 -> erased\n"
                                   "1 290 300 compare_erase 6 61 -> saw nothing\n"
                                   "1 310 320 fetch_add 6 5 -> 0\n"
                                   "1 330 340 update 6 5 -> assigned 5\n"
                                   "1 350 360 update 7 5 -> inserted\n"
                                   "1 370 380 update_erase 7 -> erased 5\n"
                                   "1 390 400 update_erase 7 -> kept\n"
                                   "1 410 420 load_or_compute 7 70 -> computed 70\n"
                                   "1 430 440 load_or_compute 7 71 -> loaded 70\n"
                                   "1 450 460 erase 7 -> erased\n"
                                   "1 470 480 erase 7 -> absent\n"
                                   "4 490 500 size -> 5\n"
                                   "4 510 520 snapshot -> 3=17 4=41 5=51 6=10 900=1\n"
                                   "4 530 540 clear\n"
                                   "4 550 560 snapshot -> \n"
                                   "1 570 580 replace 7 8 90\n"
                                   "1 590 600 swap_two 7 9 -> 90 nothing\n"
                                   "1 610 620 add_to_two 9 8 5 -> 90 90\n";

TEST(history_file, is_written_as_it_was_read) {
    std::istringstream in(all_operations);
    const history read = read_history(in);
    EXPECT_EQ(check(read).trouble, "");
    EXPECT_EQ(check(read).checked, 31U);
    std::ostringstream out;
    write_history(out, read);
    EXPECT_EQ(out.str(), all_operations);
}

TEST(history_file, says_what_the_map_held_in_the_end) {
    history recorded;
    recorded.initial = {held(1), held(), held()};
    recorded.calls = {
        {.what = verb::store, .thread = 1, .answer = true, .key = 1, .argument = 5, .invoked = 10, .responded = 20}};
    recorded.final_contents = {held(1), held(5), held()};
    EXPECT_EQ(check(recorded).trouble, "");
    std::ostringstream out;
    write_history(out, recorded);
    EXPECT_EQ(out.str(), "syncmap history 1\nheld 0 1\n1 10 20 store 1 5 -> new\n0 21 22 load 0 -> 1\n0 21 22 load 1 -> 5\n");
    recorded.final_contents = {held(2), held(5), held()};
    EXPECT_EQ(check(recorded).trouble, "not linearizable: key 0 held 1, nobody touched it, and in the end it held 2\n");
    recorded.final_contents = {held(1), held(6), held()};
    EXPECT_NE(check(recorded).trouble, "");
}

TEST(history_file, may_have_comments_and_empty_lines) {
    std::istringstream in("# made by hand\n\nsyncmap history 1\r\n  # indented\n 1  10\t20 load 3 -> nothing \r\n");
    EXPECT_EQ(read_history(in).calls.size(), 1U);
}

TEST(history_file, is_refused_with_the_line_that_is_wrong) {
    const auto complaint = [](const std::string& text) -> std::string {
        std::istringstream in(text);
        try {
            read_history(in);
        } catch (const malformed_history& error) {
            return std::to_string(error.line) + ": " + error.what();
        }
        return "";
    };
    const auto of_line = [&](const std::string& line) { return complaint("syncmap history 1\n" + line + "\n"); };
    EXPECT_EQ(complaint(""), "0: a history begins with 'syncmap history 1'");
    EXPECT_EQ(complaint("\nsomething else\n"), "2: a history begins with 'syncmap history 1'");
    EXPECT_EQ(of_line("held 3"), "2: the line ends where a value should be");
    EXPECT_EQ(of_line("held 3 4\nheld 3 5"), "3: key 3 comes twice");
    EXPECT_EQ(of_line("1 10 20 load x -> nothing"), "2: 'x' is not a key (a number below 2^64 - 1)");
    EXPECT_EQ(of_line("1 10 20 load 18446744073709551615 -> nothing"),
              "2: '18446744073709551615' is not a key (a number below 2^64 - 1)");
    EXPECT_EQ(of_line("1 10 20 load -3 -> nothing"), "2: '-3' is not a key (a number below 2^64 - 1)");
    EXPECT_EQ(of_line("1 10 20 fetch 3 -> nothing"), "2: unknown operation 'fetch'");
    EXPECT_EQ(of_line("1 10 20 erase_if 3 -> 1"), "2: unknown operation 'erase_if'");
    EXPECT_EQ(of_line("1 20 10 load 3 -> nothing"), "2: the call ends before it starts");
    EXPECT_EQ(of_line("300 10 20 load 3 -> nothing"), "2: threads are numbered from 0 to 255");
    EXPECT_EQ(of_line("1 10 20 load 3"), "2: the line ends where '->' should be");
    EXPECT_EQ(of_line("1 10 20 load 3 17"), "2: '->' is missing before the answer");
    EXPECT_EQ(of_line("1 10 20 load 3 -> 17 18"), "2: '18' is too much");
    EXPECT_EQ(of_line("1 10 20 store 3 4 -> old"), "2: the answer 'old' is neither 'new' nor 'replaced'");
    EXPECT_EQ(of_line("1 10 20 snapshot -> 3"), "2: '3' is not an entry (KEY=VALUE)");
    EXPECT_EQ(of_line("1 10 20 compare_erase 3 4 -> saw 4"),
              "2: compare_erase cannot have seen what it expected and not erased it");
}

} // namespace
} // namespace linearizability
