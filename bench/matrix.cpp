#include "matrix.hpp"

#include <array>
#include <cstddef>

namespace syncmap::bench {
namespace {

constexpr std::uint64_t small = 1'000;
constexpr unsigned far_outnumbered = 90; ///< percent of reads

enum row : std::size_t { one_thread, small_map, churn, reads, dynamic, writes };

constexpr std::array rows{
    matrix_row{"one thread only, by mistake many", "plain map", "one thread"},
    matrix_row{"the map is small, simplicity matters", "map + mutex", "at most 1,000 keys"},
    matrix_row{"length, one instant, churn that bloats", "map + RWMutex",
               "there are lengths or walks, or at least half of the writes insert and erase keys"},
    matrix_row{"reads far outnumber writes, threads write distinct keys", "sync.Map",
               "at least 90 % reads, or each thread reads and overwrites its own keys"},
    matrix_row{"avoid locks on the read path, dynamic values acceptable", "sync.Map",
               "the cells with at least 90 % reads, once more, if any_map is measured"},
    matrix_row{"frequent writes, compile-time types", "map + mutex", "everything else"},
};

bool mostly_reads(const workload& what) { return what.loads >= far_outnumbered; }

} // namespace

std::span<const matrix_row> matrix() { return rows; }

const matrix_row& row_of(const cell& cell) {
    const workload& what = *cell.what;
    const unsigned all_writes = what.stores + what.modifies + what.inserts + what.pairs;
    if (cell.threads == 1) return rows[one_thread];
    if (cell.keys <= small) return rows[small_map];
    if (what.lengths != 0 || what.walks != 0 || (what.pairs != 0 && 2 * what.pairs >= all_writes)) return rows[churn];
    if (mostly_reads(what) || (cell.chosen() == choice::own && what.inserts == 0)) return rows[reads];
    return rows[writes];
}

const matrix_row* dynamic_row_of(const cell& cell) {
    return &row_of(cell) == &rows[reads] && mostly_reads(*cell.what) ? &rows[dynamic] : nullptr;
}

} // namespace syncmap::bench
