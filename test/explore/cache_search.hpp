// How far the programs of caches are explored: in sequentially consistent and in weak memory, and with memory that is used
// again.
#pragma once

#include <functional>
#include <string>

#include <explore/explorer.hpp>
#include <explore/map_suite.hpp>

#include <gtest/gtest.h>

namespace explore {

/// `of`: stands in front of the program's name.
inline void search_cache(const std::string& of, const std::string& name, const std::function<void()>& body) {
    for (const bool weak : {false, true}) {
        for (const reuse memory : {reuse::never, reuse::at_once}) {
            if (weak && memory != reuse::never) continue;
            const report r = explore::explore(of + ", " + name + (weak ? ", weak" : "") + name_of(memory),
                                              {.preemptions = full_run() ? 3U : 2U,
                                               .schedules = full_run() ? 2'000'000U
                                                            : weak     ? 500U
                                                                       : 1'000U,
                                               .random = full_run() ? 100'000U : 100U,
                                               .memory = memory,
                                               .weak = weak},
                                              body);
            EXPECT_FALSE(r.failed()) << r.description;
            if (r.failed()) return;
        }
    }
}

} // namespace explore
