// What must notice a mutant of the engine: programs of one slot format, in weak memory, until one fails.
//
//     check_node SECONDS PROFILE [step]   exit status 0: nothing failed in so much time of the processor; 1: the first
//                                         failure is told; 3: no program comes by. `step`: the mutant lacks more than a
//                                         memory order, so sequentially consistent memory is searched as well
//     check_node profile PROFILE          runs each program a few times and writes down which mutants it comes by
//
// It is compiled with the compiler's instrumentation of plain accesses (explore/plain_access.hpp). The mutant is chosen
// by the environment variable SYNCMAP_MUTANT, see mutant.hpp: only the programs that come by it are run. Without one
// all are. With SYNCMAP_REPLAY it repeats one schedule.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iterator>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <explore/new_delete.hpp>
#include <explore/plain_access.hpp>

#include "programs.hpp"
#include "snapshot_programs.hpp"

namespace {

using namespace explore;
using layout = SYNCMAP_LAYOUT;

/// Of the processor: how far a search comes must not hang on what else the machine does.
double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::uint64_t programs = 0, schedules = 0;
bool verbose() { return std::getenv("SYNCMAP_VERBOSE") != nullptr; }

/// Ends the process at the first failure.
void expect_right(const report& r) {
    ++programs;
    schedules += r.schedules;
    if (verbose()) {
        std::printf("%7.2f %s: %llu schedules\n", seconds(), r.program.c_str(), static_cast<unsigned long long>(r.schedules));
    }
    if (!r.failed()) return;
    std::printf("KILLED after %.2f s, %llu programs: %s\n", seconds(), static_cast<unsigned long long>(programs),
                verbose() ? r.description.c_str() : r.failure.c_str());
    std::printf("  SYNCMAP_REPLAY='%s@%s'\n", r.program.c_str(), r.schedule.c_str());
    std::fflush(stdout);
    std::_Exit(1);
}

/// Of each mutant, how often threads of the program that runs have come by.
constexpr std::size_t most_mutants = 1024;
std::uint64_t seen[most_mutants];
EXPLORE_UNWATCHED void note_arrival(unsigned long number) {
    if (scheduler::weak_now && number < most_mutants) ++seen[number];
}
EXPLORE_UNWATCHED void attend(unsigned long) { scheduler::instance().attend(); }

int write_profile(const char* path, const std::vector<mutants::program>& all) {
    std::FILE* const out = std::fopen(path, "w");
    if (out == nullptr) return 2;
    mutants::profiling = true;
    mutants::arrived = note_arrival;
    for (const mutants::program& each : all) {
        std::fill(std::begin(seen), std::end(seen), 0);
        const report r = each.run({.preemptions = 1, .schedules = 5, .random = 6, .weak = true});
        expect_right(r);
        for (std::size_t number = 0; number != most_mutants; ++number) {
            const auto rate = static_cast<unsigned long>(1e3 * static_cast<double>(seen[number]) / (1e6 * r.seconds + 1));
            if (seen[number] != 0) std::fprintf(out, "%zu:%lu ", number, rate);
        }
        std::fprintf(out, "\n");
    }
    std::fclose(out);
    std::printf("%llu programs, %llu schedules, %.1f s\n", static_cast<unsigned long long>(programs),
                static_cast<unsigned long long>(schedules), seconds());
    return 0;
}

/// The numbers of the programs that come by the living mutant, those first that do so most often in their time.
std::vector<std::size_t> read_profile(const char* path, std::size_t count) {
    std::vector<std::pair<unsigned long, std::size_t>> found;
    std::FILE* const in = std::fopen(path, "r");
    if (in == nullptr) std::exit(2);
    std::size_t line = 0;
    unsigned long word = 0, number = 0;
    for (int c = 0; (c = std::fgetc(in)) != EOF;) {
        if (c >= '0' && c <= '9') {
            word = 10 * word + static_cast<unsigned long>(c - '0');
            continue;
        }
        if (c == ':') number = word;
        if (c == ' ' && number == mutants::active) found.emplace_back(word, line);
        word = 0;
        if (c == '\n') ++line;
    }
    std::fclose(in);
    if (line != count) std::exit(2);
    std::shuffle(found.begin(), found.end(), std::minstd_rand(static_cast<unsigned>(mutants::active)));
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::size_t> chosen;
    for (const auto& [rate, each] : found) chosen.push_back(each);
    return chosen;
}

/// One of these and one of those in turn, for as long as there are both.
std::vector<std::size_t> in_turn(const std::vector<std::size_t>& these, const std::vector<std::size_t>& those) {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < std::max(these.size(), those.size()); ++i) {
        if (i < these.size()) all.push_back(these[i]);
        if (i < those.size()) all.push_back(those[i]);
    }
    return all;
}

/// Schedules of the first round.
struct effort {
    std::uint64_t in_order, weak_in_order, by_chance;
};
effort effort_for(mutants::kind of) {
    switch (of) {
    case mutants::kind::aimed: return {300, 300, 100}; // more alone, for the mutants that they were made for
    case mutants::kind::by_hand: return {100, 100, 10};
    case mutants::kind::lengthy: return {100, 8, 3};
    case mutants::kind::form: return {100, 20, 4};
    default: return {100, 2, 6};
    }
}

} // namespace

int main(int argc, char** argv) {
    const bool profile = argc == 3 && std::string(argv[1]) == "profile";
    const bool of_a_step = argc == 4 && std::string(argv[3]) == "step";
    const double limit = argc == 3 || of_a_step ? std::atof(argv[1]) : 0;
    if (!profile && limit <= 0) {
        std::fprintf(stderr, "usage: %s SECONDS PROFILE [step], or profile PROFILE\n", argv[0]);
        return 2;
    }
    const std::vector<mutants::program> all = mutants::programs<layout>::all();
    if (profile) return write_profile(argv[2], all);

    std::vector<std::size_t> chosen;
    if (mutants::active != 0) {
        chosen = read_profile(argv[2], all.size());
        mutants::arrived = attend;
    }
    if (mutants::active == 0 || std::getenv("SYNCMAP_REPLAY") != nullptr) {
        chosen.resize(all.size());
        for (std::size_t i = 0; i != chosen.size(); ++i) chosen[i] = i;
    }
    if (chosen.empty()) {
        std::printf("no program comes by\n");
        return 3;
    }
    const auto of = [&](mutants::kind wanted) {
        std::vector<std::size_t> those;
        std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(those),
                     [&](std::size_t each) { return all[each].of == wanted; });
        return those;
    };
    // Those that were made for few mutants first, then those that were made at all.
    const std::vector<std::size_t> others = in_turn(of(mutants::kind::brief), of(mutants::kind::lengthy));
    const std::vector<std::size_t> by_hand = of(mutants::kind::by_hand);
    chosen = of(mutants::kind::aimed);
    chosen.insert(chosen.end(), by_hand.begin(), by_hand.end());
    // Forms are about steps: where an order is weakened they come last.
    const std::vector<std::size_t> forms = of(mutants::kind::form);
    const std::vector<std::size_t> rest = of_a_step ? in_turn(forms, others) : others;
    chosen.insert(chosen.end(), rest.begin(), rest.end());
    if (!of_a_step) chosen.insert(chosen.end(), forms.begin(), forms.end());
    // Rounds, each of more of them and with more schedules than the one before.
    unsigned round = 0;
    for (; seconds() < limit; ++round) {
        const std::size_t part = std::getenv("SYNCMAP_REPLAY") != nullptr ? chosen.size() : 100 + (chosen.size() >> 2 << round);
        for (std::size_t i = 0; i < std::min(part, chosen.size()) && seconds() < limit; ++i) {
            const mutants::program& each = all[chosen[i]];
            const auto [in_order, weak_in_order, by_chance] = effort_for(each.of);
            const limits bounds{.preemptions = 1,
                                .schedules = in_order << 2 * round,
                                .random = by_chance << round,
                                .seed = 1 + round * 100'000,
                                .steered = true};
            if (of_a_step) expect_right(each.run(bounds));
            limits weak = bounds;
            weak.schedules = weak_in_order << 2 * round;
            weak.weak = true;
            expect_right(each.run(weak));
        }
        if (std::getenv("SYNCMAP_REPLAY") != nullptr) break;
    }
    std::printf("survived %.1f s: %zu programs, %u rounds, %llu schedules\n", seconds(), chosen.size(), round,
                static_cast<unsigned long long>(schedules));
    return 0;
}
