/* Handles: released exactly once, after nothing has them any more, and not much later. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

enum { type = 7 };

/* An object whose releases are counted. */
struct object {
    atomic_int releases;
};

static void release_object(void* pointer, uint64_t t) {
    CHECK(t == type);
    atomic_fetch_add(&((struct object*)pointer)->releases, 1);
}
static syncmap_value handle_of(struct object* object) { return syncmap_handle(object, type, release_object); }
static syncmap_value name_of(struct object* object) { return syncmap_handle(object, type, NULL); }
static int releases_of(struct object* object) { return atomic_load(&object->releases); }

/* Calls of one kind, none of which changes the map; as many as a release may take. */
typedef void (*idle_call)(syncmap_map* map);
static void idle_size(syncmap_map* map) { CHECK(syncmap_size(map).status == SYNCMAP_OK); }
static void idle_load(syncmap_map* map) { CHECK(is_absent(map, syncmap_string("nothing"))); }
static void idle_erase(syncmap_map* map) { CHECK(!syncmap_erase(map, syncmap_string("nothing")).changed); }
static void idle_compare(syncmap_map* map) {
    CHECK(!syncmap_compare_exchange(map, syncmap_string("nothing"), syncmap_nil(), syncmap_nil()).changed);
}
static void idle_reserve(syncmap_map* map) { CHECK(syncmap_reserve(map, 1) == SYNCMAP_OK); }
static void idle_cursor(syncmap_map* map) { syncmap_cursor_close(syncmap_cursor_open(map, SYNCMAP_CURSOR_WALK).cursor); }
static void visit_nothing(void* context, syncmap_value value) {
    (void)context;
    (void)value;
}
static void idle_visit(syncmap_map* map) { CHECK(!syncmap_visit(map, syncmap_string("nothing"), visit_nothing, NULL).found); }
static void idle_store(syncmap_map* map) { CHECK(syncmap_store(map, syncmap_string("idle"), syncmap_int(1)).changed); }
static bool show_nothing(void* context, syncmap_value key, syncmap_value value) {
    (void)context;
    (void)key;
    (void)value;
    return true;
}
static void idle_for_each(syncmap_map* map) { CHECK(syncmap_for_each(map, show_nothing, NULL).status == SYNCMAP_OK); }

static const idle_call idle_calls[] = {idle_size,   idle_load,  idle_erase, idle_compare, idle_reserve,
                                       idle_cursor, idle_visit, idle_store, idle_for_each};
enum { kinds_of_idle_calls = sizeof idle_calls / sizeof idle_calls[0] };

static void wait_for_release(syncmap_map* map, idle_call idle) {
    for (int i = 0; i < SYNCMAP_RELEASE_WITHIN; ++i) idle(map);
}

/* ---- ways in which a value leaves ---- */

typedef void (*departure)(syncmap_map* map, struct object* object);
static void by_store(syncmap_map* map, struct object* object) {
    (void)object;
    CHECK(syncmap_store(map, syncmap_int(1), syncmap_int(0)).changed);
}
static void by_exchange(syncmap_map* map, struct object* object) {
    const syncmap_result old = syncmap_exchange(map, syncmap_int(1), syncmap_int(0));
    CHECK(old.found && old.value.as.handle.pointer == object);
    CHECK(old.value.as.handle.type == type && old.value.as.handle.release == NULL);
    CHECK(releases_of(object) == 0);
    syncmap_release(old.value);
}
static void by_erase(syncmap_map* map, struct object* object) {
    (void)object;
    CHECK(syncmap_erase(map, syncmap_int(1)).changed);
}
static void by_load_and_erase(syncmap_map* map, struct object* object) {
    const syncmap_result old = syncmap_load_and_erase(map, syncmap_int(1));
    CHECK(old.found && old.value.as.handle.pointer == object);
    syncmap_release(old.value);
}
static void by_compare_exchange(syncmap_map* map, struct object* object) {
    CHECK(syncmap_compare_exchange(map, syncmap_int(1), name_of(object), syncmap_int(0)).changed);
}
static void by_compare_erase(syncmap_map* map, struct object* object) {
    CHECK(syncmap_compare_erase(map, syncmap_int(1), name_of(object)).changed);
}
static syncmap_status assign_zero(void* context, syncmap_slot* slots, size_t count) {
    (void)context;
    (void)count;
    return syncmap_slot_assign(&slots[0], syncmap_int(0));
}
static syncmap_status erase_first(void* context, syncmap_slot* slots, size_t count) {
    (void)context;
    (void)count;
    return syncmap_slot_erase(&slots[0]);
}
static void by_update(syncmap_map* map, struct object* object) {
    (void)object;
    CHECK(syncmap_update(map, syncmap_int(1), assign_zero, NULL).changed);
}
static void by_update_of_several(syncmap_map* map, struct object* object) {
    const syncmap_value key = syncmap_int(1);
    const syncmap_result result = syncmap_update_many(map, &key, 1, erase_first, NULL);
    if (result.status == SYNCMAP_UNSUPPORTED) by_update(map, object);
}
static bool all_of_them(void* context, syncmap_value key, syncmap_value value) {
    (void)context;
    (void)key;
    return value.kind == SYNCMAP_HANDLE;
}
static void by_erase_if(syncmap_map* map, struct object* object) {
    (void)object;
    CHECK(syncmap_erase_if(map, all_of_them, NULL).count == 1);
}
static void by_replace(syncmap_map* map, struct object* object) {
    syncmap_map* const next = make_map(SYNCMAP_ENGINE_MAP);
    if (syncmap_replace(map, next) != SYNCMAP_OK) by_erase(map, object);
    syncmap_destroy(next);
}
static void by_clear(syncmap_map* map, struct object* object) {
    (void)object;
    CHECK(syncmap_clear(map) == SYNCMAP_OK);
}

static const departure departures[] = {by_store,         by_exchange, by_erase,  by_load_and_erase,    by_compare_exchange,
                                       by_compare_erase, by_clear,    by_update, by_update_of_several, by_erase_if,
                                       by_replace};
enum { kinds_of_departures = sizeof departures / sizeof departures[0] };

static void soon_after_leaving(uint32_t engine) {
    for (int d = 0; d < kinds_of_departures; ++d) {
        for (int c = 0; c < kinds_of_idle_calls; ++c) {
            struct object object = {0};
            syncmap_map* const map = make_map(engine);
            CHECK(syncmap_store(map, syncmap_int(1), handle_of(&object)).changed);
            wait_for_release(map, idle_calls[c]);
            CHECK(releases_of(&object) == 0);
            departures[d](map, &object);
            wait_for_release(map, idle_calls[c]);
            CHECK(releases_of(&object) == 1);
            syncmap_destroy(map);
            CHECK(releases_of(&object) == 1);
        }
    }
}

/* Again and again in one map: a countdown that has ended can begin anew. */
static void every_time(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    struct object objects[300] = {{0}};
    for (int i = 0; i < 300; ++i) {
        CHECK(syncmap_store(map, syncmap_int(1), handle_of(&objects[i])).changed);
        if (i > SYNCMAP_RELEASE_WITHIN) CHECK(releases_of(&objects[i - SYNCMAP_RELEASE_WITHIN - 1]) == 1);
    }
    CHECK(releases_of(&objects[299]) == 0);
    syncmap_destroy(map);
    for (int i = 0; i < 300; ++i) CHECK(releases_of(&objects[i]) == 1);
}

static void at_once_when_asked(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    struct object objects[100] = {{0}};
    for (int i = 0; i < 100; ++i) CHECK(syncmap_store(map, syncmap_int(i), handle_of(&objects[i])).changed);
    CHECK(syncmap_clear(map) == SYNCMAP_OK);
    CHECK(syncmap_flush(map) == SYNCMAP_OK);
    for (int i = 0; i < 100; ++i) CHECK(releases_of(&objects[i]) == 1);
    syncmap_destroy(map);
}

static void not_while_somebody_has_it(uint32_t engine) {
    struct object object = {0};
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_store(map, syncmap_int(1), handle_of(&object)).changed);
    const syncmap_result loaded = syncmap_load(map, syncmap_int(1));
    CHECK(loaded.value.as.handle.pointer == &object && loaded.value.owned == 1);
    /* The same reference counts in a second place, and in a second map. */
    syncmap_map* const other = make_map(engine);
    CHECK(syncmap_store(other, syncmap_int(2), loaded.value).changed);
    syncmap_destroy(map);
    CHECK(releases_of(&object) == 0);
    syncmap_release(loaded.value);
    CHECK(releases_of(&object) == 0);
    syncmap_destroy(other);
    CHECK(releases_of(&object) == 1);
}

static void not_while_a_cursor_shows_it(uint32_t engine) {
    struct object object = {0};
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_store(map, syncmap_int(1), handle_of(&object)).changed);
    syncmap_cursor* const cursor = syncmap_cursor_open(map, SYNCMAP_CURSOR_WALK).cursor;
    const syncmap_entry entry = syncmap_cursor_next(cursor);
    CHECK(entry.found && entry.value.as.handle.pointer == &object);
    CHECK(syncmap_erase(map, syncmap_int(1)).changed);
    wait_for_release(map, idle_size);
    CHECK(releases_of(&object) == 0);
    const syncmap_result kept = syncmap_retain(entry.value);
    CHECK(!kept.changed && kept.value.owned == 1);
    CHECK(!syncmap_cursor_next(cursor).found);
    wait_for_release(map, idle_size);
    CHECK(releases_of(&object) == 0);
    syncmap_release(kept.value);
    CHECK(releases_of(&object) == 1);
    syncmap_cursor_close(cursor);
    syncmap_destroy(map);
}

static void not_while_a_snapshot_keeps_it(uint32_t engine) {
    if (engine == SYNCMAP_ENGINE_SNAPSHOT) return; /* has no such cursor */
    struct object erased = {0}, replaced = {0}, cleared = {0};
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_store(map, syncmap_int(1), handle_of(&erased)).changed);
    CHECK(syncmap_store(map, syncmap_int(2), handle_of(&replaced)).changed);
    CHECK(syncmap_store(map, syncmap_int(3), handle_of(&cleared)).changed);
    syncmap_cursor* const cursor = syncmap_cursor_open(map, SYNCMAP_CURSOR_SNAPSHOT).cursor;
    CHECK(syncmap_erase(map, syncmap_int(1)).changed);
    CHECK(syncmap_store(map, syncmap_int(2), syncmap_nil()).found);
    CHECK(syncmap_clear(map) == SYNCMAP_OK);
    wait_for_release(map, idle_size);
    CHECK(syncmap_flush(map) == SYNCMAP_OK);
    CHECK(releases_of(&erased) == 0 && releases_of(&replaced) == 0 && releases_of(&cleared) == 0);
    CHECK(syncmap_cursor_next(cursor).value.kind == SYNCMAP_HANDLE);
    syncmap_cursor_close(cursor);
    wait_for_release(map, idle_size);
    CHECK(releases_of(&erased) == 1 && releases_of(&replaced) == 1 && releases_of(&cleared) == 1);
    syncmap_destroy(map);
}

static void what_is_not_stored_stays_the_callers(uint32_t engine) {
    struct object object = {0}, stored = {0};
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_store(map, syncmap_int(1), handle_of(&stored)).changed);
    syncmap_result result = syncmap_load_or_store(map, syncmap_int(1), handle_of(&object));
    CHECK(!result.changed && result.value.as.handle.pointer == &stored);
    syncmap_release(result.value);
    result = syncmap_compare_exchange(map, syncmap_int(1), handle_of(&object), handle_of(&object));
    CHECK(!result.changed && result.value.as.handle.pointer == &stored);
    syncmap_release(result.value);
    CHECK(!syncmap_compare_exchange(map, handle_of(&object), syncmap_int(1), syncmap_int(1)).changed);
    CHECK(!syncmap_erase(map, handle_of(&object)).changed);
    CHECK(!syncmap_load(map, handle_of(&object)).found);
    syncmap_destroy(map);
    CHECK(releases_of(&object) == 0);
    CHECK(releases_of(&stored) == 1);
}

static void keys(uint32_t engine) {
    struct object object = {0};
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_store(map, handle_of(&object), syncmap_string("one")).changed);
    /* Found again by another handle of the same object, which has nothing to release. */
    CHECK(syncmap_store(map, name_of(&object), syncmap_string("two")).found);
    CHECK(syncmap_flush(map) == SYNCMAP_OK);
    CHECK(releases_of(&object) == 0);
    /* A second reference given with a present key is one too many, and released at once. */
    CHECK(syncmap_store(map, handle_of(&object), syncmap_string("three")).found);
    CHECK(releases_of(&object) == 1);
    CHECK(syncmap_flush(map) == SYNCMAP_OK);
    CHECK(releases_of(&object) == 1);
    CHECK(holds(map, name_of(&object), syncmap_string("three")));

    CHECK(syncmap_erase(map, name_of(&object)).changed);
    if (engine == SYNCMAP_ENGINE_SNAPSHOT) CHECK(syncmap_clear(map) == SYNCMAP_OK);
    wait_for_release(map, idle_load);
    CHECK(releases_of(&object) == 2);
    syncmap_destroy(map);
    CHECK(releases_of(&object) == 2);
}

static syncmap_result compute_handle(void* context, syncmap_value key) {
    (void)key;
    return syncmap_computed(handle_of((struct object*)context));
}

static void computed(uint32_t engine) {
    struct object object = {0}, key = {0};
    syncmap_map* const map = make_map(engine);
    syncmap_result result = syncmap_load_or_compute(map, handle_of(&key), compute_handle, &object);
    CHECK(result.changed && result.value.as.handle.pointer == &object);
    syncmap_release(result.value);
    result = syncmap_load_or_compute(map, handle_of(&key), compute_handle, NULL);
    CHECK(!result.changed && result.value.as.handle.pointer == &object);
    syncmap_release(result.value);
    CHECK(releases_of(&object) == 0 && releases_of(&key) == 0);
    CHECK(syncmap_clear(map) == SYNCMAP_OK);
    wait_for_release(map, idle_load);
    CHECK(releases_of(&object) == 1 && releases_of(&key) == 1);
    syncmap_destroy(map);
}

static void retained(uint32_t engine) {
    struct object object = {0};
    const syncmap_result own = syncmap_retain(handle_of(&object));
    CHECK(own.changed);
    syncmap_map* const map = make_map(engine);
    for (int i = 0; i < 10; ++i) CHECK(syncmap_store(map, syncmap_int(i), own.value).changed);
    syncmap_release(own.value);
    CHECK(releases_of(&object) == 0);
    syncmap_destroy(map);
    CHECK(releases_of(&object) == 1);
}

/* ---- while another thread looks ---- */

struct visitor {
    syncmap_map* map;
    pthread_barrier_t barrier;
};

static void stand_still(void* context, syncmap_value value) {
    struct visitor* const visitor = (struct visitor*)context;
    struct object* const object = (struct object*)value.as.handle.pointer;
    pthread_barrier_wait(&visitor->barrier); /* looks */
    pthread_barrier_wait(&visitor->barrier); /* has looked for long */
    CHECK(releases_of(object) == 0);
}

static void* visit(void* context) {
    struct visitor* const visitor = (struct visitor*)context;
    CHECK(syncmap_visit(visitor->map, syncmap_int(1), stand_still, visitor).found);
    return NULL;
}

/* What a reader held back when the others were released has to be released too, soon after the reader has ended. */
static void soon_after_a_reader_that_stood_still(uint32_t engine) {
    struct object object = {0};
    struct visitor visitor = {make_map(engine), {{0}}};
    CHECK(pthread_barrier_init(&visitor.barrier, NULL, 2) == 0);
    CHECK(syncmap_store(visitor.map, syncmap_int(1), handle_of(&object)).changed);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, visit, &visitor) == 0);
    pthread_barrier_wait(&visitor.barrier);
    CHECK(syncmap_erase(visitor.map, syncmap_int(1)).changed);
    for (int i = 0; i < 10; ++i) wait_for_release(visitor.map, idle_size);
    CHECK(releases_of(&object) == 0);
    pthread_barrier_wait(&visitor.barrier);
    CHECK(pthread_join(thread, NULL) == 0);
    wait_for_release(visitor.map, idle_size);
    CHECK(releases_of(&object) == 1);
    syncmap_destroy(visitor.map);
    pthread_barrier_destroy(&visitor.barrier);
}

/* ---- callbacks that use the map ---- */

static syncmap_map* map_of_chain;
static int links_released;

static void release_link(void* pointer, uint64_t left) {
    ++links_released;
    if (left == 0) return;
    /* A new handle goes in, and out again at once. */
    CHECK(syncmap_store(map_of_chain, syncmap_int(1), syncmap_handle(pointer, left - 1, release_link)).changed);
    CHECK(syncmap_erase(map_of_chain, syncmap_int(1)).changed);
    for (int i = 0; i < 3 * SYNCMAP_RELEASE_WITHIN; ++i) idle_load(map_of_chain);
}

static void a_callback_may_use_the_map(uint32_t engine) {
    map_of_chain = make_map(engine);
    links_released = 0;
    CHECK(syncmap_store(map_of_chain, syncmap_int(1), syncmap_handle(NULL, 20, release_link)).changed);
    CHECK(syncmap_erase(map_of_chain, syncmap_int(1)).changed);
    for (int i = 0; i < 25; ++i) wait_for_release(map_of_chain, idle_load);
    CHECK(links_released == 21);
    syncmap_destroy(map_of_chain);
}

/* ---- many threads ---- */

enum { threads = 4, rounds = 3000, keys_of_churn = 8 };

struct churn {
    syncmap_map* map;
    atomic_int made, released;
};

struct churned {
    struct churn* churn;
    atomic_int releases;
};

static void release_churned(void* pointer, uint64_t t) {
    struct churned* const object = (struct churned*)pointer;
    CHECK(t == type && atomic_fetch_add(&object->releases, 1) == 0);
    atomic_fetch_add(&object->churn->released, 1);
    free(object);
}

static syncmap_value make_churned(struct churn* churn) {
    struct churned* const object = (struct churned*)malloc(sizeof *object);
    CHECK(object != NULL);
    object->churn = churn;
    atomic_init(&object->releases, 0);
    atomic_fetch_add(&churn->made, 1);
    return syncmap_handle(object, type, release_churned);
}

static void* churn_on(void* context) {
    struct churn* const churn = (struct churn*)context;
    uint32_t random = (uint32_t)(uintptr_t)&random | 1;
    for (int i = 0; i < rounds; ++i) {
        random = random * 1664525u + 1013904223u;
        const syncmap_value key = syncmap_int((random >> 8) % keys_of_churn);
        const syncmap_value fresh = make_churned(churn);
        syncmap_result result = {0, false, false, {0, 0, {0}, NULL}};
        switch ((random >> 16) % 6) {
        case 0: result = syncmap_store(churn->map, key, fresh); break;
        case 1: result = syncmap_exchange(churn->map, key, fresh); break;
        case 2: result = syncmap_load_or_store(churn->map, key, fresh); break;
        case 3: {
            const syncmap_result seen = syncmap_load(churn->map, key);
            result = syncmap_compare_exchange(churn->map, key, seen.value, fresh);
            syncmap_release(seen.value);
            break;
        }
        case 4: {
            const syncmap_result old = syncmap_load_and_erase(churn->map, key);
            if (old.found) CHECK(atomic_load(&((struct churned*)old.value.as.handle.pointer)->releases) == 0);
            syncmap_release(old.value);
            break;
        }
        default:
            if (i % 97 == 0) {
                CHECK(syncmap_clear(churn->map) == SYNCMAP_OK);
            } else {
                CHECK(syncmap_erase(churn->map, key).status == SYNCMAP_OK);
            }
        }
        CHECK(result.status == SYNCMAP_OK);
        if (result.value.kind == SYNCMAP_HANDLE) {
            CHECK(atomic_load(&((struct churned*)result.value.as.handle.pointer)->releases) == 0);
        }
        syncmap_release(result.value);
        if (!result.changed) release_churned(fresh.as.handle.pointer, type);
    }
    return NULL;
}

static void exactly_once_with_many_threads(uint32_t engine) {
    struct churn churn = {make_map(engine), 0, 0};
    pthread_t thread[threads];
    for (int i = 0; i < threads; ++i) CHECK(pthread_create(&thread[i], NULL, churn_on, &churn) == 0);
    for (int i = 0; i < threads; ++i) CHECK(pthread_join(thread[i], NULL) == 0);
    wait_for_release(churn.map, idle_load);
    CHECK(atomic_load(&churn.made) == threads * rounds);
    CHECK((size_t)(atomic_load(&churn.made) - atomic_load(&churn.released)) == size_of(churn.map));
    syncmap_destroy(churn.map);
    CHECK(atomic_load(&churn.made) == atomic_load(&churn.released));
}

int main(void) {
    with_each_engine(soon_after_leaving);
    with_each_engine(every_time);
    with_each_engine(at_once_when_asked);
    with_each_engine(not_while_somebody_has_it);
    with_each_engine(not_while_a_cursor_shows_it);
    with_each_engine(not_while_a_snapshot_keeps_it);
    with_each_engine(what_is_not_stored_stays_the_callers);
    with_each_engine(keys);
    with_each_engine(computed);
    with_each_engine(retained);
    with_each_engine(soon_after_a_reader_that_stood_still);
    with_each_engine(a_callback_may_use_the_map);
    with_each_engine(exactly_once_with_many_threads);
    return 0;
}
