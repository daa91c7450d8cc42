/* A hash of the caller's: keys that all collide, and keys that the hash cannot tell apart. */
#include "check.h"

struct hash_calls {
    uint64_t result;
    int calls;
    bool saw_negative_zero;
};

static uint64_t constant(void* context, syncmap_value key) {
    struct hash_calls* const calls = (struct hash_calls*)context;
    ++calls->calls;
    CHECK(key.owned == 0);
    if (key.kind == SYNCMAP_DOUBLE && key.as.real == 0 && 1 / key.as.real < 0) calls->saw_negative_zero = true;
    return calls->result;
}

static void all_keys_collide(uint32_t engine) {
    struct hash_calls calls = {42, 0, false};
    syncmap_options options = syncmap_default_options();
    options.engine = engine;
    options.hash = constant;
    options.hash_context = &calls;
    const syncmap_created made = syncmap_create(&options);
    CHECK(made.status == SYNCMAP_OK);
    syncmap_map* const map = made.map;

    for (int64_t i = 0; i < 200; ++i) {
        CHECK(syncmap_store(map, syncmap_int(i), syncmap_int(i)).changed);
        CHECK(syncmap_store(map, syncmap_uint((uint64_t)i), syncmap_int(-i)).changed);
    }
    CHECK(calls.calls >= 400);
    CHECK(size_of(map) == 400);
    for (int64_t i = 0; i < 200; ++i) {
        CHECK(holds(map, syncmap_int(i), syncmap_int(i)));
        CHECK(holds(map, syncmap_uint((uint64_t)i), syncmap_int(-i)));
        CHECK(is_absent(map, syncmap_int(200 + i)));
    }
    for (int64_t i = 0; i < 200; ++i) CHECK(syncmap_erase(map, syncmap_int(i)).changed);
    CHECK(size_of(map) == 200);

    CHECK(syncmap_store(map, syncmap_double(-0.0), syncmap_int(1)).changed);
    CHECK(!calls.saw_negative_zero);
    syncmap_destroy(map);
}

int main(void) {
    with_each_engine(all_keys_collide);
    return 0;
}
