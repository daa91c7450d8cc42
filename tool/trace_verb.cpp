// The options of `syncmap trace`.
#include <memory>

#include <CLI/CLI.hpp>

#include "trace_run.hpp"
#include "verb.hpp"

namespace syncmap::tool {

verb_action add_trace(CLI::App& verb) {
    const auto typed = std::make_shared<trace_arguments>();
    trace_arguments& a = *typed;
    verb.add_option("FILE", a.file, "The trace; - is stdin: xz -dc FILE | syncmap trace -")->required();
    verb.add_option("--capacity", a.capacities, "Entries of the caches: 1000, 1e6, 250k; several with commas")
        ->delimiter(',')
        ->required();
    verb.add_option("--format", a.format,
                    "lines (each line is a key; the default), ranges (lines of `first count`), or words (four bytes a key, the "
                    "highest first)");
    verb.add_option("--threads", a.threads,
                    "Threads that share the requests of syncmap::cache; several with commas (default: 1)")
        ->delimiter(',');
    verb.add_option("--also", a.also, "Replay syncmap::lru_cache or syncmap::sieve_cache too: lru, sieve, or lru,sieve")
        ->delimiter(',');
    verb.add_option("--name", a.name, "What to call the trace in the output (default: the file's name)");
    verb.add_option("--json", a.json, "Write everything that was found to this file; - is stdout");
    return [typed] { return run_trace(*typed); };
}

} // namespace syncmap::tool
