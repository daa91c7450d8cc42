// Histories as text: docs/history-format.md.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <stdexcept>
#include <string>

#include "linearizability/history.hpp"

namespace linearizability {

/// A line that cannot be read.
struct malformed_history : std::runtime_error {
    malformed_history(std::size_t line_number, const std::string& what) : std::runtime_error(what), line(line_number) {}
    std::size_t line;
};

/// With the last contents, if they are known, as loads of thread 0 after everything.
void write_history(std::ostream& out, const history& recorded);
history read_history(std::istream& in);

} // namespace linearizability
