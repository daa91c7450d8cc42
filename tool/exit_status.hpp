// How the tool ends, so that scripts can ask.
#pragma once

namespace syncmap::tool {

enum exit_status : int {
    fine = 0,
    findings = 1, ///< done, and something is wrong with what was looked at
    refused = 2   ///< not done: bad options, unreadable files, impossible sizes
};

} // namespace syncmap::tool
