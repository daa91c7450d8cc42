/* What each operation does and says, with every engine. */
#include "check.h"

static const syncmap_value* key(void) {
    static syncmap_value value;
    value = syncmap_string("key");
    return &value;
}

static void is(syncmap_result result, bool found, bool changed, syncmap_value value) {
    CHECK(result.status == SYNCMAP_OK);
    CHECK(result.found == found);
    CHECK(result.changed == changed);
    CHECK(syncmap_equal(result.value, value));
    syncmap_release(result.value);
}

static void of_one_key(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    const syncmap_value one = syncmap_int(1), two = syncmap_string("two"), three = syncmap_double(3), nil = syncmap_nil();

    is(syncmap_load(map, *key()), false, false, nil);
    is(syncmap_erase(map, *key()), false, false, nil);
    is(syncmap_load_and_erase(map, *key()), false, false, nil);
    is(syncmap_compare_exchange(map, *key(), one, two), false, false, nil);
    is(syncmap_compare_exchange(map, *key(), nil, two), false, false, nil); /* nil is a value, not absence */
    is(syncmap_compare_erase(map, *key(), one), false, false, nil);
    CHECK(size_of(map) == 0);

    is(syncmap_store(map, *key(), one), false, true, nil);
    is(syncmap_load(map, *key()), true, false, one);
    is(syncmap_store(map, *key(), two), true, true, nil);
    is(syncmap_load(map, *key()), true, false, two);

    is(syncmap_load_or_store(map, *key(), three), true, false, two);
    is(syncmap_load_or_store(map, syncmap_int(5), three), false, true, three);
    is(syncmap_load(map, syncmap_int(5)), true, false, three);

    is(syncmap_exchange(map, *key(), three), true, true, two);
    is(syncmap_exchange(map, syncmap_int(6), two), false, true, nil);

    is(syncmap_compare_exchange(map, *key(), one, two), true, false, three);
    is(syncmap_compare_exchange(map, *key(), three, two), true, true, nil);
    is(syncmap_compare_exchange(map, *key(), two, nil), true, true, nil);
    is(syncmap_load(map, *key()), true, false, nil);
    is(syncmap_compare_exchange(map, *key(), nil, two), true, true, nil);

    is(syncmap_compare_erase(map, *key(), one), true, false, two);
    is(syncmap_compare_erase(map, *key(), two), true, true, nil);
    CHECK(is_absent(map, *key()));
    is(syncmap_erase(map, syncmap_int(5)), true, true, nil);
    is(syncmap_load_and_erase(map, syncmap_int(6)), true, true, two);
    CHECK(size_of(map) == 0);
    syncmap_destroy(map);
}

static void add_one(void* context, syncmap_value value) {
    CHECK(value.owned == 0);
    *(int64_t*)context += value.as.integer;
}

static void visit(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    int64_t sum = 0;
    is(syncmap_visit(map, *key(), add_one, &sum), false, false, syncmap_nil());
    CHECK(sum == 0);
    CHECK(syncmap_store(map, *key(), syncmap_int(5)).changed);
    is(syncmap_visit(map, *key(), add_one, &sum), true, false, syncmap_nil());
    CHECK(sum == 5);
    syncmap_destroy(map);
}

struct net_count {
    syncmap_map* map;
    size_t calls;
    size_t stop_at;
    int64_t sum;
};

static bool add_up(void* context, syncmap_value k, syncmap_value v) {
    struct net_count* const net_count = (struct net_count*)context;
    CHECK(k.kind == SYNCMAP_INT && v.kind == SYNCMAP_INT && v.as.integer == 2 * k.as.integer);
    net_count->sum += k.as.integer;
    return ++net_count->calls != net_count->stop_at;
}

/* A callback may do anything with the map, also where the engine iterates inside a lock. */
static bool change_it(void* context, syncmap_value k, syncmap_value v) {
    struct net_count* const net_count = (struct net_count*)context;
    (void)v;
    ++net_count->calls;
    is(syncmap_erase(net_count->map, k), true, true, syncmap_nil());
    CHECK(syncmap_store(net_count->map, syncmap_string("new"), k).status == SYNCMAP_OK);
    return true;
}

static void whole_map(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    struct net_count net_count = {map, 0, 0, 0};
    syncmap_count shown = syncmap_for_each(map, add_up, &net_count);
    CHECK(shown.status == SYNCMAP_OK && shown.count == 0 && net_count.calls == 0);

    CHECK(syncmap_reserve(map, 1000) == SYNCMAP_OK);
    for (int64_t i = 0; i < 1000; ++i) CHECK(syncmap_store(map, syncmap_int(i), syncmap_int(2 * i)).changed);
    CHECK(size_of(map) == 1000);
    shown = syncmap_for_each(map, add_up, &net_count);
    CHECK(shown.count == 1000 && net_count.calls == 1000 && net_count.sum == 999 * 1000 / 2);

    struct net_count few = {map, 0, 10, 0};
    shown = syncmap_for_each(map, add_up, &few);
    CHECK(shown.status == SYNCMAP_OK && shown.count == 10 && few.calls == 10);

    struct net_count changes = {map, 0, 0, 0};
    while (size_of(map) > 1 && changes.calls < 2000) {
        CHECK(syncmap_erase(map, syncmap_string("new")).status == SYNCMAP_OK);
        CHECK(syncmap_for_each(map, change_it, &changes).status == SYNCMAP_OK);
    }
    CHECK(size_of(map) == 1 && !is_absent(map, syncmap_string("new")));

    for (int64_t i = 0; i < 100; ++i) CHECK(syncmap_store(map, syncmap_int(i), syncmap_int(i)).changed);
    CHECK(syncmap_clear(map) == SYNCMAP_OK);
    CHECK(size_of(map) == 0 && is_absent(map, syncmap_int(1)));
    CHECK(syncmap_flush(map) == SYNCMAP_OK);
    CHECK(syncmap_store(map, syncmap_int(1), syncmap_int(1)).changed);
    CHECK(size_of(map) == 1);
    syncmap_destroy(map);
}

struct computation {
    syncmap_map* map;
    int runs;
    syncmap_status inner;
    syncmap_result outcome;
};

static syncmap_result compute(void* context, syncmap_value k) {
    struct computation* const c = (struct computation*)context;
    CHECK(k.kind == SYNCMAP_BYTES && strcmp(k.as.bytes.data, "key") == 0);
    ++c->runs;
    return c->outcome;
}

static syncmap_result compute_recursively(void* context, syncmap_value k) {
    struct computation* const c = (struct computation*)context;
    c->inner = syncmap_store(c->map, k, syncmap_int(0)).status;
    return syncmap_failed(SYNCMAP_CALLER + 7);
}

static syncmap_result compute_with_another_key(void* context, syncmap_value k) {
    struct computation* const c = (struct computation*)context;
    (void)k;
    c->inner = syncmap_store(c->map, syncmap_string("other"), syncmap_int(0)).status;
    return syncmap_computed(syncmap_int(1));
}

static void load_or_compute(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    struct computation c = {map, 0, SYNCMAP_OK, syncmap_failed(SYNCMAP_CALLER)};
    syncmap_result result = syncmap_load_or_compute(map, *key(), compute, &c);
    CHECK(result.status == SYNCMAP_CALLER && !result.found && !result.changed && c.runs == 1);
    CHECK(is_absent(map, *key()));

    c.outcome = syncmap_computed(syncmap_bytes(NULL, 5));
    CHECK(syncmap_load_or_compute(map, *key(), compute, &c).status == SYNCMAP_INVALID);
    CHECK(is_absent(map, *key()));

    c.outcome = syncmap_computed(syncmap_string("computed"));
    is(syncmap_load_or_compute(map, *key(), compute, &c), false, true, syncmap_string("computed"));
    is(syncmap_load_or_compute(map, *key(), compute, &c), true, false, syncmap_string("computed"));
    CHECK(c.runs == 3);

    /* A value that the callback owns goes to the map as it is. */
    CHECK(syncmap_erase(map, *key()).changed);
    const syncmap_result own = syncmap_retain(syncmap_string("own"));
    c.outcome = syncmap_computed(own.value);
    is(syncmap_load_or_compute(map, *key(), compute, &c), false, true, syncmap_string("own"));

    CHECK(syncmap_erase(map, *key()).changed);
    result = syncmap_load_or_compute(map, *key(), compute_recursively, &c);
    CHECK(result.status == SYNCMAP_CALLER + 7);
    CHECK(c.inner == (has_lock(engine) ? SYNCMAP_REENTRANT : SYNCMAP_RECURSIVE));
    CHECK(is_absent(map, *key()));

    is(syncmap_load_or_compute(map, *key(), compute_with_another_key, &c), false, true, syncmap_int(1));
    CHECK(c.inner == (has_lock(engine) ? SYNCMAP_REENTRANT : SYNCMAP_OK));
    syncmap_destroy(map);
}

int main(void) {
    with_each_engine(of_one_key);
    with_each_engine(visit);
    with_each_engine(whole_map);
    with_each_engine(load_or_compute);
    return 0;
}
