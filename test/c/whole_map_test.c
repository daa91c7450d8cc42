/* What concerns all entries: replace, shrink and statistics. */
#include "check.h"

static int released;
static void count_release(void* pointer, uint64_t type) {
    (void)pointer;
    (void)type;
    ++released;
}

static uint64_t one_for_all(void* context, syncmap_value key) {
    (void)context;
    (void)key;
    return 1;
}

static void replace(uint32_t engine) {
    released = 0;
    syncmap_map* const map = make_map(engine);
    syncmap_options options = syncmap_default_options();
    options.engine = engine;
    options.hash = one_for_all; /* entries are hashed by the map that they go to */
    syncmap_map* const next = syncmap_create(&options).map;
    for (int64_t i = 0; i < 100; ++i) {
        CHECK(syncmap_store(map, syncmap_int(i), syncmap_handle(&released, 1, count_release)).changed);
        CHECK(syncmap_store(next, syncmap_int(i + 50), syncmap_string("next")).changed);
    }
    CHECK(syncmap_store(next, syncmap_string("handle"), syncmap_handle(&released, 2, count_release)).changed);
    CHECK(syncmap_replace(map, map) == SYNCMAP_INVALID && syncmap_replace(map, NULL) == SYNCMAP_INVALID);
    CHECK(syncmap_replace(NULL, map) == SYNCMAP_INVALID);
    if (engine != SYNCMAP_ENGINE_MAP) {
        CHECK(syncmap_replace(map, next) == SYNCMAP_UNSUPPORTED && size_of(map) == 100 && size_of(next) == 101);
        syncmap_destroy(map);
        syncmap_destroy(next);
        return;
    }
    syncmap_map* const other = make_map(SYNCMAP_ENGINE_MUTEX);
    CHECK(syncmap_replace(map, other) == SYNCMAP_UNSUPPORTED);
    syncmap_destroy(other);
    const syncmap_opened cursor = syncmap_cursor_open(next, SYNCMAP_CURSOR_SNAPSHOT);
    CHECK(syncmap_replace(map, next) == SYNCMAP_INVALID && size_of(map) == 100 && size_of(next) == 101);
    syncmap_cursor_close(cursor.cursor);

    CHECK(syncmap_replace(map, next) == SYNCMAP_OK);
    CHECK(size_of(map) == 101 && size_of(next) == 0);
    CHECK(is_absent(map, syncmap_int(0)) && holds(map, syncmap_int(149), syncmap_string("next")));
    for (int i = 0; i < SYNCMAP_RELEASE_WITHIN; ++i) CHECK(size_of(map) == 101);
    CHECK(released == 100);
    syncmap_destroy(next);
    /* The handle came with the other map, and goes with this one. */
    CHECK(syncmap_clear(map) == SYNCMAP_OK);
    for (int i = 0; i < SYNCMAP_RELEASE_WITHIN; ++i) CHECK(size_of(map) == 0);
    CHECK(released == 101);
    syncmap_destroy(map);
}

static void shrink(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_shrink(NULL) == SYNCMAP_INVALID);
    CHECK(syncmap_reserve(map, 100000) == SYNCMAP_OK);
    CHECK(syncmap_store(map, syncmap_int(1), syncmap_int(2)).changed);
    CHECK(syncmap_shrink(map) == (engine == SYNCMAP_ENGINE_SNAPSHOT ? SYNCMAP_UNSUPPORTED : SYNCMAP_OK));
    CHECK(size_of(map) == 1 && holds(map, syncmap_int(1), syncmap_int(2)));
    syncmap_destroy(map);
}

static void statistics(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_statistics_of(NULL).status == SYNCMAP_INVALID);
    syncmap_statistics s = syncmap_statistics_of(map);
    CHECK(s.status == SYNCMAP_OK && s.engine == engine && s.entries == 0 && s.memory_bytes == 0);
    CHECK(syncmap_store(map, syncmap_string("four"), syncmap_string("seven..")).changed);
    CHECK(syncmap_store(map, syncmap_int(1), syncmap_handle(&released, 1, count_release)).changed);
    s = syncmap_statistics_of(map);
    CHECK(s.entries == 2 && s.key_bytes == 4 && s.value_bytes == 7 && s.handles == 1);
    CHECK(s.memory_bytes > 64 + 11 && s.memory_bytes < 500);
    syncmap_destroy(map);
}

static void stats(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_stats_of(NULL).status == SYNCMAP_INVALID);
    syncmap_stats s = syncmap_stats_of(map);
    CHECK(s.status == SYNCMAP_OK && s.engine == engine && s.entries == 0 && s.buckets == 0);
    for (int i = 0; i < 100; ++i) CHECK(syncmap_store(map, syncmap_int(i), syncmap_int(i)).changed);
    CHECK(syncmap_erase(map, syncmap_int(1)).changed);
    s = syncmap_stats_of(map);
    CHECK(s.entries == 99 && s.places >= 50 && s.buckets <= s.places);
    if (engine == SYNCMAP_ENGINE_MAP) {
        CHECK(s.resizes > 0 && s.resizes < 20 && s.garbage_bytes < 10000 && s.overflow_lines < 100 && s.waits == 0);
    } else {
        CHECK(s.resizes == SYNCMAP_ABSENT && s.garbage_bytes == SYNCMAP_ABSENT);
        CHECK(s.overflow_lines == SYNCMAP_ABSENT && s.waits == SYNCMAP_ABSENT);
    }
    syncmap_destroy(map);
}

int main(void) {
    with_each_engine(replace);
    with_each_engine(shrink);
    with_each_engine(statistics);
    with_each_engine(stats);
    return 0;
}
