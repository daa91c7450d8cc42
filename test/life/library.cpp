// One of the libraries that libraries_test.cpp loads.
#include "life/libraries.hpp"

extern "C" [[gnu::visibility("default")]] const test::library syncmap_test_library = {
    [] { return new test::shared_map; },
    [](test::shared_map* map) { delete map; },
    [](test::shared_map* map, std::uint64_t thread, std::uint64_t rounds) { return test::work_on(*map, thread, rounds); },
    [](test::shared_map* map, void (*inner)(test::shared_map*)) { return test::observe(*map, inner); },
    [](test::shared_map* map, void (*inner)(test::shared_map*)) { test::compute_with(*map, inner); },
    [](test::shared_map* map) { return test::is_refused(*map); },
};
