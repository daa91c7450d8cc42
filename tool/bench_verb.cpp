// The options of `syncmap bench`.
#include <memory>

#include <CLI/CLI.hpp>

#include "bench_figures.hpp"
#include "bench_options.hpp"
#include "bench_run.hpp"
#include "verb.hpp"

namespace syncmap::tool {

verb_action add_bench(CLI::App& verb) {
    const auto typed = std::make_shared<bench_arguments>();
    bench_arguments& a = *typed;
    verb.add_option("--suite", a.suite, "A named set of cells (default: default)");
    verb.add_option("--workload", a.workloads, "Workloads to measure instead of a suite, with commas between")->delimiter(',');
    verb.add_option(
            "--cell", a.cells,
            "Of --suite limits, guarantee-costs or cache only these cells, by name (of limits also by its beginning), with "
            "commas between")
        ->delimiter(',');
    verb.add_option(
        "--mix", a.mix,
        "A workload of your own instead: loads=80,stores=15,churn=5, in percent; modifies, lengths and walks besides");
    verb.add_option("--candidate", a.candidates,
                    "Maps to measure, by name or as the groups family, locks, peers, limits, all "
                    "(default: all; for --mix: family,mutex)")
        ->delimiter(',');
    verb.add_option("--keys", a.keys, "Keys in the map: 1000, 1e6, 250k, 10M; several with commas")->delimiter(',');
    verb.add_option("--threads", a.threads, "Threads; several with commas (default: one for each processor)")->delimiter(',');
    verb.add_option("--key-type", a.key_types, "integer (8 bytes to 8), string (16-40 bytes to 32), or both")->delimiter(',');
    verb.add_option("--distribution", a.distribution,
                    "uniform, zipf, or own (each thread its own keys), where the workload leaves it open");
    verb.add_option("--seconds", a.seconds, "Time for the whole run (default: the suite's, mostly 60)");
    verb.add_option("--rounds", a.rounds, "Interleaved rounds for each cell (default: the suite's, mostly 5)");
    verb.add_option("--seed", a.seed, "Seed of keys, requests and order (default: 1)");
    verb.add_option("--json", a.json, "Write everything that was found to this file; - is stdout");
    verb.add_flag("--quick", a.quick,
                  "The suite `quick`: a dozen seconds; with --suite limits, guarantee-costs or cache: short rounds and a tenth "
                  "of the keys");
    verb.add_flag("--no-pin", a.no_pin, "Leave the threads where the system puts them");
    verb.add_flag("--list", a.list, "Tell the workloads, suites, candidates, their groups and the decision matrix, and end");
    return [typed] {
        if (typed->list) {
            list_bench();
            return exit_status::fine;
        }
        return is_figure_suite(typed->suite) ? run_figures(*typed) : run_bench(understand(*typed));
    };
}

} // namespace syncmap::tool
