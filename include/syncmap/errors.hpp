// Exceptions of syncmap itself: instead of a deadlock, and for a type that cannot do what the dynamic map needs. All except
// `barrier_refused`, `load_timeout` and `snapshot_refused` are errors of the program. The map goes on working.
#pragma once

#include <syncmap/detail/language.hpp>

#include <stdexcept>
#include <string>

namespace syncmap {

/// Thrown at once, before anything is changed, in two cases. A callback writes the key that its own thread is computing. Or
/// waiting for another computation would close a cycle of waiting computations, through any threads and maps. One thread of
/// such a cycle gets the exception, and the others go on. Every other use of the map from a callback works. A write that finds
/// nothing to change may return instead.
///
/// The map sees only waits for its keys. A callback that joins a thread which writes the callback's own key waits for ever.
///
/// Threads that wait for the computation do not share this exception: the next one runs its own function. If the exception
/// leaves the callback, that computation ends with it, and the map holds what it held before.
class recursive_update : public std::logic_error {
public:
    recursive_update()
        : std::logic_error("syncmap: a callback asked to write the key that its own thread is computing, or one that another "
                           "thread computes "
                           "that waits for it") {}
};

/// Thrown at once by `get_or_load` and `pin_or_load` of a cache, when the calling thread is loading that very key, or when
/// waiting for the thread that loads it would close a cycle of threads that wait for each other. One thread of a cycle gets
/// it, and the others go on. The cycle may run through several caches and maps. Threads that wait for the load do not share
/// this exception: the next one runs its own loader.
class recursive_load : public std::logic_error {
public:
    recursive_load()
        : std::logic_error("syncmap: a loader asked for the key that its own thread is loading, or for one that another thread "
                           "loads that waits for it") {}
};

/// Thrown by `get_or_load` and its relatives, when another thread has been loading the key for longer than the cache's option
/// `load_timeout`. That load goes on. The next call waits anew.
class load_timeout : public std::runtime_error {
public:
    load_timeout() : std::runtime_error("syncmap: another thread loads this key, and has not ended within load_timeout") {}
};

/// Thrown by an operation of a cache that must load and was given no function, where the cache was made without a loader.
class no_loader : public std::logic_error {
public:
    no_loader()
        : std::logic_error("syncmap: a key is absent, and this cache has no loader: make it with {.load = ...}, or "
                           "write get_or_load(key, f)") {}
};

/// Thrown by `load` of a cache for a file that `save` has not written, or not to its end, or that another program wrote over:
/// torn, changed, of another type of cache, of a newer version of this library. See syncmap/cache/warm_restart.hpp.
class snapshot_refused : public std::runtime_error {
public:
    explicit snapshot_refused(const std::string& why) : std::runtime_error("syncmap: the cache's file is refused: " + why) {}
};

/// Thrown at once, before anything is changed, by the maps behind one lock (`mutex_map`, `shared_mutex_map`). A thread that is
/// inside the map has called an operation that would wait for that thread itself. `syncmap::map` never throws it: its callbacks
/// may call everything.
class reentrant_call : public std::logic_error {
public:
    reentrant_call()
        : std::logic_error("syncmap: a callback called the locked map that its own thread is inside of; "
                           "syncmap::map allows that") {}
};

/// Thrown before anything is changed, if threads must pass a barrier and a sandbox refuses all system calls by which one
/// thread can make the others do so. The program has entered that sandbox after the first use of a map (docs/guarantees.md,
/// Threads and processes). These throw it:
///
/// - `snapshot` and `before_fork`;
/// - `update` of a present key whose entry lies in the table;
/// - operations that need a new node or table, once a node or a table that they replace could not be freed.
class barrier_refused : public std::runtime_error {
public:
    barrier_refused() : std::runtime_error("syncmap: the system refuses membarrier, and whatever could be done instead") {}
};

/// Thrown by `any::as<T>()` if the value is of another type.
class bad_assertion : public std::logic_error {
public:
    bad_assertion(const std::string& held, const std::string& wanted)
        : std::logic_error("interface conversion: value is " + held + ", not " + wanted) {}
};

/// Thrown before anything is changed, if a key of an `any_map` is of a type that has no `std::hash` or no operator==.
class unhashable_type : public std::logic_error {
public:
    explicit unhashable_type(const std::string& type)
        : std::logic_error("syncmap: hash of unhashable type " + type + ": a key needs std::hash and operator==") {}
};

/// Thrown before anything is changed, if an operation compares two values of an `any_map` whose type has no operator==.
class incomparable_type : public std::logic_error {
public:
    explicit incomparable_type(const std::string& type)
        : std::logic_error("syncmap: comparing incomparable type " + type + ": it has no operator==") {}
};

} // namespace syncmap
