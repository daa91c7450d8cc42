/* What a program calls around a fork. Included by syncmap.h. */
#ifndef SYNCMAP_C_FORK_H
#define SYNCMAP_C_FORK_H

#include <syncmap/c/values.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- fork ---- */

/**
 * Waits until no thread is in the middle of a write of a map of SYNCMAP_ENGINE_MAP or of a cache. Threads that begin a write
 * then wait until the fork is over; reads go on. Between this call and the one after the fork, call nothing else of this
 * library.
 *
 *     syncmap_before_fork();
 *     child = fork();
 *     if (child == 0) syncmap_after_fork_in_child(); else syncmap_after_fork_in_parent();
 *
 * Or once for every fork: `pthread_atfork(before, in_parent, in_child)` with functions that call these three. A child of
 * a fork without them may only read and destroy maps of SYNCMAP_ENGINE_MAP and caches that were there before; those that it
 * creates are like any others. A child never uses maps of the other engines that were there before.
 *
 * It may be called from callbacks that run with no lock held, and not from a hash.
 * Errors: SYNCMAP_SYSTEM in a sandbox that refuses every way to stop the writers; then no thread waits. SYNCMAP_NO_MEMORY.
 */
SYNCMAP_API syncmap_status syncmap_before_fork(void);

/** Ends the wait of the writers; also after a fork that failed. Cannot fail. */
SYNCMAP_API void syncmap_after_fork_in_parent(void);

/**
 * Makes all maps of SYNCMAP_ENGINE_MAP and caches usable in the child, for its one thread and those that it starts. Drops
 * computations, updates and loads of threads that the child lacks, as if their callbacks had failed. Cannot fail.
 */
SYNCMAP_API void syncmap_after_fork_in_child(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SYNCMAP_C_FORK_H */
