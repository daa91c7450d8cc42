// What calls on all keys say about large maps, beside what the search of groups of keys finds (see history.hpp).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "linearizability/call.hpp"
#include "linearizability/history.hpp"

namespace linearizability {

/// The calls on single keys, ordered by key and then by start, and where each key's begin.
struct by_key {
    std::vector<map_call> calls;
    std::vector<std::size_t> begin; ///< one more than keys
};

/// Shortens the snapshots among `whole`, the calls on all keys, to the time in which they must have been taken. Empty, or
/// which one shows no instant.
std::string narrow_snapshots(const history& recorded, const by_key& parts, std::vector<map_call>& whole);

/// Empty, or which size there cannot have been.
std::string check_sizes(const history& recorded);

} // namespace linearizability
