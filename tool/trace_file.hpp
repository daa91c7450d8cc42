// Traces from files and pipes.
#pragma once

#include <string>

#include "trace.hpp"

namespace syncmap::tool {

enum class trace_format {
    lines,  ///< text: each line is a key
    ranges, ///< text: `first count` and whatever follows; asks for the keys first .. first + count - 1
    words   ///< binary: each four bytes are a key, the highest byte first
};

/// Throws `usage_error` for other names than `lines`, `ranges` and `words`.
trace_format trace_format_of(const std::string& name);

/// Reads the file, or stdin for "-". Throws `usage_error` for what is no such trace, one without requests, and one of more
/// than a thousand million requests.
bench::trace read_trace(const std::string& path, trace_format format);

} // namespace syncmap::tool
