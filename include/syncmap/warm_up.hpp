// For threads that must not allocate when they first use a map: they read in a signal handler, or must be fast.
#pragma once

#include <syncmap/detail/language.hpp>

#include <new>

#include <syncmap/engine/process.hpp>
#include <syncmap/engine/tuning.hpp>

namespace syncmap {

/// Takes, for the calling thread, what its reads of maps will need; the thread keeps it until it ends. The thread's first use
/// of a map whose entries are nodes does the same. Throws `bad_alloc`.
///
/// After it, `load`, `contains` and `visit` may be called in a signal handler that interrupts this thread anywhere, in
/// the middle of a write to the same map too: they allocate nothing, make no system call, and wait for nothing. (The copy of a
/// value may do so: `load` of a string may allocate, `visit` does not copy.)
///
/// A map belongs to the program or library whose code wrote to it first. Where symbols are hidden, a thread that also uses maps
/// of another library needs a little more for those, each time. Then a read may allocate.
///
/// Also throws `bad_alloc` if the process has no key of thread-specific data left and the system does not report whether
/// threads have ended: the thread can keep nothing then.
inline void warm_up() {
    using kept = engine::machine::per_thread<reclaim::hazard_record<engine::machine>>;
    const reclaim::thread_lease<engine::machine> hazard_record(engine::process<engine::machine>::instance().threads);
    if (kept::get() == nullptr && kept::left() == nullptr) throw std::bad_alloc();
}

} // namespace syncmap
