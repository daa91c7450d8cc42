/* Cursors: complete, nested, moved on by another thread, and beside every change. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>

enum { entries = 500 };

static syncmap_cursor* open_cursor(syncmap_map* map, uint32_t mode) {
    const syncmap_opened opened = syncmap_cursor_open(map, mode);
    CHECK(opened.status == SYNCMAP_OK && opened.cursor != NULL);
    return opened.cursor;
}

static syncmap_map* filled(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    for (int64_t i = 0; i < entries; ++i) CHECK(syncmap_store(map, syncmap_int(i), syncmap_int(-i)).changed);
    return map;
}

/* Takes one step; marks what was seen in `times`. False at the end. */
static bool step(syncmap_cursor* cursor, int* times) {
    const syncmap_entry entry = syncmap_cursor_next(cursor);
    CHECK(entry.status == SYNCMAP_OK);
    if (!entry.found) return false;
    CHECK(entry.key.owned == 0 && entry.value.owned == 0);
    if (entry.key.kind == SYNCMAP_INT) {
        CHECK(entry.key.as.integer >= 0 && entry.key.as.integer < entries);
        CHECK(entry.value.as.integer == -entry.key.as.integer);
        ++times[entry.key.as.integer];
    }
    return true;
}

static void all_seen_once(const int* times) {
    for (int i = 0; i < entries; ++i) CHECK(times[i] == 1);
}

static void of_an_empty_map(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    syncmap_cursor* const cursor = open_cursor(map, SYNCMAP_CURSOR_WALK);
    for (int i = 0; i < 3; ++i) {
        const syncmap_entry entry = syncmap_cursor_next(cursor);
        CHECK(entry.status == SYNCMAP_OK && !entry.found);
    }
    syncmap_cursor_close(cursor);
    syncmap_destroy(map);
}

static void shows_each_entry_once(uint32_t engine) {
    syncmap_map* const map = filled(engine);
    int times[entries] = {0};
    syncmap_cursor* const cursor = open_cursor(map, SYNCMAP_CURSOR_WALK);
    while (step(cursor, times)) {}
    CHECK(!step(cursor, times));
    syncmap_cursor_close(cursor);
    all_seen_once(times);
    syncmap_destroy(map);
}

/* Between the steps: new entries until the table has grown several times, then few are left again. */
static void goes_on_while_everything_changes(uint32_t engine) {
    syncmap_map* const map = filled(engine);
    int times[entries] = {0};
    syncmap_cursor* const cursor = open_cursor(map, SYNCMAP_CURSOR_WALK);
    uint64_t added = 0;
    for (int steps = 0; step(cursor, times); ++steps) {
        if (steps > 10 * entries) break; /* new keys may be shown, but a walk ends */
        for (int i = 0; i < 20 && steps < entries / 2; ++i) {
            CHECK(syncmap_store(map, syncmap_uint(added++), syncmap_nil()).changed);
        }
        if (steps == entries / 2) {
            for (uint64_t i = 0; i < added; ++i) CHECK(syncmap_erase(map, syncmap_uint(i)).changed);
        }
        CHECK(size_of(map) >= entries);
        CHECK(syncmap_reserve(map, 10) == SYNCMAP_OK);
    }
    syncmap_cursor_close(cursor);
    all_seen_once(times);
    syncmap_destroy(map);
}

static void shows_what_the_callers_erase(uint32_t engine) {
    syncmap_map* const map = filled(engine);
    syncmap_cursor* const cursor = open_cursor(map, SYNCMAP_CURSOR_WALK);
    int seen = 0;
    for (;;) {
        const syncmap_entry entry = syncmap_cursor_next(cursor);
        if (!entry.found) break;
        ++seen;
        CHECK(syncmap_erase(map, entry.key).changed);
        CHECK(syncmap_flush(map) == SYNCMAP_OK);
        CHECK(entry.value.as.integer == -entry.key.as.integer); /* still there to look at */
    }
    CHECK(seen == entries && size_of(map) == 0);
    syncmap_cursor_close(cursor);
    syncmap_destroy(map);
}

static void may_be_nested(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    for (int64_t i = 0; i < 30; ++i) CHECK(syncmap_store(map, syncmap_int(i), syncmap_int(-i)).changed);
    syncmap_cursor* const outer = open_cursor(map, SYNCMAP_CURSOR_WALK);
    int pairs = 0;
    for (syncmap_entry a = syncmap_cursor_next(outer); a.found; a = syncmap_cursor_next(outer)) {
        syncmap_cursor* const inner = open_cursor(map, SYNCMAP_CURSOR_WALK);
        for (syncmap_entry b = syncmap_cursor_next(inner); b.found; b = syncmap_cursor_next(inner)) ++pairs;
        syncmap_cursor_close(inner);
    }
    CHECK(pairs == 30 * 30);
    syncmap_cursor_close(outer);
    syncmap_destroy(map);
}

static void outlives_clear(uint32_t engine) {
    syncmap_map* const map = filled(engine);
    int times[entries] = {0};
    syncmap_cursor* const cursor = open_cursor(map, SYNCMAP_CURSOR_WALK);
    CHECK(step(cursor, times));
    CHECK(syncmap_clear(map) == SYNCMAP_OK);
    CHECK(syncmap_flush(map) == SYNCMAP_OK);
    while (step(cursor, times)) {}
    for (int i = 0; i < entries; ++i) CHECK(times[i] <= 1);
    CHECK(size_of(map) == 0);
    syncmap_cursor_close(cursor);
    syncmap_destroy(map);
}

static void may_be_closed_anywhere(uint32_t engine) {
    syncmap_map* const map = filled(engine);
    CHECK(syncmap_store(map, syncmap_string("a"), syncmap_string("b")).changed);
    for (int steps = 0; steps < 20; ++steps) {
        int times[entries] = {0};
        syncmap_cursor* const cursor = open_cursor(map, SYNCMAP_CURSOR_WALK);
        for (int i = 0; i < steps; ++i) CHECK(step(cursor, times));
        syncmap_cursor_close(cursor);
    }
    syncmap_destroy(map);
}

struct relay {
    syncmap_cursor* cursor;
    int* times;
    bool goes_on;
};

static void* three_steps(void* context) {
    struct relay* const relay = (struct relay*)context;
    for (int i = 0; i < 3 && relay->goes_on; ++i) relay->goes_on = step(relay->cursor, relay->times);
    return NULL;
}

static void belongs_to_no_thread(uint32_t engine) {
    syncmap_map* const map = filled(engine);
    int times[entries] = {0};
    struct relay relay = {open_cursor(map, SYNCMAP_CURSOR_WALK), times, true};
    while (relay.goes_on) { /* each three steps by a thread of their own, which then ends */
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, three_steps, &relay) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        three_steps(&relay);
    }
    syncmap_cursor_close(relay.cursor);
    all_seen_once(times);
    syncmap_destroy(map);
}

static void shows_one_instant_where_there_is_one(uint32_t engine) {
    syncmap_map* const map = filled(engine);
    if (engine == SYNCMAP_ENGINE_SNAPSHOT) {
        CHECK(syncmap_cursor_open(map, SYNCMAP_CURSOR_SNAPSHOT).status == SYNCMAP_UNSUPPORTED);
        syncmap_destroy(map);
        return;
    }
    /* Each cursor over another instant: all entries, half of them, none. */
    int all[entries] = {0};
    int half[entries] = {0};
    syncmap_cursor* const first = open_cursor(map, SYNCMAP_CURSOR_SNAPSHOT);
    CHECK(step(first, all));
    for (int64_t i = 0; i < entries; i += 2) CHECK(syncmap_erase(map, syncmap_int(i)).changed);
    syncmap_cursor* const second = open_cursor(map, SYNCMAP_CURSOR_SNAPSHOT);
    for (int64_t i = 1; i < entries; i += 2) CHECK(syncmap_store(map, syncmap_int(i), syncmap_nil()).found);
    for (uint64_t i = 0; i < 10 * entries; ++i) CHECK(syncmap_store(map, syncmap_uint(i), syncmap_nil()).changed);
    CHECK(syncmap_clear(map) == SYNCMAP_OK);
    syncmap_cursor* const third = open_cursor(map, SYNCMAP_CURSOR_SNAPSHOT);
    CHECK(syncmap_flush(map) == SYNCMAP_OK);
    while (step(second, half)) {}
    while (step(first, all)) {}
    CHECK(!syncmap_cursor_next(third).found);
    all_seen_once(all);
    for (int i = 0; i < entries; ++i) CHECK(half[i] == i % 2);
    syncmap_cursor_close(first);
    syncmap_cursor_close(third);
    syncmap_cursor_close(second);
    syncmap_destroy(map);
}

int main(void) {
    with_each_engine(of_an_empty_map);
    with_each_engine(shows_each_entry_once);
    with_each_engine(goes_on_while_everything_changes);
    with_each_engine(shows_what_the_callers_erase);
    with_each_engine(may_be_nested);
    with_each_engine(outlives_clear);
    with_each_engine(may_be_closed_anywhere);
    with_each_engine(belongs_to_no_thread);
    with_each_engine(shows_one_instant_where_there_is_one);
    return 0;
}
