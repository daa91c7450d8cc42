/* Caches: the bound, loads and their errors, re-entry, handles, invalidation, statistics, bad arguments. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

static syncmap_cache* make_cache(size_t capacity) {
    const syncmap_cache_options options = syncmap_default_cache_options(capacity);
    const syncmap_cache_created made = syncmap_cache_create(&options);
    CHECK(made.status == SYNCMAP_OK && made.cache != NULL);
    return made.cache;
}

static size_t cached(syncmap_cache* cache) {
    const syncmap_count size = syncmap_cache_size(cache);
    CHECK(size.status == SYNCMAP_OK);
    return size.count;
}

static void is(syncmap_result result, bool found, bool changed, syncmap_value value) {
    CHECK(result.status == SYNCMAP_OK);
    CHECK(result.found == found);
    CHECK(result.changed == changed);
    CHECK(syncmap_equal(result.value, value));
    syncmap_release(result.value);
}

static void fails(syncmap_result result, syncmap_status status) {
    CHECK(result.status == status);
    CHECK(!result.found && !result.changed && result.value.kind == SYNCMAP_NIL);
}

static int released;
static void count_release(void* pointer, uint64_t type) {
    (void)pointer;
    (void)type;
    ++released;
}
static syncmap_value handle(uint64_t type) { return syncmap_handle(&released, type, count_release); }

static void see(void* context, syncmap_value value) { *(int64_t*)context = value.as.integer; }

static void keys(void) {
    syncmap_cache* const cache = make_cache(100);
    const syncmap_value key = syncmap_string("key"), nil = syncmap_nil();
    is(syncmap_cache_get(cache, key), false, false, nil);
    is(syncmap_cache_put(cache, key, syncmap_int(1)), false, true, nil);
    is(syncmap_cache_put(cache, key, syncmap_int(2)), false, true, nil);
    is(syncmap_cache_put_if_absent(cache, key, syncmap_int(3)), false, false, nil);
    is(syncmap_cache_get(cache, key), true, false, syncmap_int(2));
    int64_t seen = 0;
    is(syncmap_cache_visit(cache, key, see, &seen), true, false, nil);
    CHECK(seen == 2);
    is(syncmap_cache_contains(cache, key), true, false, nil);
    is(syncmap_cache_put_if_absent(cache, syncmap_int(4), syncmap_string("four")), false, true, nil);
    CHECK(cached(cache) == 2);
    is(syncmap_cache_take(cache, key), true, true, syncmap_int(2));
    is(syncmap_cache_take(cache, key), false, false, nil);
    is(syncmap_cache_contains(cache, key), false, false, nil);
    is(syncmap_cache_invalidate(cache, syncmap_int(4)), true, true, nil);
    is(syncmap_cache_invalidate(cache, syncmap_int(4)), false, false, nil);
    CHECK(syncmap_cache_put(cache, nil, nil).changed && cached(cache) == 1);
    CHECK(syncmap_cache_invalidate_all(cache) == SYNCMAP_OK && cached(cache) == 0);
    is(syncmap_cache_get(cache, nil), false, false, nil);
    CHECK(syncmap_cache_flush(cache) == SYNCMAP_OK);
    const syncmap_cache_stats stats = syncmap_cache_stats_of(cache);
    CHECK(stats.replaced == 1 && stats.erased == 2 && stats.invalidated == 1 && stats.inserts == 3);
    syncmap_cache_destroy(cache);
}

static void bound(void) {
    syncmap_cache* const cache = make_cache(50);
    for (int64_t i = 0; i < 500; ++i) {
        CHECK(syncmap_cache_put(cache, syncmap_int(i), syncmap_int(i)).changed);
        is(syncmap_cache_get(cache, syncmap_int(i)), true, false, syncmap_int(i));
        CHECK(cached(cache) <= 50);
    }
    CHECK(cached(cache) == 50);
    const syncmap_cache_stats stats = syncmap_cache_stats_of(cache);
    CHECK(stats.status == SYNCMAP_OK && stats.inserts == 500 && stats.evictions == 450 && stats.hits == 500 &&
          stats.misses == 0);
    syncmap_cache_destroy(cache);

    syncmap_cache* const empty = make_cache(0);
    is(syncmap_cache_put(empty, syncmap_int(1), syncmap_int(1)), false, false, syncmap_nil());
    syncmap_cache_destroy(empty);
}

/* ---- loads ---- */

struct load {
    syncmap_cache* cache;
    int calls;
    syncmap_status status, inner;
};

static syncmap_result load_text(void* context, syncmap_value key) {
    struct load* const load = (struct load*)context;
    ++load->calls;
    (void)key;
    return load->status == SYNCMAP_OK ? syncmap_retain(syncmap_string("loaded")) : syncmap_failed(load->status);
}
static syncmap_result load_own_key(void* context, syncmap_value key) {
    struct load* const load = (struct load*)context;
    const syncmap_result inner = syncmap_cache_get_or_load(load->cache, key, load_own_key, context);
    load->inner = inner.status;
    CHECK(syncmap_cache_put(load->cache, syncmap_int(7), syncmap_int(7)).changed); /* any other key */
    is(syncmap_cache_get_or_load(load->cache, syncmap_int(8), load_text, context), false, true, syncmap_string("loaded"));
    return syncmap_computed(syncmap_int(1));
}
static syncmap_result load_and_put(void* context, syncmap_value key) {
    struct load* const load = (struct load*)context;
    CHECK(syncmap_cache_put(load->cache, key, syncmap_string("put")).changed);
    return syncmap_computed(syncmap_string("loaded before"));
}
static syncmap_result load_handle(void* context, syncmap_value key) {
    (void)context;
    (void)key;
    return syncmap_computed(handle(5));
}

static void loads(void) {
    syncmap_cache* const cache = make_cache(100);
    struct load load = {.cache = cache, .status = SYNCMAP_CALLER + 3};
    const syncmap_value key = syncmap_string("key");
    fails(syncmap_cache_get_or_load(cache, key, load_text, &load), SYNCMAP_CALLER + 3); /* and is not remembered */
    load.status = SYNCMAP_OK;
    is(syncmap_cache_get_or_load(cache, key, load_text, &load), false, true, syncmap_string("loaded"));
    is(syncmap_cache_get_or_load(cache, key, load_text, &load), true, false, syncmap_string("loaded"));
    CHECK(load.calls == 2);
    const syncmap_cache_stats stats = syncmap_cache_stats_of(cache);
    CHECK(stats.loads == 1 && stats.failed_loads == 1 && stats.hits == 1 && stats.misses == 2);

    is(syncmap_cache_get_or_load(cache, syncmap_int(1), load_own_key, &load), false, true, syncmap_int(1));
    CHECK(load.inner == SYNCMAP_RECURSIVE);
    CHECK(syncmap_cache_get(cache, syncmap_int(7)).found);

    /* A put beats a load that began before: the call has what it loaded, and later calls do not. */
    is(syncmap_cache_get_or_load(cache, syncmap_int(2), load_and_put, &load), false, true, syncmap_string("loaded before"));
    is(syncmap_cache_get(cache, syncmap_int(2)), true, false, syncmap_string("put"));
    syncmap_cache_destroy(cache);
}

/* A load that fails because it is recursive is tried anew by a thread that waits for it. */
struct meeting {
    syncmap_cache* cache;
    atomic_bool loads, asks;
};
static void pause_for_milliseconds(long n) {
    const struct timespec pause = {0, n * 1000000};
    nanosleep(&pause, NULL);
}
static syncmap_result load_recursively(void* context, syncmap_value key) {
    struct meeting* const meeting = (struct meeting*)context;
    (void)key;
    atomic_store(&meeting->loads, true);
    while (!atomic_load(&meeting->asks)) pause_for_milliseconds(1);
    pause_for_milliseconds(20); /* the other thread waits now */
    return syncmap_failed(SYNCMAP_RECURSIVE);
}
static syncmap_result load_one(void* context, syncmap_value key) {
    (void)context;
    (void)key;
    return syncmap_computed(syncmap_int(1));
}
static void* load_beside(void* context) {
    struct meeting* const meeting = (struct meeting*)context;
    fails(syncmap_cache_get_or_load(meeting->cache, syncmap_int(1), load_recursively, meeting), SYNCMAP_RECURSIVE);
    return NULL;
}
static void recursion_is_not_shared(void) {
    struct meeting meeting;
    meeting.cache = make_cache(10);
    atomic_init(&meeting.loads, false);
    atomic_init(&meeting.asks, false);
    pthread_t other;
    CHECK(pthread_create(&other, NULL, load_beside, &meeting) == 0);
    while (!atomic_load(&meeting.loads)) pause_for_milliseconds(1);
    atomic_store(&meeting.asks, true);
    is(syncmap_cache_get_or_load(meeting.cache, syncmap_int(1), load_one, NULL), false, true, syncmap_int(1));
    CHECK(pthread_join(other, NULL) == 0);
    syncmap_cache_destroy(meeting.cache);
}

/* ---- handles ---- */

static void handles(void) {
    syncmap_cache* cache = make_cache(4);
    released = 0;
    CHECK(syncmap_cache_put(cache, handle(1), handle(2)).changed);
    CHECK(syncmap_cache_put(cache, handle(1), handle(3)).changed); /* the second key, and the first value */
    for (int i = 0; i < 2 * SYNCMAP_RELEASE_WITHIN; ++i) CHECK(syncmap_cache_contains(cache, handle(1)).found);
    CHECK(released == 2);
    is(syncmap_cache_put_if_absent(cache, handle(1), handle(4)), false, false, syncmap_nil()); /* still ours */
    const syncmap_result loaded = syncmap_cache_get_or_load(cache, handle(9), load_handle, NULL);
    CHECK(loaded.changed && syncmap_equal(loaded.value, handle(5)));
    syncmap_release(loaded.value);
    CHECK(released == 2);

    /* Evicted handles go within so many puts. */
    for (int64_t i = 0; i < 2 * SYNCMAP_RELEASE_WITHIN; ++i)
        CHECK(syncmap_cache_put(cache, syncmap_int(i), syncmap_nil()).changed);
    CHECK(released >= 4);
    CHECK(syncmap_cache_invalidate_all(cache) == SYNCMAP_OK && syncmap_cache_flush(cache) == SYNCMAP_OK);
    CHECK(released == 6);
    syncmap_cache_destroy(cache);

    cache = make_cache(0);
    released = 0;
    is(syncmap_cache_put(cache, handle(1), handle(2)), false, false, syncmap_nil()); /* still ours */
    const syncmap_result in_vain = syncmap_cache_get_or_load(cache, handle(1), load_handle, NULL);
    CHECK(in_vain.changed);
    syncmap_release(in_vain.value);
    CHECK(syncmap_cache_flush(cache) == SYNCMAP_OK && released == 2); /* the key of the load, and its value */
    syncmap_cache_destroy(cache);
}

/* ---- errors ---- */

static void bad_arguments(void) {
    const syncmap_value nil = syncmap_nil(), bad = syncmap_bytes(NULL, 1);
    CHECK(syncmap_cache_create(NULL).status == SYNCMAP_INVALID);
    syncmap_cache_options options = syncmap_default_cache_options(SIZE_MAX);
    CHECK(syncmap_cache_create(&options).status == SYNCMAP_TOO_LARGE);
    options = syncmap_default_cache_options(1);
    options.unused[3] = 1;
    CHECK(syncmap_cache_create(&options).status == SYNCMAP_INVALID);
    options = syncmap_default_cache_options(1);
    options.size = 3;
    CHECK(syncmap_cache_create(&options).status == SYNCMAP_INVALID);
    struct {
        syncmap_cache_options known;
        uint64_t later;
    } newer = {syncmap_default_cache_options(1), 1};
    newer.known.size = sizeof newer;
    CHECK(syncmap_cache_create(&newer.known).status == SYNCMAP_INVALID);
    newer.later = 0;
    const syncmap_cache_created made = syncmap_cache_create(&newer.known);
    CHECK(made.status == SYNCMAP_OK);

    fails(syncmap_cache_get(NULL, nil), SYNCMAP_INVALID);
    fails(syncmap_cache_get(made.cache, bad), SYNCMAP_INVALID);
    fails(syncmap_cache_visit(made.cache, nil, NULL, NULL), SYNCMAP_INVALID);
    fails(syncmap_cache_contains(NULL, nil), SYNCMAP_INVALID);
    fails(syncmap_cache_put(NULL, nil, nil), SYNCMAP_INVALID);
    fails(syncmap_cache_put(made.cache, nil, bad), SYNCMAP_INVALID);
    fails(syncmap_cache_put_if_absent(made.cache, bad, nil), SYNCMAP_INVALID);
    fails(syncmap_cache_take(NULL, nil), SYNCMAP_INVALID);
    fails(syncmap_cache_invalidate(made.cache, bad), SYNCMAP_INVALID);
    fails(syncmap_cache_get_or_load(made.cache, nil, NULL, NULL), SYNCMAP_INVALID);
    CHECK(syncmap_cache_invalidate_all(NULL) == SYNCMAP_INVALID && syncmap_cache_flush(NULL) == SYNCMAP_INVALID);
    CHECK(syncmap_cache_size(NULL).status == SYNCMAP_INVALID && syncmap_cache_stats_of(NULL).status == SYNCMAP_INVALID);
    syncmap_cache_destroy(made.cache);
    syncmap_cache_destroy(NULL);
}

static void statistics_can_be_off(void) {
    syncmap_cache_options options = syncmap_default_cache_options(10);
    options.without_statistics = true;
    const syncmap_cache_created made = syncmap_cache_create(&options);
    CHECK(syncmap_cache_put(made.cache, syncmap_int(1), syncmap_nil()).changed);
    is(syncmap_cache_get(made.cache, syncmap_int(1)), true, false, syncmap_nil());
    const syncmap_cache_stats stats = syncmap_cache_stats_of(made.cache);
    CHECK(stats.status == SYNCMAP_OK && stats.hits == 0 && stats.inserts == 0);
    syncmap_cache_destroy(made.cache);
}

static void lifetimes(void) {
    syncmap_cache_options options = syncmap_default_cache_options(10);
    options.expire_after_write = 1000000; /* a millisecond */
    const syncmap_cache_created brief = syncmap_cache_create(&options);
    options.expire_after_write = UINT64_MAX;
    const syncmap_cache_created lasting = syncmap_cache_create(&options);
    CHECK(brief.status == SYNCMAP_OK && lasting.status == SYNCMAP_OK);
    CHECK(syncmap_cache_put(brief.cache, syncmap_int(1), syncmap_int(1)).changed);
    CHECK(syncmap_cache_put(lasting.cache, syncmap_int(1), syncmap_int(1)).changed);
    int waits = 0;
    while (syncmap_cache_contains(brief.cache, syncmap_int(1)).found && waits++ < 10000) pause_for_milliseconds(1);
    is(syncmap_cache_get(brief.cache, syncmap_int(1)), false, false, syncmap_nil());
    is(syncmap_cache_get(lasting.cache, syncmap_int(1)), true, false, syncmap_int(1));
    syncmap_cache_destroy(brief.cache);
    syncmap_cache_destroy(lasting.cache);

    /* A caller that was compiled before there were lifetimes. */
    options.size = offsetof(syncmap_cache_options, expire_after_write);
    options.expire_after_write = 1;
    const syncmap_cache_created older = syncmap_cache_create(&options);
    CHECK(syncmap_cache_put(older.cache, syncmap_int(1), syncmap_int(1)).changed);
    pause_for_milliseconds(20);
    CHECK(syncmap_cache_contains(older.cache, syncmap_int(1)).found);
    syncmap_cache_destroy(older.cache);
}

/* ---- what is remembered of loads, and listeners ---- */

static syncmap_result find_nothing(void* context, syncmap_value key) {
    ++*(int*)context;
    (void)key;
    return syncmap_nothing();
}
static void what_is_remembered(void) {
    syncmap_cache_options options = syncmap_default_cache_options(10);
    syncmap_cache* const plain = syncmap_cache_create(&options).cache;
    options.negative_ttl = UINT64_MAX;
    options.error_ttl = UINT64_C(3600000000000);
    syncmap_cache* const cache = syncmap_cache_create(&options).cache;
    CHECK(plain != NULL && cache != NULL);
    int calls = 0;
    const syncmap_value key = syncmap_string("key"), nil = syncmap_nil();
    for (int i = 0; i < 2; ++i) is(syncmap_cache_get_or_load(plain, key, find_nothing, &calls), false, false, nil);
    CHECK(calls == 2);
    for (int i = 0; i < 2; ++i) is(syncmap_cache_get_or_load(cache, key, find_nothing, &calls), false, false, nil);
    CHECK(calls == 3);
    is(syncmap_cache_get(cache, key), false, false, nil);
    CHECK(syncmap_cache_put(cache, key, syncmap_int(1)).changed);
    is(syncmap_cache_get_or_load(cache, key, find_nothing, &calls), true, false, syncmap_int(1));

    struct load load = {.cache = cache, .status = SYNCMAP_CALLER + 3};
    for (int i = 0; i < 2; ++i) fails(syncmap_cache_get_or_load(cache, syncmap_int(2), load_text, &load), SYNCMAP_CALLER + 3);
    CHECK(load.calls == 1);
    load.status = SYNCMAP_OK;
    is(syncmap_cache_invalidate(cache, syncmap_int(2)), false, false, nil);
    is(syncmap_cache_get_or_load(cache, syncmap_int(2), load_text, &load), false, true, syncmap_string("loaded"));
    CHECK(syncmap_cache_stats_of(cache).remembered == 2);
    syncmap_cache_destroy(plain);
    syncmap_cache_destroy(cache);
}

struct removals {
    int64_t sum;
    int reasons[5];
};
static void tell_removal(void* context, syncmap_value key, syncmap_value value, syncmap_removal reason) {
    struct removals* const told = (struct removals*)context;
    CHECK(key.kind == SYNCMAP_INT && value.kind == SYNCMAP_INT && value.as.integer == 10 * key.as.integer);
    told->sum += key.as.integer;
    ++told->reasons[reason];
}
static void listeners(void) {
    for (int in_order = 0; in_order < 2; ++in_order) {
        struct removals told = {0};
        syncmap_cache_options options = syncmap_default_cache_options(2);
        options.on_removal = tell_removal;
        options.on_removal_context = &told;
        options.removals_in_order = in_order != 0;
        syncmap_cache* const cache = syncmap_cache_create(&options).cache;
        CHECK(cache != NULL);
        for (int64_t i = 1; i <= 3; ++i) CHECK(syncmap_cache_put(cache, syncmap_int(i), syncmap_int(10 * i)).changed);
        CHECK(told.reasons[SYNCMAP_REMOVAL_SIZE] == 1);
        CHECK(syncmap_cache_put(cache, syncmap_int(3), syncmap_int(30)).changed);
        CHECK(told.reasons[SYNCMAP_REMOVAL_REPLACED] == 1);
        CHECK(syncmap_cache_invalidate(cache, syncmap_int(3)).changed);
        CHECK(told.reasons[SYNCMAP_REMOVAL_ERASED] == 1);
        CHECK(syncmap_cache_invalidate_all(cache) == SYNCMAP_OK);
        CHECK(told.reasons[SYNCMAP_REMOVAL_INVALIDATED] == 1 && told.sum == 1 + 2 + 3 + 3);
        syncmap_cache_destroy(cache);
    }
    syncmap_cache_options bad = syncmap_default_cache_options(2);
    bad.unused_too[6] = 1;
    CHECK(syncmap_cache_create(&bad).status == SYNCMAP_INVALID);
}

int main(void) {
    lifetimes();
    what_is_remembered();
    listeners();
    keys();
    bound();
    loads();
    recursion_is_not_shared();
    handles();
    bad_arguments();
    statistics_can_be_off();
    return 0;
}
