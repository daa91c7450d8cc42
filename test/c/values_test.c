/* Kinds and identity of values, their copies and references. */
#include "check.h"

#include <math.h>

static void kinds_are_kept_apart(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    int thing = 0;
    const syncmap_value keys[] = {syncmap_nil(),
                                  syncmap_bool(false),
                                  syncmap_bool(true),
                                  syncmap_int(0),
                                  syncmap_int(1),
                                  syncmap_int(-1),
                                  syncmap_int(INT64_MIN),
                                  syncmap_uint(0),
                                  syncmap_uint(1),
                                  syncmap_uint(UINT64_MAX),
                                  syncmap_double(0.0),
                                  syncmap_double(1.0),
                                  syncmap_double(INFINITY),
                                  syncmap_string(""),
                                  syncmap_string("1"),
                                  syncmap_bytes("1\0", 2),
                                  syncmap_bytes("\0", 1),
                                  syncmap_handle(NULL, 0, NULL),
                                  syncmap_handle(NULL, 1, NULL),
                                  syncmap_handle(&thing, 1, NULL)};
    const int64_t count = (int64_t)(sizeof keys / sizeof keys[0]);

    for (int64_t i = 0; i < count; ++i) {
        const syncmap_result stored = syncmap_store(map, keys[i], syncmap_int(i));
        CHECK(stored.status == SYNCMAP_OK && !stored.found && stored.changed);
    }
    CHECK(size_of(map) == (size_t)count);
    for (int64_t i = 0; i < count; ++i) CHECK(holds(map, keys[i], syncmap_int(i)));
    for (int64_t i = 0; i < count; ++i) {
        for (int64_t j = 0; j < count; ++j) CHECK(syncmap_equal(keys[i], keys[j]) == (i == j));
    }
    /* As values they come back as they went in. */
    for (int64_t i = 0; i < count; ++i) {
        CHECK(syncmap_store(map, syncmap_string("value"), keys[i]).changed);
        CHECK(holds(map, syncmap_string("value"), keys[i]));
    }
    syncmap_destroy(map);
}

static bool is_positive_zero(void* context, syncmap_value key, syncmap_value value) {
    (void)value;
    *(bool*)context = key.kind == SYNCMAP_DOUBLE && key.as.real == 0 && !signbit(key.as.real);
    return true;
}

static void doubles_are_as_in_go(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_store(map, syncmap_double(0.0), syncmap_int(1)).changed);
    CHECK(syncmap_store(map, syncmap_double(-0.0), syncmap_int(2)).found);
    CHECK(holds(map, syncmap_double(0.0), syncmap_int(2)));
    CHECK(size_of(map) == 1);
    bool kept = false; /* the key that the entry was inserted with */
    CHECK(syncmap_for_each(map, is_positive_zero, &kept).count == 1 && kept);

    /* A NaN equals nothing: each store makes an entry that only clear and the walks meet again. */
    CHECK(!syncmap_store(map, syncmap_double(NAN), syncmap_int(3)).found);
    CHECK(!syncmap_store(map, syncmap_double(NAN), syncmap_int(3)).found);
    CHECK(is_absent(map, syncmap_double(NAN)));
    CHECK(size_of(map) == 3);
    CHECK(!syncmap_equal(syncmap_double(NAN), syncmap_double(NAN)));

    CHECK(syncmap_store(map, syncmap_int(1), syncmap_double(NAN)).changed);
    CHECK(!syncmap_compare_erase(map, syncmap_int(1), syncmap_double(NAN)).changed);
    CHECK(syncmap_clear(map) == SYNCMAP_OK);
    CHECK(size_of(map) == 0);
    syncmap_destroy(map);
}

static void bytes_are_copied(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    char key[] = "key";
    char text[] = "text\0and more";
    CHECK(syncmap_store(map, syncmap_string(key), syncmap_bytes(text, sizeof text - 1)).changed);
    memset(key, 'x', sizeof key - 1);
    memset(text, 'x', sizeof text - 1);

    const syncmap_result loaded = syncmap_load(map, syncmap_string("key"));
    CHECK(loaded.found && loaded.value.kind == SYNCMAP_BYTES && loaded.value.owned == 1);
    CHECK(loaded.value.as.bytes.size == 13);
    CHECK(memcmp(loaded.value.as.bytes.data, "text\0and more", 14) == 0); /* with the zero that follows */

    /* What was returned outlives entry and map. */
    CHECK(syncmap_erase(map, syncmap_string("key")).changed);
    CHECK(syncmap_flush(map) == SYNCMAP_OK);
    syncmap_destroy(map);
    CHECK(memcmp(loaded.value.as.bytes.data, "text\0and more", 14) == 0);
    syncmap_release(loaded.value);
}

static void stored_again_a_value_is_shared(uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    syncmap_map* const other = make_map(engine);
    CHECK(syncmap_store(map, syncmap_int(1), syncmap_string("a text")).changed);
    const syncmap_result loaded = syncmap_load(map, syncmap_int(1));
    CHECK(syncmap_store(other, loaded.value, loaded.value).changed);
    const syncmap_result again = syncmap_load(other, syncmap_string("a text"));
    CHECK(again.found && again.value.as.bytes.data == loaded.value.as.bytes.data);

    /* A part of what memory holds is no longer that memory: it is copied. */
    syncmap_value part = loaded.value;
    part.as.bytes.size = 1;
    CHECK(syncmap_store(other, syncmap_int(2), part).changed);
    CHECK(holds(other, syncmap_int(2), syncmap_string("a")));
    CHECK(syncmap_store(other, part, syncmap_int(3)).changed);
    CHECK(holds(other, syncmap_string("a"), syncmap_int(3)));

    syncmap_destroy(map);
    syncmap_destroy(other);
    CHECK(strcmp(again.value.as.bytes.data, "a text") == 0);
    syncmap_release(loaded.value);
    syncmap_release(again.value);
}

static void retain_makes_references(void) {
    char text[] = "text";
    const syncmap_result own = syncmap_retain(syncmap_string(text));
    CHECK(own.status == SYNCMAP_OK && !own.changed && own.value.owned == 1);
    CHECK(own.value.as.bytes.data != text && strcmp(own.value.as.bytes.data, "text") == 0);

    syncmap_value borrowed = own.value;
    borrowed.owned = 0;
    syncmap_release(borrowed); /* does nothing */
    const syncmap_result second = syncmap_retain(borrowed);
    CHECK(second.value.owned == 1 && second.value.as.bytes.data == own.value.as.bytes.data);
    syncmap_release(own.value);
    CHECK(strcmp(second.value.as.bytes.data, "text") == 0);
    syncmap_release(second.value);

    const syncmap_result number = syncmap_retain(syncmap_int(7));
    CHECK(number.value.owned == 0 && syncmap_equal(number.value, syncmap_int(7)));
    syncmap_release(number.value);
    syncmap_release(syncmap_nil());
}

/* What docs/c-api.md tells other languages. */
static void layout(void) {
    if (sizeof(void*) != 8) return;
    CHECK(sizeof(syncmap_value) == 40 && offsetof(syncmap_value, owned) == 4 && offsetof(syncmap_value, as) == 8);
    CHECK(offsetof(syncmap_value, memory) == 32 && offsetof(syncmap_value, as.bytes.size) == 16);
    CHECK(offsetof(syncmap_value, as.handle.type) == 16 && offsetof(syncmap_value, as.handle.release) == 24);
    CHECK(sizeof(syncmap_result) == 48 && offsetof(syncmap_result, found) == 4);
    CHECK(offsetof(syncmap_result, changed) == 5 && offsetof(syncmap_result, value) == 8);
    CHECK(sizeof(syncmap_entry) == 88 && offsetof(syncmap_entry, found) == 4);
    CHECK(offsetof(syncmap_entry, key) == 8 && offsetof(syncmap_entry, value) == 48);
    CHECK(sizeof(syncmap_created) == 16 && offsetof(syncmap_created, map) == 8);
    CHECK(sizeof(syncmap_opened) == 16 && offsetof(syncmap_opened, cursor) == 8);
    CHECK(sizeof(syncmap_count) == 16 && offsetof(syncmap_count, count) == 8);
    CHECK(sizeof(syncmap_options) == 40 && offsetof(syncmap_options, engine) == 8);
    CHECK(offsetof(syncmap_options, unused) == 12 && offsetof(syncmap_options, reserve) == 16);
    CHECK(offsetof(syncmap_options, hash) == 24 && offsetof(syncmap_options, hash_context) == 32);
}

int main(void) {
    layout();
    with_each_engine(kinds_are_kept_apart);
    with_each_engine(doubles_are_as_in_go);
    with_each_engine(bytes_are_copied);
    with_each_engine(stored_again_a_value_is_shared);
    retain_makes_references();
    return 0;
}
