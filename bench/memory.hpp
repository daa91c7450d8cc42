// Memory of this process and of the machine.
#pragma once

#include <cstdint>
#include <optional>

namespace syncmap::bench {

/// Bytes of physical memory that this process holds: every allocator and every mapping, page by page.
std::optional<std::uint64_t> resident_bytes();

/// Bytes that could be used without pushing others out, within the control group's limit.
std::optional<std::uint64_t> available_bytes();

} // namespace syncmap::bench
