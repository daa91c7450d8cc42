#include "engine_groups.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "usage_error.hpp"

namespace syncmap::tool {
namespace {

using namespace syncmap::bench;

template <role Part>
bool plays(const engine& e) {
    return e.part == Part;
}

constexpr std::array groups{
    engine_group{"family", "syncmap's own maps of given types", plays<role::family>},
    engine_group{"locks", "the standard map behind a standard lock", plays<role::lock>},
    engine_group{"peers", "other people's concurrent maps that were found", plays<role::peer>},
    engine_group{"limits", "maps for one thread, and measured with one alone", plays<role::limit>},
    engine_group{"all", "everything that is there", [](const engine&) { return true; }},
};

bool stands_for(const std::string& name, const engine& e) {
    const auto group = std::ranges::find(groups, name, &engine_group::name);
    return group == groups.end() ? e.name == name : group->has(e);
}

[[noreturn]] void refuse(const std::string& name) {
    std::vector<std::string_view> known;
    for (const engine& e : engines()) known.push_back(e.name);
    for (const engine_group& g : groups) known.push_back(g.name);
    throw usage_error(fmt::format("no engine '{}' in this build: it has {}", name, fmt::join(known, ", ")));
}

} // namespace

std::span<const engine_group> engine_groups() { return groups; }

std::vector<const engine*> chosen_engines(const std::vector<std::string>& names) {
    std::vector<const engine*> chosen;
    for (const engine& e : engines()) {
        if (names.empty() || std::ranges::any_of(names, [&](const std::string& name) { return stands_for(name, e); })) {
            chosen.push_back(&e);
        }
    }
    for (const std::string& name : names) {
        if (std::ranges::none_of(engines(), [&](const engine& e) { return stands_for(name, e); })) refuse(name);
    }
    return chosen;
}

} // namespace syncmap::tool
