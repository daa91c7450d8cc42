/* Every error is a code with a message, and changes nothing. */
#include "check.h"

static int releases = 0;
static void count_release(void* pointer, uint64_t type) {
    (void)pointer;
    (void)type;
    ++releases;
}

static bool never(void* context, syncmap_value key, syncmap_value value) {
    (void)context;
    (void)key;
    (void)value;
    abort();
}
static void never_visited(void* context, syncmap_value value) {
    (void)context;
    (void)value;
    abort();
}
static syncmap_result never_computed(void* context, syncmap_value key) {
    (void)context;
    (void)key;
    abort();
}

static syncmap_status never_updated(void* context, syncmap_slot* slots, size_t count) {
    (void)context;
    (void)slots;
    (void)count;
    abort();
}

static void a_null_map_is_invalid(void) {
    const syncmap_value one = syncmap_int(1);
    CHECK(syncmap_load(NULL, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_visit(NULL, one, never_visited, NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_store(NULL, one, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_load_or_store(NULL, one, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_exchange(NULL, one, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_erase(NULL, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_load_and_erase(NULL, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_compare_exchange(NULL, one, one, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_compare_erase(NULL, one, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_load_or_compute(NULL, one, never_computed, NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_contains(NULL, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_fetch_add(NULL, one, one).status == SYNCMAP_INVALID);
    CHECK(syncmap_update(NULL, one, never_updated, NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_update_many(NULL, &one, 1, never_updated, NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_erase_if(NULL, never, NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_for_each(NULL, never, NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_size(NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_clear(NULL) == SYNCMAP_INVALID);
    CHECK(syncmap_reserve(NULL, 1) == SYNCMAP_INVALID);
    CHECK(syncmap_flush(NULL) == SYNCMAP_INVALID);
    CHECK(syncmap_cursor_open(NULL, SYNCMAP_CURSOR_WALK).status == SYNCMAP_INVALID);
    CHECK(syncmap_cursor_next(NULL).status == SYNCMAP_INVALID);
    syncmap_cursor_close(NULL);
    syncmap_destroy(NULL);
}

static void a_value_of_no_kind_is_invalid(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    syncmap_value strange = syncmap_int(1);
    strange.kind = SYNCMAP_HANDLE + 1;
    const syncmap_value bad[] = {strange, syncmap_bytes(NULL, 3)};
    const syncmap_value good = syncmap_int(1);
    const syncmap_value handle = syncmap_handle(&releases, 1, count_release);
    for (size_t i = 0; i < 2; ++i) {
        CHECK(syncmap_load(map, bad[i]).status == SYNCMAP_INVALID);
        CHECK(syncmap_visit(map, bad[i], never_visited, NULL).status == SYNCMAP_INVALID);
        CHECK(syncmap_store(map, bad[i], handle).status == SYNCMAP_INVALID);
        CHECK(syncmap_store(map, handle, bad[i]).status == SYNCMAP_INVALID);
        CHECK(syncmap_load_or_store(map, handle, bad[i]).status == SYNCMAP_INVALID);
        CHECK(syncmap_load_or_store(map, bad[i], handle).status == SYNCMAP_INVALID);
        CHECK(syncmap_exchange(map, bad[i], handle).status == SYNCMAP_INVALID);
        CHECK(syncmap_exchange(map, handle, bad[i]).status == SYNCMAP_INVALID);
        CHECK(syncmap_erase(map, bad[i]).status == SYNCMAP_INVALID);
        CHECK(syncmap_load_and_erase(map, bad[i]).status == SYNCMAP_INVALID);
        CHECK(syncmap_compare_exchange(map, bad[i], good, handle).status == SYNCMAP_INVALID);
        CHECK(syncmap_compare_exchange(map, good, bad[i], handle).status == SYNCMAP_INVALID);
        CHECK(syncmap_compare_exchange(map, good, handle, bad[i]).status == SYNCMAP_INVALID);
        CHECK(syncmap_compare_erase(map, bad[i], good).status == SYNCMAP_INVALID);
        CHECK(syncmap_compare_erase(map, good, bad[i]).status == SYNCMAP_INVALID);
        CHECK(syncmap_load_or_compute(map, bad[i], never_computed, NULL).status == SYNCMAP_INVALID);
        CHECK(syncmap_retain(bad[i]).status == SYNCMAP_INVALID);
        CHECK(!syncmap_equal(bad[i], bad[i]));
        syncmap_release(bad[i]);
    }
    CHECK(syncmap_visit(map, good, NULL, NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_for_each(map, NULL, NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_load_or_compute(map, good, NULL, NULL).status == SYNCMAP_INVALID);
    CHECK(syncmap_cursor_open(map, SYNCMAP_CURSOR_SNAPSHOT + 1).status == SYNCMAP_INVALID);
    CHECK(syncmap_reserve(map, SIZE_MAX) == SYNCMAP_TOO_LARGE);
    CHECK(size_of(map) == 0);
    syncmap_destroy(map);
    CHECK(releases == 0); /* what was not stored stays the caller's */
}

static void more_bytes_than_memory(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_store(map, syncmap_int(1), syncmap_int(1)).changed);
    const syncmap_value huge = syncmap_bytes("", SIZE_MAX);
    CHECK(syncmap_store(map, syncmap_int(1), huge).status == SYNCMAP_TOO_LARGE);
    CHECK(syncmap_retain(huge).status == SYNCMAP_TOO_LARGE);
    CHECK(holds(map, syncmap_int(1), syncmap_int(1)));
    syncmap_destroy(map);
}

static void options_are_checked(void) {
    syncmap_options options = {0};
    CHECK(syncmap_create(&options).status == SYNCMAP_INVALID); /* no size */
    options.size = sizeof options;
    options.engine = SYNCMAP_ENGINE_SNAPSHOT + 1;
    CHECK(syncmap_create(&options).status == SYNCMAP_INVALID);
    options.engine = 0;
    options.unused = 1;
    CHECK(syncmap_create(&options).status == SYNCMAP_INVALID);
    options.unused = 0;
    options.reserve = SIZE_MAX;
    CHECK(syncmap_create(&options).status == SYNCMAP_TOO_LARGE);
    CHECK(syncmap_create(&options).map == NULL);

    options.reserve = 100;
    syncmap_created made = syncmap_create(&options);
    CHECK(made.status == SYNCMAP_OK);
    syncmap_destroy(made.map);

    made = syncmap_create(NULL);
    CHECK(made.status == SYNCMAP_OK);
    syncmap_destroy(made.map);

    /* Callers that were compiled with an older header, and with a newer one. */
    options.size = offsetof(syncmap_options, reserve);
    options.engine = SYNCMAP_ENGINE_MUTEX;
    options.reserve = SIZE_MAX; /* lies behind the end, and is not looked at */
    made = syncmap_create(&options);
    CHECK(made.status == SYNCMAP_OK);
    syncmap_destroy(made.map);

    struct {
        syncmap_options known;
        uint64_t later;
    } newer = {{0}, 0};
    newer.known.size = sizeof newer;
    made = syncmap_create(&newer.known);
    CHECK(made.status == SYNCMAP_OK);
    syncmap_destroy(made.map);
    newer.later = 1;
    CHECK(syncmap_create(&newer.known).status == SYNCMAP_INVALID);
}

static void every_status_has_a_message(void) {
    const syncmap_status all[] = {SYNCMAP_OK,
                                  SYNCMAP_INVALID,
                                  SYNCMAP_NO_MEMORY,
                                  SYNCMAP_TOO_LARGE,
                                  SYNCMAP_REENTRANT,
                                  SYNCMAP_RECURSIVE,
                                  SYNCMAP_UNSUPPORTED,
                                  SYNCMAP_EXCEPTION,
                                  SYNCMAP_SYSTEM,
                                  SYNCMAP_KIND,
                                  SYNCMAP_NOTHING,
                                  SYNCMAP_CALLER,
                                  -1};
    const size_t count = sizeof all / sizeof all[0];
    for (size_t i = 0; i < count; ++i) {
        const char* const message = syncmap_message(all[i]);
        CHECK(message != NULL && strlen(message) > 3);
        for (size_t j = 0; j < i; ++j) CHECK(strcmp(message, syncmap_message(all[j])) != 0);
    }
    CHECK(strcmp(syncmap_message(SYNCMAP_CALLER + 99), syncmap_message(SYNCMAP_CALLER)) == 0);
    CHECK(strcmp(syncmap_version(), EXPECTED_VERSION) == 0);
}

int main(void) {
    a_null_map_is_invalid();
    with_each_engine(a_value_of_no_kind_is_invalid);
    with_each_engine(more_bytes_than_memory);
    options_are_checked();
    every_status_has_a_message();
    return 0;
}
