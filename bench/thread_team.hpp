// The threads of one round.
#pragma once

#include <functional>

namespace syncmap::bench {

/// Processors that this process may use.
unsigned usable_processors();

/// Runs `work(thread)` on `threads` threads that begin together, and `meanwhile`, if given, on the caller's
/// thread from that moment on. Returns when all are done. With `pin`, each thread stays on a processor of
/// its own; with more threads than processors none is pinned.
void run_team(unsigned threads, bool pin, const std::function<void(unsigned)>& work,
              const std::function<void()>& meanwhile = {});

} // namespace syncmap::bench
