/* Every allocation fails once: the call says so, has changed nothing, and has taken nothing over. */
#include "check.h"

#include <errno.h>
#include <malloc.h>

/* glibc's own functions, behind those that this program puts in their place. */
void* __libc_malloc(size_t size);
void* __libc_memalign(size_t alignment, size_t size);

static long countdown = -1; /* allocations until one fails; negative: none does */
static long failures = 0;

static long allocations = 0;

static bool fails(void) {
    ++allocations;
    if (countdown < 0 || countdown-- > 0) return false;
    ++failures;
    return true;
}
void* malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void* aligned_alloc(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }

/* Handles that the map took over, and that it released. */
static int given, released;
static void count_release(void* pointer, uint64_t type) {
    (void)pointer;
    (void)type;
    ++released;
}
static syncmap_value handle(uint64_t type) { return syncmap_handle(&released, type, count_release); }

static syncmap_status done(syncmap_result result, int handles) {
    CHECK(result.status == SYNCMAP_OK || (!result.changed && !result.found && result.value.kind == SYNCMAP_NIL));
    if (result.changed) given += handles;
    syncmap_release(result.value);
    return result.status;
}

/* ---- calls that want memory; the `i` makes each a new one ---- */

typedef syncmap_status (*scenario)(syncmap_map* map, int64_t i);

static syncmap_status store(syncmap_map* map, int64_t i) { return done(syncmap_store(map, syncmap_int(i), handle(1)), 1); }
static syncmap_status store_key(syncmap_map* map, int64_t i) {
    return done(syncmap_store(map, handle((uint64_t)i), syncmap_string("text")), 1);
}
static syncmap_status load_or_store(syncmap_map* map, int64_t i) {
    return done(syncmap_load_or_store(map, syncmap_string(i % 2 == 0 ? "even" : "odd"), handle(1)), 1);
}
static syncmap_status exchange(syncmap_map* map, int64_t i) {
    const bool with_handle = i % 2 == 0;
    return done(syncmap_exchange(map, syncmap_string("key"), with_handle ? handle(1) : syncmap_string("text")), with_handle);
}
static syncmap_status compare_exchange(syncmap_map* map, int64_t i) {
    return done(syncmap_compare_exchange(map, syncmap_int(1000 + i % 2), syncmap_nil(), handle(1)), 1);
}
static syncmap_status retain(syncmap_map* map, int64_t i) {
    (void)map;
    (void)i;
    return done(syncmap_retain(handle(1)), 1);
}
static syncmap_result compute_handle(void* context, syncmap_value key) {
    (void)context;
    (void)key;
    ++given; /* taken over whatever becomes of the call */
    return syncmap_computed(handle(1));
}
static syncmap_status compute(syncmap_map* map, int64_t i) {
    return done(syncmap_load_or_compute(map, syncmap_int(i), compute_handle, NULL), 0);
}
static syncmap_status walk(syncmap_map* map, int64_t i) {
    (void)i;
    const syncmap_opened opened = syncmap_cursor_open(map, SYNCMAP_CURSOR_WALK);
    syncmap_status status = opened.status;
    CHECK((status == SYNCMAP_OK) == (opened.cursor != NULL));
    int shown = 0;
    while (opened.cursor != NULL) {
        const syncmap_entry entry = syncmap_cursor_next(opened.cursor);
        if (entry.status != SYNCMAP_OK) {
            status = entry.status; /* and the same step again */
        } else if (entry.found) {
            ++shown;
        } else {
            break;
        }
    }
    CHECK(opened.cursor == NULL || shown == 40);
    syncmap_cursor_close(opened.cursor);
    return status;
}
static bool show_nothing(void* context, syncmap_value key, syncmap_value value) {
    (void)context;
    (void)key;
    (void)value;
    return true;
}
static syncmap_status for_each(syncmap_map* map, int64_t i) {
    (void)i;
    return syncmap_for_each(map, show_nothing, NULL).status;
}
static syncmap_status fetch_add(syncmap_map* map, int64_t i) {
    return done(syncmap_fetch_add(map, handle((uint64_t)i), syncmap_int(1)), 1);
}
static syncmap_status assign_handle(void* context, syncmap_slot* slots, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; ++i) {
        if (syncmap_slot_assign(&slots[i], handle(1)) == SYNCMAP_OK) ++given; /* whatever becomes of the call */
    }
    return SYNCMAP_OK;
}
static syncmap_status update(syncmap_map* map, int64_t i) {
    return done(syncmap_update(map, i % 2 == 0 ? handle((uint64_t)i) : syncmap_string("text"), assign_handle, NULL),
                i % 2 == 0);
}
static syncmap_status update_many(syncmap_map* map, int64_t i) {
    const syncmap_value keys[] = {handle((uint64_t)i), syncmap_int(i), syncmap_string("text")};
    const syncmap_status status = done(syncmap_update_many(map, keys, 3, assign_handle, NULL), 1);
    return status == SYNCMAP_UNSUPPORTED ? SYNCMAP_OK : status;
}
static syncmap_status reserve(syncmap_map* map, int64_t i) { return syncmap_reserve(map, 100 * (size_t)(i + 1)); }

static const scenario scenarios[] = {store, store_key, load_or_store, exchange, compare_exchange, retain,     compute,
                                     walk,  for_each,  reserve,       update,   fetch_add,        update_many};
enum { kinds_of_scenarios = sizeof scenarios / sizeof scenarios[0] };

/* Calls until one meets the allocation that fails, for each allocation that there is. */
static long survives(uint32_t engine, scenario run) {
    long errors = 0;
    for (long fail_at = 0;; ++fail_at) {
        syncmap_map* const map = make_map(engine);
        for (int64_t i = 1000; i < 1040; ++i) CHECK(syncmap_store(map, syncmap_int(i), syncmap_nil()).changed);
        given = released = 0;
        failures = 0;
        countdown = fail_at;
        for (int64_t i = 0; i < 60 && failures == 0; ++i) {
            const syncmap_status status = run(map, i);
            CHECK(status == SYNCMAP_OK || (status == SYNCMAP_NO_MEMORY && failures == 1));
            errors += status != SYNCMAP_OK;
        }
        countdown = -1;
        const bool was_last = failures == 0;
        if (run != compare_exchange) {
            for (int64_t i = 1000; i < 1040; ++i) CHECK(holds(map, syncmap_int(i), syncmap_nil()));
        }
        CHECK(run(map, 500) == SYNCMAP_OK);
        syncmap_destroy(map);
        CHECK(released == given);
        if (was_last) return errors;
    }
}

/* ---- caches ---- */

typedef syncmap_status (*cache_scenario)(syncmap_cache* cache, int64_t i);

static syncmap_status cache_put(syncmap_cache* cache, int64_t i) {
    return done(syncmap_cache_put(cache, handle((uint64_t)i), handle(1)), 2);
}
static syncmap_status cache_put_if_absent(syncmap_cache* cache, int64_t i) {
    return done(syncmap_cache_put_if_absent(cache, syncmap_string(i % 2 == 0 ? "even" : "odd"), handle(1)), 1);
}
static syncmap_status cache_load(syncmap_cache* cache, int64_t i) {
    return done(syncmap_cache_get_or_load(cache, syncmap_int(i), compute_handle, NULL), 0);
}
static syncmap_result find_nothing(void* context, syncmap_value key) {
    (void)context;
    (void)key;
    return syncmap_nothing();
}
static syncmap_status cache_load_in_vain(syncmap_cache* cache, int64_t i) {
    return done(syncmap_cache_get_or_load(cache, syncmap_int(i), find_nothing, NULL), 0);
}
static syncmap_status cache_take(syncmap_cache* cache, int64_t i) {
    const syncmap_status status = cache_put(cache, i);
    const syncmap_status taken = done(syncmap_cache_take(cache, handle((uint64_t)i)), 0);
    return status != SYNCMAP_OK ? status : taken;
}
static syncmap_status cache_invalidate_all(syncmap_cache* cache, int64_t i) {
    const syncmap_status status = cache_put(cache, i);
    const syncmap_status emptied = syncmap_cache_invalidate_all(cache);
    CHECK(emptied == SYNCMAP_NO_MEMORY || syncmap_cache_size(cache).count == 0);
    return status != SYNCMAP_OK ? status : emptied;
}

static const cache_scenario cache_scenarios[] = {cache_put,          cache_put_if_absent, cache_load,
                                                 cache_load_in_vain, cache_take,          cache_invalidate_all};

static int left, misses_of_memory;
static void count_removal(void* context, syncmap_value key, syncmap_value value, syncmap_removal reason) {
    const syncmap_result kept = syncmap_retain(key);
    (void)context;
    (void)value;
    (void)reason;
    ++left;
    misses_of_memory += kept.status != SYNCMAP_OK;
    syncmap_release(kept.value);
}

/* As `survives`, with a full cache; the key's handles count as those of values. */
static void cache_survives(cache_scenario run, syncmap_cache_options options) {
    long errors = 0;
    for (long fail_at = 0;; ++fail_at) {
        given = released = left = 0;
        failures = 0;
        countdown = fail_at;
        const syncmap_cache_created made = syncmap_cache_create(&options);
        countdown = -1;
        CHECK((made.status == SYNCMAP_OK) == (made.cache != NULL));
        CHECK(made.status == SYNCMAP_OK || (made.status == SYNCMAP_NO_MEMORY && failures == 1));
        if (made.cache == NULL) continue;
        for (int64_t i = 1000; i < 1040; ++i) CHECK(syncmap_cache_put(made.cache, syncmap_int(i), syncmap_nil()).changed);
        const bool is_made_with_failure = failures != 0;
        failures = 0;
        countdown = fail_at;
        for (int64_t i = 0; i < 60 && failures == 0; ++i) {
            const syncmap_status status = run(made.cache, i);
            CHECK(status == SYNCMAP_OK || (status == SYNCMAP_NO_MEMORY && failures == 1));
            CHECK(syncmap_cache_size(made.cache).count <= 40);
            errors += status != SYNCMAP_OK;
        }
        countdown = -1;
        const bool was_last = failures == 0 && !is_made_with_failure;
        CHECK(run(made.cache, 500) == SYNCMAP_OK && syncmap_cache_size(made.cache).count <= 40);
        CHECK(syncmap_cache_put(made.cache, syncmap_int(1), syncmap_int(2)).changed);
        syncmap_cache_destroy(made.cache);
        CHECK(released == given && misses_of_memory == 0);
        if (was_last) break;
    }
    CHECK(errors > 0);
}

static void caches(void) {
    for (size_t i = 0; i < sizeof cache_scenarios / sizeof cache_scenarios[0]; ++i) {
        syncmap_cache_options options = syncmap_default_cache_options(40);
        cache_survives(cache_scenarios[i], options);
        options.negative_ttl = UINT64_MAX;
        options.expire_after_write = UINT64_MAX / 4;
        options.on_removal = count_removal;
        cache_survives(cache_scenarios[i], options);
        options.removals_in_order = true;
        cache_survives(cache_scenarios[i], options);
    }
}

static void create_fails(uint32_t engine) {
    for (long fail_at = 0;; ++fail_at) {
        syncmap_options options = syncmap_default_options();
        options.engine = engine;
        options.reserve = 100;
        failures = 0;
        countdown = fail_at;
        const syncmap_created made = syncmap_create(&options);
        countdown = -1;
        CHECK((made.status == SYNCMAP_OK) == (made.map != NULL));
        CHECK(failures == 0 || made.status == SYNCMAP_OK || made.status == SYNCMAP_NO_MEMORY);
        syncmap_destroy(made.map);
        if (failures == 0) return;
    }
}

static void all(uint32_t engine) {
    create_fails(engine);
    for (int i = 0; i < kinds_of_scenarios; ++i) {
        const long errors = survives(engine, scenarios[i]);
        /* Each wants memory, but for a walk that copies no entries, or few at a time. */
        CHECK(errors > 0 || (scenarios[i] == for_each && (engine == SYNCMAP_ENGINE_SNAPSHOT || engine == SYNCMAP_ENGINE_MAP)));
    }
}

/* A cursor does not allocate for each bucket. */
static void cursor_allocates_little(uint32_t engine) {
    enum { entries = 1000 };
    syncmap_map* const map = make_map(engine);
    for (int64_t i = 0; i < entries; ++i) CHECK(syncmap_store(map, syncmap_int(i), syncmap_string("value")).changed);
    for (uint32_t mode = SYNCMAP_CURSOR_WALK; mode <= SYNCMAP_CURSOR_SNAPSHOT; ++mode) {
        allocations = 0;
        const syncmap_opened opened = syncmap_cursor_open(map, mode);
        if (opened.status == SYNCMAP_UNSUPPORTED) continue;
        int shown = 0;
        while (syncmap_cursor_next(opened.cursor).found) ++shown;
        CHECK(shown == entries && allocations <= 20);
        syncmap_cursor_close(opened.cursor);
    }
    syncmap_destroy(map);
}

int main(void) {
    with_each_engine(cursor_allocates_little);
    with_each_engine(all);
    caches();
    return 0;
}
