#include "bench_table.hpp"

#include <algorithm>
#include <functional>

#include <fmt/core.h>

#include <syncmap/version.hpp>

#include "bench_limits.hpp"
#include "machine.hpp"
#include "statistics.hpp"
#include "units.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

std::string bytes_column(const std::optional<double>& bytes) { return bytes ? fmt::format("{:.0f}", *bytes) : "-"; }

std::string ratio_column(const candidate_result& map, const candidate_result* mutex) {
    return mutex == nullptr ? "-" : fmt::format("{:.2f}x", paired_ratio(map.rates, mutex->rates).median);
}

} // namespace

std::string describe(const cell& cell) {
    const bool replaced = cell.distribution && cell.chosen() == *cell.distribution && cell.chosen() != cell.what->keys;
    const std::string_view instead = cell.chosen() == choice::zipf  ? "; Zipf instead"
                                     : cell.chosen() == choice::own ? "; each thread its own keys"
                                                                    : "; uniform instead";
    return fmt::format("{} ({}{}), {} {} keys, {} thread{}", cell.what->name, cell.what->about, replaced ? instead : "",
                       with_separators(cell.keys), cell.kind == key_kind::integer ? "integer" : "string", cell.threads,
                       cell.threads == 1 ? "" : "s");
}

std::string short_name(const cell& cell) {
    return fmt::format("{}{} {}/{}T", cell.what->name, cell.kind == key_kind::string ? " strings" : "", in_short(cell.keys),
                       cell.threads);
}

void print_heading(std::FILE* out, const bench_job& job) {
    const machine here = this_machine();
    fmt::print(out, "syncmap {} bench: {}, {} processor{}, {}, {}; {}; {}\n", library_version_text, here.processor,
               here.processors, here.processors == 1 ? "" : "s", in_bytes(static_cast<double>(here.memory)), here.system,
               here.compiler, here.flags);
    if (!job.limits.empty()) return print_limits_heading(out, job);
    fmt::print(out,
               "{} interleaved rounds in random order, all maps alive; {}; syncmap's hash for all but the standard map\n"
               "Mops/s: all threads together, median and range. ns/op: of one thread. p99.9: of one operation, in ns, timed\n"
               "in a pass of its own. B/entry: memory held, mean from that many keys to twice as many (above 1e6: there)\n\n",
               job.rounds, job.pin ? "threads pinned where they fit" : "threads not pinned");
}

void print_cell(std::FILE* out, const bench_outcome& outcome, std::size_t index) {
    const cell_outcome& cell = outcome.cells[index];
    std::vector<const candidate_result*> ranking;
    for (const candidate_result& map : cell.measured.maps) ranking.push_back(&map);
    std::ranges::sort(ranking, std::greater<>{}, [](const candidate_result* map) { return spread_of(map->rates).median; });

    fmt::print(out, "[{}/{}] {}\n", index + 1, outcome.job.cells.size(), describe(cell.measured.what));
    fmt::print(out, "  {:<18}{:>9}{:>19}{:>10}{:>10}{:>12}{:>9}\n", "", "Mops/s", "range", "ns/op", "x mutex", "p99.9",
               "B/entry");
    const candidate_result* const mutex = cell.find(baseline);
    for (const candidate_result* const map : ranking) {
        const spread rate = spread_of(map->rates);
        const std::string name = fmt::format("{}{}", map->map->name, map->map->part == role::limit ? " (limit)" : "");
        fmt::print(out, "  {:<18}{:>9}{:>19}{:>10.1f}{:>10}{:>12}{:>9}\n", name, in_millions(rate.median),
                   in_millions(rate.least) + " - " + in_millions(rate.most), 1e9 * cell.measured.what.threads / rate.median,
                   ratio_column(*map, mutex), with_separators(map->latencies.quantile(0.999)),
                   bytes_column(outcome.weight_of(*map->map, cell.measured.what).fair()));
    }
    print_excluded(out, cell);
    fmt::print(out, "\n");
    std::fflush(out);
}

void print_excluded(std::FILE* out, const cell_outcome& cell) {
    for (const candidate_result& map : cell.excluded) {
        fmt::print(out, "  {}: excluded, {} operations did not find what had to be there{}{}\n", map.map->name,
                   with_separators(map.wrong), map.map->caveat.empty() ? "" : ": it ", map.map->caveat);
    }
    for (const left_out& out_of_it : cell.measured.absent) {
        fmt::print(out, "  {}: {}, it {}\n", out_of_it.map->name, out_of_it.failed ? "excluded" : "left out", out_of_it.why);
    }
}

} // namespace syncmap::tool
