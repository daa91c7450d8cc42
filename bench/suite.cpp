#include "suite.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "limits.hpp"

namespace syncmap::bench {
namespace {

constexpr std::uint64_t few = 1'000;
constexpr std::uint64_t many = 100'000;

cell on(std::string_view workload, std::uint64_t keys, unsigned threads, key_kind kind = key_kind::integer) {
    return {find_workload(workload), keys, threads, kind};
}

std::vector<cell> each(std::initializer_list<std::string_view> names, std::uint64_t keys, unsigned threads, key_kind kind) {
    std::vector<cell> cells;
    for (const std::string_view name : names) cells.push_back(on(name, keys, threads, kind));
    return cells;
}

/// One cell for each question that users ask; the first ones alone make the quick suite.
std::vector<cell> representative(unsigned processors) {
    return {on("read-90", few, 1),
            on("read-100", many, processors),
            on("ycsb-a", many, processors),
            on("ycsb-b", many, processors, key_kind::string),
            on("read-90", many, processors),
            on("disjoint", many, processors),
            on("churn-90", many, processors),
            on("grow", many, processors),
            on("hot", many, processors),
            on("read-90", few, processors)};
}

std::vector<cell> quick(unsigned processors) {
    std::vector<cell> cells = representative(processors);
    cells.resize(4);
    return cells;
}

std::vector<cell> ycsb(unsigned processors) {
    return each({"ycsb-a", "ycsb-b", "ycsb-c", "ycsb-d", "ycsb-f"}, many, processors, key_kind::integer);
}

std::vector<cell> shares(unsigned processors) {
    return each({"read-100", "read-99", "read-90", "read-50", "read-0"}, many, processors, key_kind::integer);
}

/// What more threads give: each workload with 1, 2, 4, … threads, and with one for each processor.
std::vector<cell> scaling(unsigned processors) {
    std::vector<cell> cells;
    const auto add = [&](std::string_view workload, key_kind kind) {
        for (unsigned threads = 1; threads < processors; threads *= 2) cells.push_back(on(workload, many, threads, kind));
        cells.push_back(on(workload, many, processors, kind));
    };
    for (const std::string_view workload : {"read-100", "read-90", "disjoint", "churn-90", "churn", "hot", "counter"}) {
        add(workload, key_kind::integer);
    }
    for (const std::string_view workload : {"ycsb-b", "read-50"}) add(workload, key_kind::string);
    return cells;
}

/// Every workload with both kinds of keys.
std::vector<cell> everything(unsigned processors) {
    std::vector<cell> cells;
    for (const key_kind kind : {key_kind::integer, key_kind::string}) {
        for (const workload& what : workloads()) cells.push_back({&what, many, processors, kind});
    }
    return cells;
}

std::vector<cell> limits(unsigned processors) {
    std::vector<cell> cells;
    for (const limit_cell& limit : limit_cells(processors, false)) cells.push_back(limit.what);
    return cells;
}

constexpr std::array catalogue{
    suite{"default", "one cell for each question that users ask", 60, 5, representative},
    suite{"quick", "its first four cells, in a hurry", 12, 3, quick},
    suite{"ycsb", "YCSB A, B, C, D and F", 60, 5, ycsb},
    suite{"shares", "read shares of 100, 99, 90, 50 and 0 %", 60, 5, shares},
    suite{"limits", "map against what the machine can do, and against the best peers: about ten minutes (see --cell)", 600, 5,
          limits},
    suite{"scaling", "uniform, own and hot keys with 1, 2, 4, ... threads up to one for each processor", 200, 5, scaling},
    suite{"all", "every workload, integer and string keys", 300, 5, everything},
};

} // namespace

std::span<const suite> suites() { return catalogue; }

const suite* find_suite(std::string_view name) {
    const auto found = std::ranges::find(catalogue, name, &suite::name);
    return found == catalogue.end() ? nullptr : &*found;
}

} // namespace syncmap::bench
