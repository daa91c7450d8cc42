// Maps in the child of a `fork` that a thread makes while other threads write.
//
// The child of a fork has one thread: the one that forked. What the others held at that instant is never released.
// Reads (`load`, `contains`, `visit`) hold nothing and wait for no thread, so the child may read any `syncmap::map`
// without these functions. It may also destroy them, and use maps that it makes itself. For everything else they bring all maps
// of the process to a state from which the child can go on:
//
//     syncmap::before_fork();
//     const pid_t child = fork();
//     if (child == 0) {
//         syncmap::after_fork_in_child();
//     } else {
//         syncmap::after_fork_in_parent(); // also when fork failed
//     }
//
// or once, for every fork of the program, `system` and the like included:
//
//     pthread_atfork([] { syncmap::before_fork(); }, [] { syncmap::after_fork_in_parent(); },
//                    [] { syncmap::after_fork_in_child(); });
#pragma once

#include <syncmap/detail/language.hpp>

#include <syncmap/engine/table/map_registry.hpp>
#include <syncmap/engine/tuning.hpp>

namespace syncmap {

/// Waits until no thread is in the middle of a write of any `syncmap::map`. Threads that begin a write then wait, asleep, until
/// the fork is over. Reads go on. In between, call nothing of this library but `after_fork_in_...`.
///
/// Call it outside of callbacks, or in those of `update`, `load_or_compute`, `visit`, `for_each` and `erase_if` (in the
/// child the operation then goes on). Do not call it in an allocator, nor in the hash or equality of a key.
///
/// It concerns the maps of the program or shared library that calls it: those to which its code made the first write.
/// If libraries hide their symbols and make maps of their own, each of them calls it for its own maps.
///
/// Throws `barrier_refused` in a sandbox that refuses every way to make threads pass a barrier. Then all maps are as they were
/// before.
inline void before_fork() {
    static_cast<void>(sync::real::random_word()); // made once per process: now, and not during the fork
    engine::map_registry<engine::machine>::before_fork();
}

/// Ends the wait of the writers.
inline void after_fork_in_parent() { engine::map_registry<engine::machine>::after_fork_in_parent(); }

/// Makes all maps usable in the child, for its one thread and those that it will start. Drops the computations of threads
/// that the child lacks, as if their functions had thrown. Snapshots of those threads stay live. Memory that only those
/// threads could reach (a node about to be stored, the table of a `clear`) is lost to the child.
inline void after_fork_in_child() { engine::map_registry<engine::machine>::after_fork_in_child(); }

} // namespace syncmap
