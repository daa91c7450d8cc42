/* Read-modify-write: of one key, of several, of numbers; erase_if; and which side has which handle afterwards. */
#include "check.h"

#include <math.h>

static void is(syncmap_result result, bool found, bool changed, syncmap_value value) {
    CHECK(result.status == SYNCMAP_OK);
    CHECK(result.found == found);
    CHECK(result.changed == changed);
    CHECK(syncmap_equal(result.value, value));
    syncmap_release(result.value);
}

static int released;
static void count_release(void* pointer, uint64_t type) {
    (void)pointer;
    (void)type;
    ++released;
}
static syncmap_value handle(uint64_t type) { return syncmap_handle(&released, type, count_release); }

/* ---- contains, fetch_add ---- */

static void contains(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    is(syncmap_contains(map, syncmap_string("key")), false, false, syncmap_nil());
    CHECK(syncmap_store(map, syncmap_string("key"), syncmap_string("value")).changed);
    is(syncmap_contains(map, syncmap_string("key")), true, false, syncmap_nil());
    CHECK(syncmap_contains(map, syncmap_bytes(NULL, 1)).status == SYNCMAP_INVALID);
    syncmap_destroy(map);
}

static void fetch_add(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    const syncmap_value key = syncmap_string("key"), nil = syncmap_nil();
    is(syncmap_fetch_add(map, key, syncmap_int(5)), false, true, syncmap_int(0));
    is(syncmap_fetch_add(map, key, syncmap_int(-7)), true, true, syncmap_int(5));
    is(syncmap_load(map, key), true, false, syncmap_int(-2));
    CHECK(syncmap_fetch_add(map, key, syncmap_uint(1)).status == SYNCMAP_KIND);
    CHECK(syncmap_fetch_add(map, key, syncmap_double(1)).status == SYNCMAP_KIND);
    CHECK(syncmap_fetch_add(map, key, syncmap_bool(true)).status == SYNCMAP_INVALID);
    CHECK(syncmap_fetch_add(map, key, nil).status == SYNCMAP_INVALID);
    is(syncmap_load(map, key), true, false, syncmap_int(-2));

    CHECK(syncmap_store(map, key, syncmap_int(INT64_MAX)).changed);
    is(syncmap_fetch_add(map, key, syncmap_int(1)), true, true, syncmap_int(INT64_MAX));
    is(syncmap_load(map, key), true, false, syncmap_int(INT64_MIN));
    is(syncmap_fetch_add(map, syncmap_int(1), syncmap_uint(UINT64_MAX)), false, true, syncmap_uint(0));
    is(syncmap_fetch_add(map, syncmap_int(1), syncmap_uint(2)), true, true, syncmap_uint(UINT64_MAX));
    is(syncmap_load(map, syncmap_int(1)), true, false, syncmap_uint(1));
    is(syncmap_fetch_add(map, syncmap_int(2), syncmap_double(0.5)), false, true, syncmap_double(0));
    is(syncmap_fetch_add(map, syncmap_int(2), syncmap_double(0.25)), true, true, syncmap_double(0.5));
    is(syncmap_load(map, syncmap_int(2)), true, false, syncmap_double(0.75));

    /* A handle as the key belongs to the map when the call says so. */
    released = 0;
    CHECK(syncmap_fetch_add(map, handle(1), syncmap_int(1)).changed);
    CHECK(syncmap_fetch_add(map, handle(1), syncmap_uint(1)).status == SYNCMAP_KIND); /* still ours: not released */
    syncmap_destroy(map);
    CHECK(released == 1);
}

/* ---- update ---- */

struct plan {
    syncmap_map* map;
    uint32_t action[3];
    syncmap_value desired[3];
    syncmap_status status;
    int runs;
    size_t count;
    bool found[3];
    syncmap_value current[3];
    syncmap_status inner, assigned;
};

static syncmap_status follow(void* context, syncmap_slot* slots, size_t count) {
    struct plan* const plan = (struct plan*)context;
    ++plan->runs;
    plan->count = count;
    for (size_t i = 0; i < count; ++i) {
        CHECK(slots[i].action == SYNCMAP_KEEP && slots[i].desired.kind == SYNCMAP_NIL);
        CHECK(slots[i].key.owned == 0 && slots[i].current.owned == 0);
        plan->found[i] = slots[i].found;
        plan->current[i] = slots[i].current;
        if (plan->action[i] == SYNCMAP_KEEP) CHECK(syncmap_slot_keep(&slots[i]) == SYNCMAP_OK);
        if (plan->action[i] == SYNCMAP_ERASE) CHECK(syncmap_slot_erase(&slots[i]) == SYNCMAP_OK);
        if (plan->action[i] == SYNCMAP_ASSIGN) {
            plan->assigned = syncmap_slot_assign(&slots[i], plan->desired[i]);
            CHECK(slots[i].status == plan->assigned);
        }
        if (plan->action[i] > SYNCMAP_ERASE) slots[i].action = plan->action[i];
    }
    return plan->status;
}

static struct plan plan_for(syncmap_map* map, uint32_t action, syncmap_value desired) {
    struct plan plan;
    memset(&plan, 0, sizeof plan);
    plan.map = map;
    plan.action[0] = action;
    plan.desired[0] = desired;
    return plan;
}

static void update(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    const syncmap_value key = syncmap_string("key"), nil = syncmap_nil();
    struct plan plan = plan_for(map, SYNCMAP_KEEP, nil);
    is(syncmap_update(map, key, follow, &plan), false, false, nil);
    CHECK(plan.runs == 1 && plan.count == 1 && !plan.found[0] && plan.current[0].kind == SYNCMAP_NIL);
    plan = plan_for(map, SYNCMAP_ERASE, nil);
    is(syncmap_update(map, key, follow, &plan), false, false, nil);
    CHECK(size_of(map) == 0);

    plan = plan_for(map, SYNCMAP_ASSIGN, syncmap_string("one"));
    is(syncmap_update(map, key, follow, &plan), false, true, nil);
    CHECK(plan.runs == 1 && holds(map, key, syncmap_string("one")));
    plan = plan_for(map, SYNCMAP_ASSIGN, syncmap_int(2));
    is(syncmap_update(map, key, follow, &plan), true, true, nil);
    CHECK(plan.runs == 1 && plan.found[0] && plan.current[0].kind == SYNCMAP_BYTES && holds(map, key, syncmap_int(2)));
    plan = plan_for(map, SYNCMAP_KEEP, syncmap_nil());
    is(syncmap_update(map, key, follow, &plan), true, false, nil);
    CHECK(holds(map, key, syncmap_int(2)));

    plan = plan_for(map, SYNCMAP_ASSIGN, syncmap_int(3));
    plan.status = SYNCMAP_CALLER + 3;
    syncmap_result result = syncmap_update(map, key, follow, &plan);
    CHECK(result.status == SYNCMAP_CALLER + 3 && !result.found && !result.changed && holds(map, key, syncmap_int(2)));
    plan = plan_for(map, SYNCMAP_ERASE + 1, nil);
    CHECK(syncmap_update(map, key, follow, &plan).status == SYNCMAP_INVALID);
    plan = plan_for(map, SYNCMAP_ASSIGN, syncmap_bytes(NULL, 1));
    CHECK(syncmap_update(map, key, follow, &plan).status == SYNCMAP_INVALID && holds(map, key, syncmap_int(2)));
    CHECK(plan.assigned == SYNCMAP_INVALID);
    CHECK(syncmap_slot_assign(NULL, nil) == SYNCMAP_INVALID && syncmap_slot_erase(NULL) == SYNCMAP_INVALID);
    CHECK(syncmap_update(map, key, NULL, NULL).status == SYNCMAP_INVALID);

    plan = plan_for(map, SYNCMAP_ERASE, nil);
    is(syncmap_update(map, key, follow, &plan), true, true, nil);
    CHECK(is_absent(map, key));
    syncmap_destroy(map);
}

static syncmap_status write_own_key(void* context, syncmap_slot* slots, size_t count) {
    struct plan* const plan = (struct plan*)context;
    (void)count;
    plan->inner = syncmap_store(plan->map, slots[0].key, syncmap_nil()).status;
    return SYNCMAP_CALLER;
}
static void update_from_within(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    struct plan plan = plan_for(map, SYNCMAP_KEEP, syncmap_nil());
    CHECK(syncmap_update(map, syncmap_string("key"), write_own_key, &plan).status == SYNCMAP_CALLER);
    CHECK(plan.inner == (has_lock(engine) ? SYNCMAP_REENTRANT : SYNCMAP_RECURSIVE) && size_of(map) == 0);
    syncmap_destroy(map);
}

/* A slot is given bytes of the callback's own, and several answers, of which the last one counts. */
static syncmap_status change_its_mind(void* context, syncmap_slot* slot, size_t count) {
    char text[] = "of my own";
    (void)context;
    CHECK(count == 1);
    CHECK(syncmap_slot_assign(slot, handle(7)) == SYNCMAP_OK);
    CHECK(syncmap_slot_assign(slot, handle(8)) == SYNCMAP_OK && released == 1);
    CHECK(syncmap_slot_erase(slot) == SYNCMAP_OK && released == 2);
    CHECK(syncmap_slot_assign(slot, syncmap_bytes(NULL, 1)) == SYNCMAP_INVALID);
    CHECK(syncmap_slot_assign(slot, syncmap_string(text)) == SYNCMAP_OK);
    memset(text, 'x', sizeof text);
    return SYNCMAP_OK;
}
/* What the callback itself writes into a slot is checked. */
static syncmap_status write_no_kind(void* context, syncmap_slot* slots, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; ++i) {
        slots[i].action = SYNCMAP_ASSIGN;
        slots[i].desired.kind = SYNCMAP_HANDLE + 1;
    }
    return SYNCMAP_OK;
}
static syncmap_status write_no_bytes(void* context, syncmap_slot* slots, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; ++i) {
        slots[i].action = SYNCMAP_ASSIGN;
        slots[i].desired = syncmap_bytes(NULL, 5);
    }
    return SYNCMAP_OK;
}
static void slots_written_by_hand(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    const syncmap_value keys[] = {syncmap_int(1), syncmap_int(2)};
    const syncmap_update_callback wrong[] = {write_no_kind, write_no_bytes};
    for (int i = 0; i < 2; ++i) {
        CHECK(syncmap_update(map, keys[0], wrong[i], NULL).status == SYNCMAP_INVALID);
        if (engine != SYNCMAP_ENGINE_SNAPSHOT) {
            CHECK(syncmap_update_many(map, keys, 2, wrong[i], NULL).status == SYNCMAP_INVALID);
        }
    }
    CHECK(size_of(map) == 0);
    syncmap_destroy(map);
}

static void last_answer_counts(uint32_t engine) {
    released = 0;
    syncmap_map* const map = make_map(engine);
    is(syncmap_update(map, syncmap_int(1), change_its_mind, NULL), false, true, syncmap_nil());
    CHECK(holds(map, syncmap_int(1), syncmap_string("of my own")) && released == 2);
    syncmap_destroy(map);
}

/* Handles: taken over by an assignment, whatever becomes of the call; as keys, if it assigned. */
static void handles_of_updates(uint32_t engine) {
    released = 0;
    syncmap_map* const map = make_map(engine);
    struct plan plan = plan_for(map, SYNCMAP_ASSIGN, handle(1));
    is(syncmap_update(map, handle(2), follow, &plan), false, true, syncmap_nil()); /* both */
    plan = plan_for(map, SYNCMAP_KEEP, syncmap_nil());
    is(syncmap_update(map, handle(2), follow, &plan), true, false, syncmap_nil()); /* not the key */
    CHECK(released == 0);
    plan = plan_for(map, SYNCMAP_ASSIGN, handle(1));
    plan.status = SYNCMAP_CALLER;
    CHECK(syncmap_update(map, handle(2), follow, &plan).status == SYNCMAP_CALLER); /* the value, and it is released */
    CHECK(released == 1);

    const syncmap_result own = syncmap_retain(handle(3));
    CHECK(own.changed);
    plan = plan_for(map, SYNCMAP_ASSIGN, own.value);
    is(syncmap_update(map, syncmap_int(1), follow, &plan), false, true, syncmap_nil()); /* shared, as by a store */
    syncmap_release(own.value);
    plan = plan_for(map, SYNCMAP_ERASE, syncmap_nil());
    is(syncmap_update(map, handle(2), follow, &plan), true, true, syncmap_nil()); /* its key is looked at */
    is(syncmap_update(map, syncmap_int(1), follow, &plan), true, true, syncmap_nil());
    /* The snapshot engine keeps the key of an erased entry. */
    for (int i = 0; i < SYNCMAP_RELEASE_WITHIN; ++i) CHECK(size_of(map) == 0);
    CHECK(released == (engine == SYNCMAP_ENGINE_SNAPSHOT ? 3 : 4));
    syncmap_destroy(map);
    CHECK(released == 4);
}

/* ---- several keys ---- */

static void update_many(uint32_t engine) {
    released = 0;
    syncmap_map* const map = make_map(engine);
    const syncmap_value keys[] = {syncmap_string("a"), handle(1), syncmap_int(3)};
    struct plan plan = plan_for(map, SYNCMAP_ASSIGN, syncmap_string("one"));
    plan.action[1] = SYNCMAP_ASSIGN;
    plan.desired[1] = handle(2);
    plan.action[2] = SYNCMAP_ERASE;
    if (engine == SYNCMAP_ENGINE_SNAPSHOT) {
        CHECK(syncmap_update_many(map, keys, 3, follow, &plan).status == SYNCMAP_UNSUPPORTED);
        CHECK(plan.runs == 0);
        syncmap_destroy(map);
        CHECK(released == 0);
        return;
    }
    is(syncmap_update_many(map, keys, 3, follow, &plan), false, true, syncmap_nil());
    CHECK(plan.runs == 1 && plan.count == 3 && !plan.found[0] && !plan.found[1] && !plan.found[2]);
    CHECK(size_of(map) == 2 && holds(map, keys[0], syncmap_string("one")));

    plan = plan_for(map, SYNCMAP_KEEP, syncmap_nil());
    is(syncmap_update_many(map, keys, 3, follow, &plan), false, false, syncmap_nil());
    CHECK(plan.found[0] && plan.found[1] && !plan.found[2] && released == 0);
    is(syncmap_update_many(map, NULL, 0, follow, &plan), false, false, syncmap_nil());

    const syncmap_value twice[] = {syncmap_int(1), syncmap_int(2), syncmap_int(1)};
    CHECK(syncmap_update_many(map, twice, 3, follow, &plan).status == SYNCMAP_INVALID);
    CHECK(syncmap_update_many(map, NULL, 1, follow, &plan).status == SYNCMAP_INVALID);
    CHECK(syncmap_update_many(map, keys, 3, NULL, NULL).status == SYNCMAP_INVALID);

    /* One slot that is wrong: all that was given away is taken over all the same, and nothing changes. */
    plan = plan_for(map, SYNCMAP_ASSIGN, handle(5));
    plan.action[1] = 77;
    plan.action[2] = SYNCMAP_ASSIGN;
    plan.desired[2] = handle(6);
    CHECK(syncmap_update_many(map, keys, 3, follow, &plan).status == SYNCMAP_INVALID);
    CHECK(released == 2 && size_of(map) == 2 && holds(map, keys[0], syncmap_string("one")));

    plan = plan_for(map, SYNCMAP_ERASE, syncmap_nil());
    plan.action[1] = SYNCMAP_ERASE;
    plan.action[2] = SYNCMAP_ASSIGN;
    plan.desired[2] = syncmap_int(1);
    is(syncmap_update_many(map, keys, 3, follow, &plan), false, true, syncmap_nil());
    CHECK(size_of(map) == 1 && holds(map, syncmap_int(3), syncmap_int(1)));
    for (int i = 0; i < SYNCMAP_RELEASE_WITHIN; ++i) CHECK(size_of(map) == 1);
    CHECK(released == 4);
    syncmap_destroy(map);
    CHECK(released == 4);
}

/* ---- erase_if ---- */

struct condition {
    syncmap_map* map;
    int64_t below;
    int shown;
};
static bool is_below(void* context, syncmap_value key, syncmap_value value) {
    struct condition* const c = (struct condition*)context;
    ++c->shown;
    CHECK(key.owned == 0 && value.owned == 0);
    return key.kind != SYNCMAP_INT || key.as.integer < c->below;
}
static bool calls_back(void* context, syncmap_value key, syncmap_value value) {
    struct condition* const c = (struct condition*)context;
    (void)value;
    const syncmap_status status = syncmap_contains(c->map, key).status;
    CHECK(status == (c->below == 0 ? SYNCMAP_OK : SYNCMAP_REENTRANT));
    return false;
}
static syncmap_map* watched;
static void count_and_look(void* pointer, uint64_t type) {
    (void)pointer;
    (void)type;
    CHECK(syncmap_size(watched).status == SYNCMAP_OK && is_absent(watched, syncmap_string("nothing"))); /* no lock is held */
    ++released;
}

static void erase_if(uint32_t engine) {
    released = 0;
    syncmap_map* const map = watched = make_map(engine);
    struct condition c = {map, 0, 0};
    syncmap_count erased = syncmap_erase_if(map, is_below, &c);
    CHECK(erased.status == SYNCMAP_OK && erased.count == 0 && c.shown == 0);
    for (int64_t i = 0; i < 100; ++i) {
        CHECK(syncmap_store(map, syncmap_int(i), syncmap_handle(&released, 1, count_and_look)).changed);
    }
    c.below = 40;
    erased = syncmap_erase_if(map, is_below, &c);
    CHECK(erased.status == SYNCMAP_OK && erased.count == 40 && size_of(map) == 60 && is_absent(map, syncmap_int(39)));
    CHECK(!is_absent(map, syncmap_int(40)));
    for (int i = 0; i < SYNCMAP_RELEASE_WITHIN; ++i) CHECK(size_of(map) == 60);
    CHECK(released == 40);

    /* A key that equals nothing can be erased by what was seen of it. */
    CHECK(syncmap_store(map, syncmap_double(NAN), syncmap_int(1)).changed && size_of(map) == 61);
    erased = syncmap_erase_if(map, is_below, &c);
    CHECK(erased.count == 1 && size_of(map) == 60);

    c.below = has_lock(engine);
    CHECK(syncmap_erase_if(map, calls_back, &c).status == SYNCMAP_OK);
    CHECK(syncmap_erase_if(map, NULL, NULL).status == SYNCMAP_INVALID);
    syncmap_clear(map);
    watched = make_map(SYNCMAP_ENGINE_MAP); /* the handles that are left may not call a map that is being destroyed */
    syncmap_destroy(map);
    CHECK(released == 100);
    syncmap_destroy(watched);
}

int main(void) {
    with_each_engine(contains);
    with_each_engine(fetch_add);
    with_each_engine(update);
    with_each_engine(update_from_within);
    with_each_engine(slots_written_by_hand);
    with_each_engine(last_answer_counts);
    with_each_engine(handles_of_updates);
    with_each_engine(update_many);
    with_each_engine(erase_if);
    return 0;
}
