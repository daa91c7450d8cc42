// What the functions of syncmap.h share: the check of their arguments, and what they do with values that they are given.
#pragma once

#include <syncmap.h>

#include <utility>

#include "any_engine.hpp"
#include "map.hpp"
#include "status.hpp"

namespace syncmap::dynamic {

inline void require(bool condition) {
    if (!condition) throw failure{SYNCMAP_INVALID};
}

/// Of a map or of a cache.
template <class Store>
Store& checked(Store* store) {
    require(store != nullptr);
    return *store;
}

template <class... Values>
void require_valid(const Values&... values) {
    require((is_valid(values) && ...));
}

inline void tell(syncmap_result& result, write_outcome& op) {
    result.found = op.found;
    result.changed = op.changed;
    result.value = std::move(op.seen).handed_out();
}

/// A write that may store `stored`, and how it ended. Takes over what it was given if it changed the map.
template <class Op>
void store(call<syncmap_map>& map, const syncmap_value& key, argument& stored, Op& op, syncmap_result& result) {
    key_argument sought(key);
    map.handle_arrived(sought.is_handle() || stored.is_handle()); // before another thread can clear it away
    map->write(sought, op);
    if (op.changed) {
        sought.take_over();
        stored.take_over();
    }
    // The key, too: beside another thread that inserts an equal one, either of the two may be the one that stays.
    map.handle_departed(op.displaced_handle || (op.changed && op.found && sought.is_handle()));
    tell(result, op);
}

/// A write that may erase the key.
template <class Op>
void take_away(call<syncmap_map>& map, const syncmap_value& key, Op& op, syncmap_result& result) {
    map->write(key, op);
    map.handle_departed(op.displaced_handle || (op.changed && key.kind == SYNCMAP_HANDLE));
    tell(result, op);
}

/// What a computation returned, which is the library's from the first moment.
inline value taken(const syncmap_result& computed) {
    if (computed.status == SYNCMAP_RECURSIVE) throw recursive_update(); // which waiting threads do not share
    if (computed.status != SYNCMAP_OK) throw failure{computed.status};
    const syncmap_value& given = computed.value;
    require_valid(given);
    const value returned = has_reference(given) ? value::taken_back(given) : value();
    try {
        argument made(given);
        made.take_over();
        return value(made.view());
    } catch (...) {
        if (given.kind == SYNCMAP_HANDLE && given.memory == nullptr && given.as.handle.release != nullptr) {
            given.as.handle.release(given.as.handle.pointer, given.as.handle.type);
        }
        throw;
    }
}

/// A function that returns a status alone.
template <class F>
syncmap_status guarded_status(F f) noexcept {
    return guarded<syncmap_count>([&](syncmap_count&) { f(); }).status;
}

} // namespace syncmap::dynamic
