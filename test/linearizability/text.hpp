// Calls and contents in words, and a history as a picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "linearizability/call.hpp"
#include "linearizability/contents.hpp"

namespace linearizability {

std::string to_text(const held& value);
/// `names`: the keys' numbers outside; none: their own.
std::string to_text(const contents& all, std::span<const std::uint64_t> names = {});
std::string to_text(const map_call& call, bool of_one_key = false, std::span<const std::uint64_t> names = {});
using labels = std::function<std::string(const map_call&)>;

/// The calls as bars from start to end, time from left to right, one row for each thread. Only the order of the starts
/// and ends is shown, not their distance.
///
///     A  [store(1, 11) -> new]
///     B                           [load(1) -> nothing]
///                                 ^ no order explains this
std::string picture_of(std::span<const map_call> calls, std::size_t culprit, const labels& label);

} // namespace linearizability
