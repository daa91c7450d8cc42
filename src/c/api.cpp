// The functions of syncmap.h but for the updates', the cursors' and the caches'. Each turns its arguments into one operation on
// the map inside.
#include <syncmap.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include <syncmap/fork.hpp>
#include <syncmap/version.hpp>

#include "calls.hpp"

namespace syncmap::dynamic {

namespace {

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
    case SYNCMAP_OK: return "success";
    case SYNCMAP_INVALID: return "invalid argument: a null pointer, a value of no kind, or an unknown option";
    case SYNCMAP_NO_MEMORY: return "out of memory";
    case SYNCMAP_TOO_LARGE: return "more entries or bytes than there can be";
    case SYNCMAP_REENTRANT: return "a callback called the locked map that its own thread is inside of";
    case SYNCMAP_RECURSIVE:
        return "a callback asked for the key that its own thread is computing or loading, or for one of another thread that "
               "waits for it";
    case SYNCMAP_UNSUPPORTED: return "not supported by this engine";
    case SYNCMAP_EXCEPTION: return "a callback let a C++ exception out";
    case SYNCMAP_SYSTEM: return "the system refused a service";
    case SYNCMAP_KIND: return "the value is of another kind than the operation needs";
    case SYNCMAP_NOTHING: return "there is nothing: a load of a cache says so";
    default: return status >= SYNCMAP_CALLER ? "the caller's computation failed" : "unknown status";
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

syncmap_result syncmap_contains(syncmap_map* map, syncmap_value key) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key);
        result.found = here->contains(key);
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

syncmap_result syncmap_compare_exchange(syncmap_map* map, syncmap_value key, syncmap_value expected, syncmap_value desired) {
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

syncmap_result syncmap_load_or_compute(syncmap_map* map, syncmap_value key, syncmap_compute_callback compute, void* context) {
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

syncmap_result syncmap_fetch_add(syncmap_map* map, syncmap_value key, syncmap_value operand) {
    return guarded<syncmap_result>([&](syncmap_result& result) {
        call here(checked(map));
        require_valid(key);
        require(operand.kind == SYNCMAP_INT || operand.kind == SYNCMAP_UINT || operand.kind == SYNCMAP_DOUBLE);
        argument given(operand);
        add op(given);
        store(here, key, given, op, result);
        if (op.is_other_kind) throw failure{SYNCMAP_KIND};
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

syncmap_count syncmap_erase_if(syncmap_map* map, syncmap_condition_callback condition, void* context) {
    return guarded<syncmap_count>([&](syncmap_count& result) {
        call here(checked(map));
        require(condition != nullptr);
        here.everything_departed(); // what was erased before an error, too
        result.count = here->erase_if([&](const value& k, const value& v) {
            return call_back([&] { return condition(context, k.shown(), v.shown()); });
        });
    });
}

syncmap_statistics syncmap_statistics_of(syncmap_map* map) {
    return guarded<syncmap_statistics>([&](syncmap_statistics& result) {
        call here(checked(map));
        result.engine = here->number();
        const auto count = [&](const value& v, std::size_t& bytes) {
            if (v.kind() == SYNCMAP_BYTES) {
                bytes += bytes_of(v.shown()).size();
                result.memory_bytes += sizeof(bytes_memory) + bytes_of(v.shown()).size() + 1;
            } else if (v.is_handle()) {
                ++result.handles;
                result.memory_bytes += sizeof(handle_memory);
            }
        };
        here->for_each([&](const value& k, const value& v) {
            ++result.entries;
            count(k, result.key_bytes);
            count(v, result.value_bytes);
            return true;
        });
        constexpr std::size_t links = 2 * sizeof(void*); // what refers to an entry, and what the entry has beside key and value
        result.memory_bytes += result.entries * (2 * sizeof(value) + links);
    });
}

syncmap_stats syncmap_stats_of(syncmap_map* map) {
    return guarded<syncmap_stats>([&](syncmap_stats& result) {
        call here(checked(map));
        const syncmap::map_stats all = here->stats();
        result.engine = here->number();
        result.entries = all.entries;
        result.buckets = all.buckets;
        result.places = all.places;
        result.overflow_lines = all.overflow_lines.value_or(SYNCMAP_ABSENT);
        result.garbage_bytes = all.garbage_bytes.value_or(SYNCMAP_ABSENT);
        result.resizes = all.resizes.value_or(SYNCMAP_ABSENT);
        result.waits = all.waits.value_or(SYNCMAP_ABSENT);
    });
}

syncmap_count syncmap_size(syncmap_map* map) {
    return guarded<syncmap_count>([&](syncmap_count& result) {
        call here(checked(map));
        result.count = here->size();
    });
}

syncmap_status syncmap_clear(syncmap_map* map) {
    return guarded_status([&] {
        call here(checked(map));
        here->clear();
        here.everything_departed();
    });
}

syncmap_status syncmap_replace(syncmap_map* map, syncmap_map* other) {
    return guarded_status([&] {
        call here(checked(map));
        call there(checked(other));
        require(map != other);
        here.handle_arrived(other->has_held_handles.load(std::memory_order_relaxed));
        if (!here->replace(*other->entries)) throw failure{SYNCMAP_UNSUPPORTED};
        here.everything_departed();
    });
}

syncmap_status syncmap_reserve(syncmap_map* map, std::size_t entries) {
    return guarded_status([&] {
        call here(checked(map));
        here->reserve(entries);
    });
}

syncmap_status syncmap_shrink(syncmap_map* map) {
    return guarded_status([&] {
        call here(checked(map));
        if (!here->shrink()) throw failure{SYNCMAP_UNSUPPORTED};
        here->flush();
    });
}

syncmap_status syncmap_flush(syncmap_map* map) {
    return guarded_status([&] {
        call here(checked(map));
        here->flush();
    });
}

// ---- fork ----

syncmap_status syncmap_before_fork(void) {
    return guarded_status([] { syncmap::before_fork(); });
}

void syncmap_after_fork_in_parent(void) { syncmap::after_fork_in_parent(); }

void syncmap_after_fork_in_child(void) { syncmap::after_fork_in_child(); }

} // extern "C"
