// The functions of syncmap.h but for the cursors'. Each turns its arguments into one operation on the map inside.
#include <syncmap.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include <syncmap/version.hpp>

#include "any_engine.hpp"
#include "map.hpp"
#include "status.hpp"

namespace syncmap::dynamic {

namespace {

void require(bool condition) {
    if (!condition) throw failure{SYNCMAP_INVALID};
}

syncmap_map& checked(syncmap_map* map) {
    require(map != nullptr);
    return *map;
}

template <class... Values>
void require_valid(const Values&... values) {
    require((is_valid(values) && ...));
}

void tell(syncmap_result& result, write_outcome& op) {
    result.found = op.found;
    result.changed = op.changed;
    result.value = std::move(op.seen).handed_out();
}

/// A write that may store `stored`, and how it ended. Takes over what it was given if it changed the map.
template <class Op>
void store(call& map, const syncmap_value& key, argument& stored, Op& op, syncmap_result& result) {
    key_argument sought(key);
    map.handle_arrived(sought.is_handle() || stored.is_handle()); // before anyone can clear it away
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
void take_away(call& map, const syncmap_value& key, Op& op, syncmap_result& result) {
    map->write(key, op);
    map.handle_departed(op.displaced_handle || (op.changed && key.kind == SYNCMAP_HANDLE));
    tell(result, op);
}

/// What a computation returned, which is the library's from the first moment.
value taken(const syncmap_result& computed) {
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

/// Members of the options that this version knows, whatever version the caller was compiled with.
syncmap_options read(const syncmap_options* given) {
    syncmap_options known{};
    if (given == nullptr) return known;
    require(given->size >= offsetof(syncmap_options, reserve));
    std::memcpy(&known, given, given->size < sizeof known ? given->size : sizeof known);
    require(known.unused == 0);
    const char* const bytes = reinterpret_cast<const char*>(given);
    for (std::size_t i = sizeof known; i < given->size; ++i) require(bytes[i] == 0);
    return known;
}

} // namespace

} // namespace syncmap::dynamic

using namespace syncmap::dynamic;

extern "C" {

const char* syncmap_version(void) { return syncmap::library_version_text; }

const char* syncmap_message(syncmap_status status) {
    switch (status) {
    case SYNCMAP_OK:
        return "success";
    case SYNCMAP_INVALID:
        return "invalid argument: a null pointer, a value of no kind, or an unknown option";
    case SYNCMAP_NO_MEMORY:
        return "out of memory";
    case SYNCMAP_TOO_LARGE:
        return "more entries or bytes than there can be";
    case SYNCMAP_REENTRANT:
        return "a callback called the locked map that its own thread is inside of";
    case SYNCMAP_RECURSIVE:
        return "a callback asked to write the key that its own thread is computing, or one that another thread computes that waits for it";
    case SYNCMAP_UNSUPPORTED:
        return "not supported by this engine";
    case SYNCMAP_EXCEPTION:
        return "a callback let a C++ exception out";
    case SYNCMAP_SYSTEM:
        return "the system refused a service";
    default:
        return status >= SYNCMAP_CALLER ? "the caller's computation failed" : "unknown status";
    }
}

// ---- values ----

bool syncmap_equal(syncmap_value a, syncmap_value b) { return is_valid(a) && is_valid(b) && equal(a, b); }

void syncmap_release(syncmap_value v) {
    if (has_reference(v)) value::taken_back(v); // and destroyed
}

syncmap_result syncmap_retain(syncmap_value v) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        require_valid(v);
        argument given(v);
        value own(given.view());
        given.take_over();
        result.changed = v.kind == SYNCMAP_HANDLE && v.memory == nullptr;
        result.value = std::move(own).handed_out();
    });
}

// ---- maps ----

syncmap_created syncmap_create(const syncmap_options* options) {
    return guarded<syncmap_created>([&](syncmap_created& result) {
        const syncmap_options known = read(options);
        std::unique_ptr<any_engine> entries = make_engine(known.engine, key_hash(known.hash, known.hash_context));
        require(entries != nullptr);
        if (known.reserve != 0) entries->reserve(known.reserve);
        result.map = new syncmap_map(std::move(entries));
    });
}

void syncmap_destroy(syncmap_map* map) { delete map; }

// ---- reads ----

syncmap_result syncmap_load(syncmap_map* map, syncmap_value key) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key);
        value found;
        result.found = here->load(key, found);
        result.value = std::move(found).handed_out();
    });
}

syncmap_result syncmap_visit(syncmap_map* map, syncmap_value key, syncmap_visit_callback callback, void* context) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key);
        require(callback != nullptr);
        result.found = here->visit(key, [&](const value& v) { call_back([&] { callback(context, v.shown()); }); });
    });
}

// ---- writes ----

syncmap_result syncmap_store(syncmap_map* map, syncmap_value key, syncmap_value desired) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key, desired);
        argument given(desired);
        put op(given, false);
        store(here, key, given, op, result);
    });
}

syncmap_result syncmap_load_or_store(syncmap_map* map, syncmap_value key, syncmap_value desired) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key, desired);
        argument given(desired);
        put_if_absent op(given);
        store(here, key, given, op, result);
    });
}

syncmap_result syncmap_exchange(syncmap_map* map, syncmap_value key, syncmap_value desired) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key, desired);
        argument given(desired);
        put op(given, true);
        store(here, key, given, op, result);
    });
}

syncmap_result syncmap_erase(syncmap_map* map, syncmap_value key) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key);
        take op(false);
        take_away(here, key, op, result);
    });
}

syncmap_result syncmap_load_and_erase(syncmap_map* map, syncmap_value key) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key);
        take op(true);
        take_away(here, key, op, result);
    });
}

syncmap_result syncmap_compare_exchange(syncmap_map* map, syncmap_value key, syncmap_value expected,
                                        syncmap_value desired) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key, expected, desired);
        argument given(desired);
        compare_put op(expected, given);
        store(here, key, given, op, result);
    });
}

syncmap_result syncmap_compare_erase(syncmap_map* map, syncmap_value key, syncmap_value expected) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key, expected);
        compare_take op(expected);
        take_away(here, key, op, result);
    });
}

syncmap_result syncmap_load_or_compute(syncmap_map* map, syncmap_value key, syncmap_compute_callback compute,
                                       void* context) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key);
        require(compute != nullptr);
        key_argument sought(key);
        auto now = here->compute(sought, [&] {
            value made = taken(call_back([&] { return compute(context, borrowed(key)); }));
            here.handle_arrived(sought.is_handle() || made.is_handle());
            return made;
        });
        result.found = now.loaded;
        result.changed = !now.loaded;
        if (result.changed) sought.take_over();
        result.value = std::move(now.value).handed_out();
    });
}

// ---- the whole map ----

syncmap_count syncmap_for_each(syncmap_map* map, syncmap_entry_callback callback, void* context) {
    std::size_t shown = 0;
    syncmap_count result = guarded<syncmap_count>([&](syncmap_count&) {
        call here(checked(map));
        require(callback != nullptr);
        here->for_each([&](const value& k, const value& v) {
            ++shown;
            return call_back([&] { return callback(context, k.shown(), v.shown()); });
        });
    });
    result.count = shown;
    return result;
}

syncmap_count syncmap_size(syncmap_map* map) {
    return guarded<syncmap_count>([&](syncmap_count& result) {
        call here(checked(map));
        result.count = here->size();
    });
}

syncmap_status syncmap_clear(syncmap_map* map) {
    return guarded<syncmap_count>([&](syncmap_count&) {
               call here(checked(map));
               here->clear();
               here.everything_departed();
           })
        .status;
}

syncmap_status syncmap_reserve(syncmap_map* map, std::size_t entries) {
    return guarded<syncmap_count>([&](syncmap_count&) {
               call here(checked(map));
               here->reserve(entries);
           })
        .status;
}

syncmap_status syncmap_flush(syncmap_map* map) {
    return guarded<syncmap_count>([&](syncmap_count&) {
               call here(checked(map));
               here->flush();
           })
        .status;
}

} // extern "C"
