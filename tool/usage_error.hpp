// What the user asked for cannot be done: one line on stderr, exit status 2.
#pragma once

#include <stdexcept>

namespace syncmap::tool {

class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace syncmap::tool
