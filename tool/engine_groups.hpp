// The maps that a name given to `--engine` stands for: one, or a group of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "subject.hpp"

namespace syncmap::tool {

struct engine_group {
    std::string_view name;
    std::string_view about;
    bool (*has)(const bench::engine&);
};

std::span<const engine_group> engine_groups();

/// What the names stand for, in the order of `engines()`, each map once; all maps for no names. Throws `usage_error`
/// for a name that is neither a map nor a group of this build, and for groups without any map in it.
std::vector<const bench::engine*> chosen_engines(const std::vector<std::string>& names);

} // namespace syncmap::tool
