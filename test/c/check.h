/* What the C tests share: a check that ends the program, and the engines. */
#ifndef SYNCMAP_TEST_CHECK_H
#define SYNCMAP_TEST_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include <syncmap.h>

/* Unlike assert, never compiled out. */
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

static inline void check(bool holds, const char* condition, const char* file, int line) {
    if (holds) return;
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

static const uint32_t engines[] = {SYNCMAP_ENGINE_MAP, SYNCMAP_ENGINE_MUTEX, SYNCMAP_ENGINE_SHARED_MUTEX,
                                   SYNCMAP_ENGINE_SNAPSHOT};

static inline bool has_lock(uint32_t engine) { return engine == SYNCMAP_ENGINE_MUTEX || engine == SYNCMAP_ENGINE_SHARED_MUTEX; }

static inline syncmap_map* make_map(uint32_t engine) {
    syncmap_options options = syncmap_default_options();
    options.engine = engine;
    const syncmap_created made = syncmap_create(&options);
    CHECK(made.status == SYNCMAP_OK && made.map != NULL);
    return made.map;
}

static inline size_t size_of(syncmap_map* map) {
    const syncmap_count size = syncmap_size(map);
    CHECK(size.status == SYNCMAP_OK);
    return size.count;
}

/* Whether a key is there, and its value equals this one. */
static inline bool holds(syncmap_map* map, syncmap_value key, syncmap_value expected) {
    const syncmap_result loaded = syncmap_load(map, key);
    CHECK(loaded.status == SYNCMAP_OK && !loaded.changed);
    const bool same = loaded.found && syncmap_equal(loaded.value, expected);
    syncmap_release(loaded.value);
    return same;
}

static inline bool is_absent(syncmap_map* map, syncmap_value key) {
    const syncmap_result loaded = syncmap_load(map, key);
    CHECK(loaded.status == SYNCMAP_OK && (loaded.found || loaded.value.kind == SYNCMAP_NIL));
    syncmap_release(loaded.value);
    return !loaded.found;
}

/* Runs a test with each engine. */
static inline void with_each_engine(void (*test)(uint32_t engine)) {
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; ++i) test(engines[i]);
}

#endif
