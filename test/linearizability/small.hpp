// Checks short histories, as they come from the explorer.
#pragma once

#include <string>
#include <vector>

#include "linearizability/call.hpp"
#include "linearizability/contents.hpp"

namespace linearizability {

/// Empty, or why no order of the calls explains the answers. The map holds `initial` at first. A history without calls
/// on all keys is checked key by key; one with them as a whole, with at most `contents::keys` keys (0, 1, ...).
///
/// Calls that go over all keys without being atomic come as one call a key, with the same instants: `for_each` as the
/// loads that it made (absent for a key it did not visit), `erase_if` as parts that say how many were erased in all.
/// A snapshot says what it showed by the digest of the contents.
std::string check_history(std::vector<map_call> history, const contents& initial = {});

} // namespace linearizability
