#include "candidate_groups.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "usage_error.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

template <role Part>
bool plays(const candidate& e) {
    return e.part == Part;
}

constexpr std::array groups{
    candidate_group{"family", "syncmap's own maps of given types", plays<role::family>},
    candidate_group{"locks", "the standard map behind a standard lock", plays<role::lock>},
    candidate_group{"peers", "other people's concurrent maps that were found", plays<role::peer>},
    candidate_group{"limits", "maps for one thread, and measured with one alone", plays<role::limit>},
    candidate_group{"all", "everything that is there", [](const candidate&) { return true; }},
};

bool stands_for(const std::string& name, const candidate& e) {
    const auto group = std::ranges::find(groups, name, &candidate_group::name);
    return group == groups.end() ? e.name == name : group->has(e);
}

[[noreturn]] void refuse_map(const std::string& name) {
    std::vector<std::string_view> known;
    for (const candidate& e : candidates()) known.push_back(e.name);
    for (const candidate_group& g : groups) known.push_back(g.name);
    throw usage_error(fmt::format("no candidate '{}' in this build: it has {}", name, fmt::join(known, ", ")));
}

} // namespace

std::span<const candidate_group> candidate_groups() { return groups; }

std::vector<const candidate*> chosen_candidates(const std::vector<std::string>& names) {
    std::vector<const candidate*> chosen;
    for (const candidate& e : candidates()) {
        if (names.empty() || std::ranges::any_of(names, [&](const std::string& name) { return stands_for(name, e); })) {
            chosen.push_back(&e);
        }
    }
    for (const std::string& name : names) {
        if (std::ranges::none_of(candidates(), [&](const candidate& e) { return stands_for(name, e); })) refuse_map(name);
    }
    return chosen;
}

} // namespace syncmap::tool
