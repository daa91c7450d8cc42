#include "bench_outcome.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "bench_table.hpp"
#include "statistics.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

template <class Accept>
const candidate_result* best(const std::vector<candidate_result>& maps, Accept accept) {
    const candidate_result* found = nullptr;
    double rate = 0;
    for (const candidate_result& candidate : maps) {
        const double median = spread_of(candidate.rates).median;
        if (candidate.map->part == role::limit || !accept(candidate) || median <= rate) continue;
        found = &candidate;
        rate = median;
    }
    return found;
}

} // namespace

void cell_outcome::take(cell_result found) {
    measured = std::move(found);
    excluded.clear();
    const auto wrong = std::ranges::stable_partition(measured.maps, [](const candidate_result& r) { return r.wrong == 0; });
    std::ranges::move(wrong, std::back_inserter(excluded));
    measured.maps.erase(wrong.begin(), wrong.end());
}

const candidate_result* cell_outcome::find(std::string_view name) const {
    const auto found = std::ranges::find(measured.maps, name, [](const candidate_result& r) { return r.map->name; });
    return found == measured.maps.end() ? nullptr : &*found;
}

const candidate_result* cell_outcome::fastest() const {
    return best(measured.maps, [](const candidate_result&) { return true; });
}

const candidate_result* cell_outcome::fastest_beside(const candidate_result& one) const {
    return best(measured.maps, [&](const candidate_result& other) { return &other != &one; });
}

weight bench_outcome::weight_of(const candidate& map, const cell& cell) const {
    const auto found = weights.find({map.name, cell.kind, cell.keys});
    return found == weights.end() ? weight{} : found->second;
}

double bench_outcome::worst_foreign_load() const {
    double worst = 0;
    for (const cell_outcome& cell : cells) worst = std::max(worst, cell.measured.foreign_load.value_or(0));
    return worst;
}

std::vector<std::string> bench_outcome::excluded() const {
    std::map<std::string_view, std::vector<std::string>> where;
    for (const cell_outcome& cell : cells) {
        for (const candidate_result& map : cell.excluded) where[map.map->name].push_back(short_name(cell.measured.what));
        for (const left_out& out : cell.measured.absent) {
            if (out.failed) where[out.map->name].push_back(short_name(cell.measured.what));
        }
    }
    std::vector<std::string> list;
    for (const auto& [name, names] : where) list.push_back(fmt::format("{} ({})", name, fmt::join(names, ", ")));
    return list;
}

bool bench_outcome::own_maps_failed() const {
    return std::ranges::any_of(cells, [](const cell_outcome& cell) {
        return std::ranges::any_of(cell.measured.absent, [](const left_out& out) { return out.map->is_own() && out.failed; }) ||
               std::ranges::any_of(cell.excluded, [](const candidate_result& r) { return r.map->is_own(); });
    });
}

} // namespace syncmap::tool
