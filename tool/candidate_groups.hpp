// The maps that a name given to `--candidate` stands for: one, or a group of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "subject.hpp"

namespace syncmap::tool {

struct candidate_group {
    std::string_view name;
    std::string_view about;
    bool (*has)(const bench::candidate&);
};

std::span<const candidate_group> candidate_groups();

/// What the names stand for, in the order of `candidates()`, each map once; all maps for no names. Throws `usage_error`
/// for a name that is neither a map nor a group of this build, and for groups without any map in it.
std::vector<const bench::candidate*> chosen_candidates(const std::vector<std::string>& names);

} // namespace syncmap::tool
