// A verb of the tool: `syncmap bench` and its kin.
#pragma once

#include <functional>

#include "exit_status.hpp"

namespace CLI {
class App;
}

namespace syncmap::tool {

/// What to do when the command line was understood. Throws `usage_error` for what it cannot do.
using verb_action = std::function<exit_status()>;

/// Each adds a subcommand with its options to the command line and returns its action.
verb_action add_bench(CLI::App& verb);
verb_action add_regret(CLI::App& verb);
verb_action add_trace(CLI::App& verb);

} // namespace syncmap::tool
