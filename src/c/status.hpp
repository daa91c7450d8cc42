// Between exceptions, which the maps throw, and status codes, which C gets.
#pragma once

#include <syncmap.h>

#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <syncmap/errors.hpp>

namespace syncmap::dynamic {

/// Ends a call with a status.
struct failure {
    syncmap_status status;
};

/// Calls a function of the caller's, which may be C++ after all.
template <class F>
auto call_back(F f) -> decltype(f()) {
    try {
        return f();
    } catch (...) {
        throw failure{SYNCMAP_EXCEPTION};
    }
}

/// The status of the exception that is being handled.
inline syncmap_status current_status() noexcept {
    try {
        throw;
    } catch (const failure& f) {
        return f.status;
    } catch (const std::bad_alloc&) {
        return SYNCMAP_NO_MEMORY;
    } catch (const std::length_error&) {
        return SYNCMAP_TOO_LARGE;
    } catch (const reentrant_call&) {
        return SYNCMAP_REENTRANT;
    } catch (const recursive_update&) {
        return SYNCMAP_RECURSIVE;
    } catch (const recursive_load&) {
        return SYNCMAP_RECURSIVE;
    } catch (const std::logic_error&) { // an argument that the map refuses
        return SYNCMAP_INVALID;
    } catch (...) {
        return SYNCMAP_SYSTEM;
    }
}

/// Runs `f(result)`, where nothing that it throws goes further: then the result is empty but for its status.
template <class Result, class F>
Result guarded(F f) noexcept {
    Result result{};
    try {
        f(result);
    } catch (...) {
        result = Result{};
        result.status = current_status();
    }
    return result;
}

} // namespace syncmap::dynamic
