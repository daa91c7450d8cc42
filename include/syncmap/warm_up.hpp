// For threads that must not allocate when they first use a map: those that read in a signal handler, or have to be
// quick.
#pragma once

#include <syncmap/detail/language.hpp>

#include <new>

#include <syncmap/engine/process.hpp>
#include <syncmap/engine/tuning.hpp>

namespace syncmap {

/// The calling thread takes what its reads of maps will need, and keeps it until it ends. Any use of a map whose
/// entries are nodes does the same, the first time. Throws `bad_alloc`.
///
/// After it, `load`, `contains` and `visit` may be called in a signal handler that interrupts this thread anywhere, in
/// the middle of a write to the same map too: they allocate nothing, make no system call, and wait for nothing. (What
/// the copy of a value does is another matter: `load` of a string may allocate, `visit` does not copy.)
///
/// A map names the program or library whose code wrote to it first; a thread that also uses maps of another library,
/// where symbols are hidden, needs a little more for those, each time. Then a read may allocate.
///
/// Throws `bad_alloc` also where neither the process has a key of thread-specific data left, nor the system tells whether
/// threads have ended: the thread can keep nothing then.
inline void warm_up() {
    using kept = engine::machine::per_thread<reclaim::hazard_record<engine::machine>>;
    const reclaim::thread_lease<engine::machine> hazard_record(engine::process<engine::machine>::instance().threads);
    if (kept::get() == nullptr && kept::left() == nullptr) throw std::bad_alloc();
}

} // namespace syncmap
