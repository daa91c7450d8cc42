// Whatever is typed behind `syncmap bench`: understood, or refused with one line; what was understood is possible.
//
// Input: lines of an option's letter and its value.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench_options.hpp"
#include "usage_error.hpp"

namespace {

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "fuzz: %s\n", what);
    std::abort();
}

/// As the command line splits it.
std::vector<std::string> by_commas(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        parts.emplace_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

void take(syncmap::tool::bench_arguments& to, char option, std::string_view value) {
    switch (option) {
    case 's': to.suite = value; break;
    case 'w': to.workloads = by_commas(value); break;
    case 'm': to.mix = std::string(value); break;
    case 'e': to.candidates = by_commas(value); break;
    case 'k': to.keys = by_commas(value); break;
    case 't': to.threads = by_commas(value); break;
    case 'y': to.key_types = by_commas(value); break;
    case 'd': to.distribution = value; break;
    case 'n': to.seconds = value; break;
    case 'r': to.rounds = value; break;
    case 'x': to.seed = value; break;
    case 'q': to.quick = true; break;
    default: break;
    }
}

void check(const syncmap::tool::bench_job& job) {
    if (job.cells.empty() || job.maps.empty()) fail("nothing to do, and no error");
    if (!(job.seconds > 0) || job.rounds == 0) fail("no time, and no error");
    for (const auto& cell : job.cells) {
        const auto& w = *cell.what;
        if (cell.keys == 0 || cell.threads == 0) fail("a cell without keys or threads");
        if (job.mix && w.loads + w.stores + w.modifies + w.lengths + w.walks + w.pairs != 100)
            fail("a mix that is not 100 percent");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (size > 4096) return 0; // cells are a product
    syncmap::tool::bench_arguments arguments;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (end > at) take(arguments, text[at], text.substr(at + 1, end - at - 1));
        at = end + 1;
    }
    if (arguments.keys.size() > 8 || arguments.threads.size() > 8 || arguments.key_types.size() > 8 ||
        arguments.workloads.size() > 8) {
        return 0;
    }
    try {
        check(syncmap::tool::understand(arguments));
    } catch (const syncmap::tool::usage_error& refused) {
        const std::string_view why(refused.what());
        if (why.empty()) fail("an error without a word");
    }
    return 0;
}
