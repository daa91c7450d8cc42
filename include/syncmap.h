/*
 * syncmap.h: the dynamic concurrent map for C, and for every language that can call C; and a cache of the same keys and
 * values (syncmap/c/cache.h).
 *
 * Keys and values are nil, bool, 64-bit integers (signed and unsigned kept apart), doubles, bytes, and handles:
 * pointers of yours with a type number and a function that the library calls when it needs them no longer. Any number
 * of threads may call every function at once, on the same map, without registering; only the destruction of a map must
 * be the last call.
 *
 *     syncmap_map *users = syncmap_create(NULL).map;
 *     syncmap_store(users, syncmap_string("user:1"), syncmap_string("Alice"));
 *     syncmap_result name = syncmap_load(users, syncmap_string("user:1"));
 *     if (name.found) puts(name.value.as.bytes.data);
 *     syncmap_release(name.value);
 *     syncmap_destroy(users);
 *
 * The following holds for every function.
 *
 * Errors      are status codes in the result; `syncmap_message` returns the text. A call that fails has changed nothing
 *             and has taken nothing over. A null map or cache gives SYNCMAP_INVALID, and so does a value of an unknown kind.
 * Arguments   The library reads them only during the call: it copies bytes that it stores. Handles: see
 *             `syncmap_handle`.
 * Results     A value that a call returns belongs to the caller, which passes it to `syncmap_release` when it is no longer
 *             needed; for nil, bool and numbers that does nothing, and may be left out. A value that a callback or a
 *             cursor shows is borrowed: it is valid until the callback returns, or until the next call with the cursor.
 * `found`     the key was there when the call had its effect.
 * `changed`   the call changed the map, and took over the handles that it was given.
 * Progress    is that of the C++ map under it (docs/guarantees.md). Of SYNCMAP_ENGINE_MAP: a *read* takes no lock and
 *             waits for no thread; a *write* locks one bucket for some instructions, and waits for computations of its key.
 * Callbacks   run with no lock held and may call every function, on the same map and key too. For exceptions see
 *             `syncmap_load_or_compute`, `syncmap_update` and `syncmap_erase_if`. They must return: no longjmp, and
 *             no pthread_exit. A C++ exception that leaves one ends the call with SYNCMAP_EXCEPTION. It must not leave a
 *             release callback.
 *
 * The page docs/c-api.md describes the rest: ownership, the layout of the structures, building and linking.
 */
#ifndef SYNCMAP_H
#define SYNCMAP_H

#include <syncmap/c/cache.h>
#include <syncmap/c/fork.h>
#include <syncmap/c/map.h>
#include <syncmap/c/values.h>
#include <syncmap/c/whole_map.h>

#endif /* SYNCMAP_H */
