// The options of `syncmap regret`.
#include <memory>

#include <CLI/CLI.hpp>

#include "regret_run.hpp"
#include "verb.hpp"

namespace syncmap::tool {

verb_action add_regret(CLI::App& verb) {
    const auto typed = std::make_shared<regret_arguments>();
    regret_arguments& a = *typed;
    verb.add_option("FILE", a.file, "A recorded trace, as of syncmap trace; - is stdin (default: requests that are made)");
    verb.add_option("--capacity", a.capacities, "Entries of the caches, for FILE; several with commas")->delimiter(',');
    verb.add_option("--format", a.format, "Of FILE: lines, ranges or words; see syncmap trace");
    verb.add_option("--seed", a.seed, "Of the made requests (default: 1)");
    verb.add_option("--kind", a.kind, "Only made requests whose kind has this text in its name");
    verb.add_flag("--second", a.second, "A second family of made requests, of other kinds and sizes");
    return [typed] { return run_regret(*typed); };
}

} // namespace syncmap::tool
