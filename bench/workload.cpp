#include "workload.hpp"

#include <algorithm>
#include <array>

namespace syncmap::bench {
namespace {

//   name, about, keys, loads, stores, modifies, inserts, pairs, lengths, walks, batch, visits, clears
constexpr std::array catalogue{
    workload{"ycsb-a", "YCSB A: 50 % reads, 50 % overwrites, Zipf", choice::zipf, 50, 50, 0, 0, 0},
    workload{"ycsb-b", "YCSB B: 95 % reads, 5 % overwrites, Zipf", choice::zipf, 95, 5, 0, 0, 0},
    workload{"ycsb-c", "YCSB C: reads only, Zipf", choice::zipf, 100, 0, 0, 0, 0},
    workload{"ycsb-d", "YCSB D: 95 % reads of the latest keys, 5 % inserts", choice::latest, 95, 0, 0, 5, 0},
    workload{"ycsb-f", "YCSB F: 50 % reads, 50 % read-modify-writes, Zipf", choice::zipf, 50, 0, 50, 0, 0},
    workload{"read-100", "reads only", choice::uniform, 100, 0, 0, 0, 0},
    workload{"read-99", "99 % reads, 1 % overwrites", choice::uniform, 99, 1, 0, 0, 0},
    workload{"read-90", "90 % reads, 10 % overwrites", choice::uniform, 90, 10, 0, 0, 0},
    workload{"read-50", "50 % reads, 50 % overwrites", choice::uniform, 50, 50, 0, 0, 0},
    workload{"read-0", "overwrites only", choice::uniform, 0, 100, 0, 0, 0},
    workload{"miss", "reads of keys that are not there", choice::absent, 100, 0, 0, 0, 0},
    workload{"disjoint", "each thread overwrites its own keys", choice::own, 0, 100, 0, 0, 0},
    workload{"grow", "inserts into an empty map until all keys are in", choice::own, 0, 0, 0, 100, 0},
    workload{"churn", "inserts and erases in turn, the size stays", choice::uniform, 0, 0, 0, 0, 100},
    workload{"churn-90", "90 % reads, the rest inserts and erases in turn", choice::uniform, 90, 0, 0, 0, 10},
    workload{"length", "89 % reads, 1 % lengths, the rest inserts and erases in turn", choice::uniform, 89, 0, 0, 0, 10, 1},
    workload{"walk", "89 % reads, 1 % walks over all, the rest inserts and erases in turn", choice::uniform, 89, 0, 0, 0, 10, 0,
             1},
    workload{"hot", "one key for all threads: 90 % reads, 10 % overwrites", choice::single, 90, 10, 0, 0, 0},
    workload{"batch-32", "reads only, 32 keys in one call", choice::uniform, 100, 0, 0, 0, 0, 0, 0, 32},
    workload{"counter", "one key for all threads: read-modify-writes only", choice::single, 0, 0, 100, 0, 0},
    workload{"counter-90", "one key for all threads: 90 % reads, 10 % read-modify-writes", choice::single, 90, 0, 10, 0, 0},
    workload{"counters", "read-modify-writes only", choice::uniform, 0, 0, 100, 0, 0},
    workload{"snapshots", "walks over all entries as they are at one instant; entries a second", choice::uniform, 0, 0, 0, 0, 0,
             0, 100},
    workload{"visit", "all entries visited while no thread writes; entries a second", choice::uniform, 0, 0, 0, 0, 0, 0, 0, 0,
             100},
    workload{"clear", "the full map is cleared and destroyed; entries a second", choice::uniform, 0, 0, 0, 0, 0, 0, 0, 0, 0,
             true},
};

} // namespace

std::span<const workload> workloads() { return catalogue; }

const workload* find_workload(std::string_view name) {
    const auto found = std::ranges::find(catalogue, name, &workload::name);
    return found == catalogue.end() ? nullptr : &*found;
}

} // namespace syncmap::bench
