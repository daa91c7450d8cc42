// What bench says of results that are made up: which map is ranked, which is excluded, and what the last lines advise.
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "bench_json.hpp"
#include "bench_outcome.hpp"
#include "bench_table.hpp"
#include "bench_verdict.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

candidate candidate_of(std::string_view name, std::string_view about, role part) {
    return {name, about, "", part, true, true, true, true, nullptr, nullptr, reach::everything, false};
}

const std::array candidates_here{
    candidate_of("map", "syncmap::map", role::family), candidate_of("mutex_map", "syncmap::mutex_map", role::family),
    candidate_of("mutex", "std::mutex", role::lock), candidate_of("loser", "other::map", role::peer),
    candidate_of("crasher", "other::other_map", role::peer)};

candidate_result result_of(std::size_t which, double rate, std::uint64_t tail_ns, std::uint64_t wrong = 0) {
    candidate_result result{&candidates_here[which]};
    result.rates = {rate, 1.01 * rate, 0.99 * rate};
    for (int i = 0; i < 990; ++i) result.latencies.add(100);
    for (int i = 0; i < 10; ++i) result.latencies.add(tail_ns);
    result.wrong = wrong;
    return result;
}

bench_outcome outcome_of(std::vector<candidate_result> maps) {
    bench_outcome outcome;
    for (const candidate& e : candidates_here) outcome.job.maps.push_back(&e);
    const cell what{find_workload("read-90"), 100'000, 2};
    outcome.job.cells = {what};
    outcome.cells.emplace_back();
    cell_result found{what};
    found.maps = std::move(maps);
    found.absent = {{&candidates_here[4], "crashes (Segmentation fault)"}};
    outcome.cells.front().take(std::move(found));
    return outcome;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines(1);
    for (const char c : text) {
        if (c == '\n') {
            lines.emplace_back();
        } else {
            lines.back() += c;
        }
    }
    return lines;
}

/// The lines of a block that begins with this heading, with what was wrapped joined again.
std::vector<std::string> block(const std::string& text, std::string_view heading) {
    std::vector<std::string> found;
    bool inside = false;
    for (const std::string& line : lines_of(text)) {
        if (line == heading) {
            inside = true;
        } else if (inside && line.starts_with("    ") && !found.empty()) {
            found.back() += line.substr(3);
        } else if (inside && line.starts_with("  ")) {
            found.push_back(line.substr(2));
        } else {
            inside = false;
        }
    }
    return found;
}

std::string table_of(const bench_outcome& outcome) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* const out = ::open_memstream(&text, &size);
    print_cell(out, outcome, 0);
    std::fclose(out);
    const std::string result(text, size);
    std::free(text);
    return result;
}

TEST(bench_verdict, says_what_to_use_in_one_line_for_each_row) {
    const bench_outcome outcome = outcome_of({result_of(0, 20e6, 200), result_of(1, 5e6, 9000), result_of(2, 6e6, 9000)});
    const std::vector<std::string> rows = block(verdict(outcome), "Verdict");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_TRUE(rows[0].starts_with("use map: reads far outnumber writes, threads write distinct keys. 20.0 Mops/s"))
        << rows[0];
    EXPECT_NE(rows[0].find("4.00x mutex_map"), std::string::npos) << rows[0];
    EXPECT_EQ(rows[0].find("simpler"), std::string::npos) << rows[0];
}

TEST(bench_verdict, excludes_maps_that_crash_or_answer_wrongly) {
    const bench_outcome outcome = outcome_of({result_of(3, 90e6, 100, 7), result_of(0, 20e6, 200), result_of(2, 6e6, 9000)});
    const std::string text = verdict(outcome);
    EXPECT_EQ(block(text, "Caveats").front().find("loser"), std::string::npos) << text; // no map is compared with it
    EXPECT_TRUE(block(text, "Caveats").front().starts_with("map won 1 of 1 cell")) << text;
    EXPECT_EQ(block(text, "Caveats").back(),
              "excluded, as they failed or answered wrongly: crasher (read-90 100k/2T), loser (read-90 100k/2T)")
        << text;
    const std::string table = table_of(outcome);
    EXPECT_NE(table.find("\n  loser: excluded, 7 operations did not find what had to be there\n"), std::string::npos) << table;
    EXPECT_NE(table.find("\n  crasher: excluded, it crashes (Segmentation fault)\n"), std::string::npos) << table;
    EXPECT_EQ(table.find("90.0"), std::string::npos) << table; // its rate is of no rank
    EXPECT_NE(to_json(outcome).find("\"excluded\": ["), std::string::npos);
    EXPECT_FALSE(outcome.own_maps_failed());
    EXPECT_TRUE(outcome_of({result_of(0, 20e6, 200, 1)}).own_maps_failed());
}

TEST(bench_verdict, calls_a_simpler_map_enough_only_if_its_tail_is_like_the_best_ones) {
    const auto enough = [](std::uint64_t tail) {
        const bench_outcome outcome = outcome_of({result_of(0, 20e6, 200), result_of(2, 19e6, tail)});
        return block(verdict(outcome), "Verdict").front().find("simpler, and within 10 %: mutex (0.95x)") != std::string::npos;
    };
    EXPECT_TRUE(enough(200));
    EXPECT_TRUE(enough(390));
    EXPECT_FALSE(enough(2000));
}

TEST(bench_verdict, tells_the_tail_beside_the_share_of_time) {
    const bench_outcome outcome = outcome_of({result_of(0, 20e6, 200), result_of(2, 6e6, 9000)});
    const std::vector<std::string> caveats = block(verdict(outcome), "Caveats");
    ASSERT_GE(caveats.size(), 2u);
    EXPECT_TRUE(caveats[1].starts_with("the plain mutex: a program that asks its map less than 0.60 million times a second"))
        << caveats[1];
    EXPECT_NE(caveats[1].find("One operation in a thousand took up to 9,"), std::string::npos) << caveats[1];
    EXPECT_NE(caveats[1].find("ns of map"), std::string::npos) << caveats[1];
}

} // namespace
} // namespace syncmap::tool
