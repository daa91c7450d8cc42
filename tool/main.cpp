#include <array>
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <syncmap/version.hpp>

#include "usage_error.hpp"
#include "verb.hpp"

namespace {

using namespace syncmap::tool;

struct verb {
    const char* name;
    const char* about;
    verb_action (*add)(CLI::App&);
};

constexpr std::array verbs{
    verb{"bench", "Measure concurrent maps side by side on this machine", add_bench},
    verb{"regret", "Compare syncmap::cache with thirteen policies: on made requests, or on a recorded trace", add_regret},
    verb{"trace", "Replay a recorded trace: how often syncmap::cache hits, beside LRU, SIEVE, CLOCK and the optimum",
         add_trace},
};

exit_status refuse(std::string why) {
    for (char& c : why) {
        if (c == '\n') c = ' ';
    }
    fmt::print(stderr, "syncmap: {}\n", why);
    return exit_status::refused;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("syncmap: the concurrent map's companion", "syncmap");
    app.set_version_flag("--version", std::string("syncmap ") + syncmap::library_version_text);
    app.require_subcommand(1);
    verb_action chosen;
    for (const verb& v : verbs) {
        CLI::App* const command = app.add_subcommand(v.name, v.about);
        const verb_action action = v.add(*command);
        command->callback([&chosen, action] { chosen = action; });
    }
    try {
        app.parse(argc, argv);
        return chosen();
    } catch (const CLI::Success& help_or_version) {
        return app.exit(help_or_version);
    } catch (const CLI::ParseError& error) {
        return refuse(std::string(error.what()) + " (see syncmap --help)");
    } catch (const usage_error& error) {
        return refuse(error.what());
    } catch (const std::exception& error) {
        fmt::print(stderr, "syncmap: {}\n", error.what());
        return exit_status::findings;
    }
}
