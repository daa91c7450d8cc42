// Maps in the child of a `fork` that was made while other threads were writing.
//
// The child of a fork has one thread: the one that forked. What the others held at that instant is never released.
// Reads (`load`, `contains`, `visit`) hold nothing and wait for no thread, so the child may read any `syncmap::map`
// without further ado. For everything else these functions bring all maps of the process to a state that the child can
// go on from:
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

/// Waits until no thread is in the middle of a write of any `syncmap::map`; those that want to begin one then wait,
/// asleep, until the fork is over. Reads go on. In between, call nothing of this library but `after_fork_in_...`.
///
/// Call it outside of callbacks, or in those of `update`, `load_or_compute`, `visit`, `for_each` and `erase_if` (in the
/// child the operation then goes on); not in an allocator, nor in the hash or equality of a key.
///
/// It concerns the maps of the program or shared library that calls it: those whose first write was made by its code.
/// Where libraries hide their symbols and make maps of their own, each calls it for its own.
///
/// Throws `barrier_refused` in a sandbox that refuses everything by which threads can be made to pass a barrier. Then all
/// maps are as they were before.
inline void before_fork() {
    static_cast<void>(sync::real::random_word()); // what is made once per process is made now, not while it forks
    engine::map_registry<engine::machine>::before_fork();
}

/// Lets the writers go on.
inline void after_fork_in_parent() { engine::map_registry<engine::machine>::after_fork_in_parent(); }

/// Makes all maps usable in the child, for its one thread and those that it will start. Computations of the threads
/// that the child has not got are dropped, as if their functions had thrown. Snapshots that those threads held live on;
/// memory that they had in hand (a node about to be stored, the table of a `clear`) is lost to the child.
inline void after_fork_in_child() { engine::map_registry<engine::machine>::after_fork_in_child(); }

} // namespace syncmap
