// Exceptions that syncmap throws on its own account: instead of a deadlock, and where the dynamic map meets a type that
// cannot do what is asked of it. All are errors of the program, but for `barrier_refused`. The map goes on working.
#pragma once

#include <syncmap/detail/language.hpp>

#include <stdexcept>
#include <string>

namespace syncmap {

/// Thrown at once, before anything is changed, when a callback writes the very key that its own
/// thread is at that moment computing, or when waiting for another computation would close a cycle
/// of computations that wait for each other (the threads and maps in between may be any). One thread of a cycle gets it, and
/// the others go on. Every other use of the map from a callback works. A write that finds that it has nothing to change may
/// return instead.
///
/// The map sees waits for its keys alone. A callback that joins a thread which writes the callback's own key waits for ever.
///
/// Threads that wait for the computation do not share this exception: the next one runs its own function.
/// If it leaves the callback, that computation ends with it, and the map holds what it held before.
class recursive_update : public std::logic_error {
public:
    recursive_update()
        : std::logic_error("syncmap: a callback asked to write the key that its own thread is computing, or one that another "
                           "thread computes "
                           "that waits for it") {}
};

/// Thrown at once, before anything is changed, by the maps behind one lock (`mutex_map`,
/// `shared_mutex_map`) when a thread that is inside the map asks for an operation that would have to
/// wait for itself. `syncmap::map` never throws it: there callbacks may call everything.
class reentrant_call : public std::logic_error {
public:
    reentrant_call()
        : std::logic_error("syncmap: a callback called the locked map that its own thread is inside of; "
                           "syncmap::map allows that") {}
};

/// Thrown before anything is changed, when threads must pass a barrier and a sandbox, entered after the first use of a map,
/// refuses all system calls by which one of them can make the others do so (docs/guarantees.md, Threads and processes):
///
/// - by `snapshot` and `before_fork`;
/// - by operations that need a new node or table, once a node or a table that they replace could not be freed.
class barrier_refused : public std::runtime_error {
public:
    barrier_refused() : std::runtime_error("syncmap: the system refuses membarrier, and whatever could be done instead") {}
};

/// Thrown by `any::as<T>()` when the value is of another type.
class bad_assertion : public std::logic_error {
public:
    bad_assertion(const std::string& held, const std::string& wanted)
        : std::logic_error("interface conversion: value is " + held + ", not " + wanted) {}
};

/// Thrown before anything is changed, when a key of an `any_map` is of a type that has no `std::hash` or no operator==.
class unhashable_type : public std::logic_error {
public:
    explicit unhashable_type(const std::string& type)
        : std::logic_error("syncmap: hash of unhashable type " + type + ": a key needs std::hash and operator==") {}
};

/// Thrown before anything is changed, when two values of an `any_map` are compared whose type has no operator==.
class incomparable_type : public std::logic_error {
public:
    explicit incomparable_type(const std::string& type)
        : std::logic_error("syncmap: comparing incomparable type " + type + ": it has no operator==") {}
};

} // namespace syncmap
