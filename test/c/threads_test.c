/* Many threads on one map: what one key promises, and threads that come and go. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>

enum { threads = 4, rounds = 2000, keys = 50 };

struct work {
    syncmap_map* map;
    int64_t number;
};

static syncmap_value counter_key(void) { return syncmap_string("counter"); }

/* Adds one with compare_exchange, which returns what it saw. */
static void add_one(syncmap_map* map) {
    syncmap_result seen = syncmap_load_or_store(map, counter_key(), syncmap_int(1));
    CHECK(seen.status == SYNCMAP_OK);
    while (!seen.changed) {
        CHECK(seen.found);
        seen = syncmap_compare_exchange(map, counter_key(), seen.value, syncmap_int(seen.value.as.integer + 1));
    }
}

static void* count_and_store(void* context) {
    const struct work* const work = (const struct work*)context;
    for (int64_t i = 0; i < rounds; ++i) {
        add_one(work->map);
        char name[32];
        snprintf(name, sizeof name, "%d/%d", (int)work->number, (int)(i % keys));
        CHECK(syncmap_store(work->map, syncmap_string(name), syncmap_string(name)).changed);
        CHECK(holds(work->map, syncmap_string(name), syncmap_string(name)));
        if (i % 3 == 0) CHECK(syncmap_erase(work->map, syncmap_string(name)).changed);
        if (i % 100 == 0) CHECK(size_of(work->map) <= threads * keys + 1);
    }
    for (int i = 0; i < keys; ++i) {
        char name[32];
        snprintf(name, sizeof name, "%d/%d", (int)work->number, i);
        CHECK(syncmap_store(work->map, syncmap_string(name), syncmap_int(i)).changed);
    }
    return NULL;
}

/* Walks all the while: what it is shown is whole, and keys that stay are met in each walk. */
static void* walk(void* context) {
    const struct work* const work = (const struct work*)context;
    for (int round = 0; round < 30; ++round) {
        const syncmap_opened opened = syncmap_cursor_open(work->map, SYNCMAP_CURSOR_WALK);
        CHECK(opened.status == SYNCMAP_OK);
        bool met = false;
        for (;;) {
            const syncmap_entry entry = syncmap_cursor_next(opened.cursor);
            CHECK(entry.status == SYNCMAP_OK);
            if (!entry.found) break;
            if (entry.value.kind == SYNCMAP_BYTES) CHECK(syncmap_equal(entry.key, entry.value));
            if (syncmap_equal(entry.key, syncmap_string("stays"))) met = true;
        }
        CHECK(met);
        syncmap_cursor_close(opened.cursor);
    }
    return NULL;
}

static void counts_and_walks(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_store(map, syncmap_string("stays"), syncmap_nil()).changed);
    struct work work[threads];
    pthread_t thread[threads];
    pthread_t walker;
    for (int i = 0; i < threads; ++i) {
        work[i].map = map;
        work[i].number = i;
        CHECK(pthread_create(&thread[i], NULL, count_and_store, &work[i]) == 0);
    }
    CHECK(pthread_create(&walker, NULL, walk, &work[0]) == 0);
    for (int i = 0; i < threads; ++i) CHECK(pthread_join(thread[i], NULL) == 0);
    CHECK(pthread_join(walker, NULL) == 0);
    CHECK(holds(map, counter_key(), syncmap_int(threads * rounds)));
    CHECK(size_of(map) == threads * keys + 2);
    syncmap_destroy(map);
}

static void* one_call(void* context) {
    const struct work* const work = (const struct work*)context;
    CHECK(syncmap_store(work->map, syncmap_int(work->number), syncmap_string("value")).changed);
    return NULL;
}

static void threads_need_not_register(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    for (int64_t i = 0; i < 300; ++i) {
        struct work work = {map, i};
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, one_call, &work) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    CHECK(size_of(map) == 300);
    syncmap_destroy(map);
}

struct computation {
    syncmap_map* map;
    int runs; /* of one thread alone: the map sees to that */
};

static syncmap_result compute(void* context, syncmap_value key) {
    struct computation* const c = (struct computation*)context;
    (void)key;
    ++c->runs;
    return syncmap_computed(syncmap_string("computed"));
}

static void* ask(void* context) {
    struct computation* const c = (struct computation*)context;
    const syncmap_result result = syncmap_load_or_compute(c->map, syncmap_string("once"), compute, c);
    CHECK(result.status == SYNCMAP_OK && result.found != result.changed);
    CHECK(syncmap_equal(result.value, syncmap_string("computed")));
    syncmap_release(result.value);
    return NULL;
}

static void computes_once(uint32_t engine) {
    struct computation c = {make_map(engine), 0};
    pthread_t thread[threads];
    for (int i = 0; i < threads; ++i) CHECK(pthread_create(&thread[i], NULL, ask, &c) == 0);
    for (int i = 0; i < threads; ++i) CHECK(pthread_join(thread[i], NULL) == 0);
    CHECK(c.runs == 1);
    syncmap_destroy(c.map);
}

int main(void) {
    with_each_engine(counts_and_walks);
    with_each_engine(threads_need_not_register);
    with_each_engine(computes_once);
    return 0;
}
