// What the figures were measured on and with.
#pragma once

#include <cstdint>
#include <string>

namespace syncmap::tool {

struct machine {
    std::string processor;
    unsigned processors;
    std::uint64_t memory; ///< bytes
    std::string system;
    std::string compiler;
    std::string flags;  ///< of the measured code
    std::string commit; ///< that it was made from; empty: unknown
};

machine this_machine();

} // namespace syncmap::tool
