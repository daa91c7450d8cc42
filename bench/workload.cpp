#include "workload.hpp"

#include <algorithm>
#include <array>

namespace syncmap::bench {
namespace {

constexpr std::string_view read_mostly = "reads far outnumber writes";
constexpr std::string_view distinct_keys = "threads write distinct keys";
constexpr std::string_view write_heavy = "frequent writes, compile-time types";
constexpr std::string_view churning = "churn that bloats";

//   name, about, keys, loads, stores, modifies, inserts, pairs, matrix row
constexpr std::array catalogue{
    workload{"ycsb-a", "YCSB A: 50 % reads, 50 % overwrites, Zipf", choice::zipf, 50, 50, 0, 0, 0, write_heavy},
    workload{"ycsb-b", "YCSB B: 95 % reads, 5 % overwrites, Zipf", choice::zipf, 95, 5, 0, 0, 0, read_mostly},
    workload{"ycsb-c", "YCSB C: reads only, Zipf", choice::zipf, 100, 0, 0, 0, 0, read_mostly},
    workload{"ycsb-d", "YCSB D: 95 % reads of the latest keys, 5 % inserts", choice::latest, 95, 0, 0, 5, 0, read_mostly},
    workload{"ycsb-f", "YCSB F: 50 % reads, 50 % read-modify-writes, Zipf", choice::zipf, 50, 0, 50, 0, 0, write_heavy},
    workload{"read-100", "reads only", choice::uniform, 100, 0, 0, 0, 0, read_mostly},
    workload{"read-99", "99 % reads, 1 % overwrites", choice::uniform, 99, 1, 0, 0, 0, read_mostly},
    workload{"read-90", "90 % reads, 10 % overwrites", choice::uniform, 90, 10, 0, 0, 0, read_mostly},
    workload{"read-50", "50 % reads, 50 % overwrites", choice::uniform, 50, 50, 0, 0, 0, write_heavy},
    workload{"read-0", "overwrites only", choice::uniform, 0, 100, 0, 0, 0, write_heavy},
    workload{"miss", "reads of keys that are not there", choice::absent, 100, 0, 0, 0, 0, read_mostly},
    workload{"disjoint", "each thread overwrites its own keys", choice::own, 0, 100, 0, 0, 0, distinct_keys},
    workload{"grow", "inserts into an empty map until all keys are in", choice::own, 0, 0, 0, 100, 0, write_heavy},
    workload{"churn", "inserts and erases in turn, the size stays", choice::uniform, 0, 0, 0, 0, 100, churning},
    workload{"churn-90", "90 % reads, the rest inserts and erases in turn", choice::uniform, 90, 0, 0, 0, 10, churning},
    workload{"hot", "one key for all threads: 90 % reads, 10 % overwrites", choice::single, 90, 10, 0, 0, 0, read_mostly},
    workload{"counter", "one key for all threads: read-modify-writes only", choice::single, 0, 0, 100, 0, 0, write_heavy},
};

} // namespace

std::span<const workload> workloads() {
    return catalogue;
}

const workload* find_workload(std::string_view name) {
    const auto found = std::ranges::find(catalogue, name, &workload::name);
    return found == catalogue.end() ? nullptr : &*found;
}

} // namespace syncmap::bench
