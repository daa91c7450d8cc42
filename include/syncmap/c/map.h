/* Maps: creation, and the operations on their keys. Included by syncmap.h. */
#ifndef SYNCMAP_C_MAP_H
#define SYNCMAP_C_MAP_H

#include <syncmap/c/values.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- maps ---- */

typedef struct syncmap_map syncmap_map;

/** Which map of the library works inside. They have the same functions; docs/c-api.md compares them. */
enum {
    /** `syncmap::map`: reads without a lock, writes that lock one bucket. The default. */
    SYNCMAP_ENGINE_MAP = 0,
    /** A flat map behind a mutex: every call waits for it, a walk shows one instant, handles are released at once. */
    SYNCMAP_ENGINE_MUTEX = 1,
    /** The same behind a lock that readers share. */
    SYNCMAP_ENGINE_SHARED_MUTEX = 2,
    /** The algorithm of Go's sync.Map. Erased keys stay in memory, and handles with them, until they are more than half
     *  of all keys, and a few; `syncmap_clear` releases them all. */
    SYNCMAP_ENGINE_SNAPSHOT = 3
};

/**
 * Options of a new map: take `syncmap_default_options()` and change what you need. Zero is the default of every member
 * but `size`, which is `sizeof(syncmap_options)`. Later versions may add members at the end; `size` tells which members
 * there are.
 */
typedef struct syncmap_options {
    size_t size;
    uint32_t engine; /**< SYNCMAP_ENGINE_... */
    uint32_t unused; /**< zero */
    size_t reserve;  /**< makes room for this many entries at once; 0: makes none */
    /**
     * For tests: replaces the hash, to make keys collide. It gets `hash_context` and a borrowed key, must return the
     * same number for equal keys, and must not call the map. (It gets -0.0 as +0.0.) The map still mixes its result
     * with its own secret. Null: the library's own hash, which an attacker that chooses the keys cannot predict.
     */
    uint64_t (*hash)(void* hash_context, syncmap_value key);
    void* hash_context;
} syncmap_options;

/** All defaults, with `size` set. */
static inline syncmap_options syncmap_default_options(void) {
    syncmap_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

/** What `syncmap_create` returns. */
typedef struct syncmap_created {
    syncmap_status status;
    syncmap_map* map; /**< null if `status` is not SYNCMAP_OK */
} syncmap_created;

/**
 * Makes an empty map. `options` may be null: all defaults.
 * Errors: SYNCMAP_INVALID (an unknown engine, a `size` that is too small or `unused` that is not zero, or members that
 * this version does not know and that are not zero), SYNCMAP_NO_MEMORY, SYNCMAP_TOO_LARGE (`reserve`).
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_created syncmap_create(const syncmap_options* options);

/**
 * Destroys a map, and releases the handles that nothing else has. Must be the last call with the map: no other thread
 * may be in a call, its cursors must be closed, and release callbacks that this runs must not use the map. Returned
 * values stay valid until they are released. Null does nothing. Cannot fail.
 */
SYNCMAP_API void syncmap_destroy(syncmap_map* map);

/* ---- reads ---- */

/**
 * Returns the value of `key`. Go: Load.
 * Returns: `found`, and if so the value, which the caller releases. `changed` is false.
 * Progress: a read.
 * Errors: SYNCMAP_INVALID; SYNCMAP_NO_MEMORY (the first use of the map by a thread).
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_load(syncmap_map* map, syncmap_value key);

/** Gets a value, which is borrowed. */
typedef void (*syncmap_visit_callback)(void* context, syncmap_value value);

/**
 * Calls `callback` with the value of `key`, without a reference to it. The value stays valid until the callback returns,
 * whatever other threads do to the entry meanwhile.
 * Returns: `found`: the callback was called. `changed` is false, `value` nil.
 * Progress: a read.
 * Errors: as `syncmap_load`; SYNCMAP_INVALID without a callback.
 */
SYNCMAP_API syncmap_result syncmap_visit(syncmap_map* map, syncmap_value key, syncmap_visit_callback callback, void* context);

/**
 * Returns whether `key` is present. As `syncmap_load`, without a reference to the value.
 * Returns: `found`. `changed` is false, `value` nil.
 * Progress: a read.
 * Errors: as `syncmap_load`.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_contains(syncmap_map* map, syncmap_value key);

/* ---- writes ---- */

/**
 * Sets the value of `key`. Go: Store.
 * Returns: `found`: the key had a value, which was replaced. `changed` is true. `value` is nil.
 * Progress: a write.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY, SYNCMAP_TOO_LARGE, SYNCMAP_RECURSIVE, SYNCMAP_REENTRANT.
 */
SYNCMAP_API syncmap_result syncmap_store(syncmap_map* map, syncmap_value key, syncmap_value value);

/**
 * Returns the value of `key`; if it has none, stores `value`. Go: LoadOrStore.
 * Returns: `found`: the key had a value. `changed`: it had none, and the call stored `value`. `value`: the map's value
 * now, which the caller releases.
 * Progress: a write.
 * Errors: as `syncmap_store`.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_load_or_store(syncmap_map* map, syncmap_value key, syncmap_value value);

/**
 * Sets the value of `key` and returns the previous one. Go: Swap.
 * Returns: `found`, and if so the previous value, which the caller releases. `changed` is true.
 * Progress: a write.
 * Errors: as `syncmap_store`.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_exchange(syncmap_map* map, syncmap_value key, syncmap_value value);

/**
 * Erases `key`. Go: Delete.
 * Returns: `found` and `changed`: it was present. `value` is nil. Handles are looked up and never taken over.
 * Progress: a write.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY (the first use of the map by a thread), SYNCMAP_RECURSIVE,
 * SYNCMAP_REENTRANT.
 */
SYNCMAP_API syncmap_result syncmap_erase(syncmap_map* map, syncmap_value key);

/**
 * Erases `key` and returns its value. Go: LoadAndDelete.
 * Returns: `found` and `changed`: it was present, and `value` is its value, which the caller releases.
 * Progress and errors: as `syncmap_erase`.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_load_and_erase(syncmap_map* map, syncmap_value key);

/**
 * Sets `key` to `desired` if its value equals `expected`. Go: CompareAndSwap; it also returns the present value, so that
 * a retry needs no load.
 * Returns: `found`: the key had a value. `changed`: it equalled `expected`, and is `desired` now. `value`: if it was
 * found and differed, that value, which the caller releases; nil otherwise. `expected` is never taken over.
 * Progress: a write.
 * Errors: as `syncmap_store`.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_compare_exchange(syncmap_map* map, syncmap_value key,
                                                                     syncmap_value expected, syncmap_value desired);

/**
 * Erases `key` if its value equals `expected`. Go: CompareAndDelete.
 * Returns: as `syncmap_compare_exchange`; `changed`: it was erased. Handles are compared and never taken over.
 * Progress: a write.
 * Errors: as `syncmap_erase`.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_compare_erase(syncmap_map* map, syncmap_value key, syncmap_value expected);

/**
 * Makes the value of `key`, which is borrowed. It returns `syncmap_computed(value)`, or `syncmap_failed(status)` to
 * store nothing. When it has returned a value, the library has taken it over, even if the call fails: the library copies
 * bytes, and owns handles and owned values. Bytes in the callback's own variables go through `syncmap_retain` first.
 */
typedef syncmap_result (*syncmap_compute_callback)(void* context, syncmap_value key);

static inline syncmap_result syncmap_computed(syncmap_value value) {
    syncmap_result result = {SYNCMAP_OK, false, false, value};
    return result;
}

/** `status`: any but SYNCMAP_OK; SYNCMAP_CALLER and higher codes are for your use. */
static inline syncmap_result syncmap_failed(syncmap_status status) {
    syncmap_result result = {status, false, false, syncmap_nil()};
    return result;
}

/**
 * Returns the value of `key`; if it has none, stores the value that `compute` makes. Of all threads that call this at
 * once one computes, and the others wait for it and share its outcome; calls for other keys do not wait. If the
 * computation fails, all waiting threads fail with the same status, but for SYNCMAP_RECURSIVE: then one of the waiting
 * threads runs its own callback. With the two engines behind a lock each caller runs its own callback, one after the
 * other, until one succeeds.
 * Returns: `found`: the key had a value. `changed`: it had none, and `compute` made it. `value`: the map's value now,
 * which the caller releases. A `syncmap_clear` meanwhile is ordered after the call, which then returns the value and
 * does not keep it.
 * Progress: a hit is a read; a miss is a write. The callback may call everything but a write of its own key, which
 * gives SYNCMAP_RECURSIVE there. With the two engines behind a lock it runs inside that lock: every call of the same map
 * gives SYNCMAP_REENTRANT.
 * Errors: as `syncmap_store`, and the status of a failed `compute`.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_load_or_compute(syncmap_map* map, syncmap_value key,
                                                                    syncmap_compute_callback compute, void* context);

/**
 * Adds `operand`, an int, an unsigned or a double, to the value of `key`, which is a number of the same kind. An absent key
 * counts as zero. Integers wrap around.
 * Returns: `found`: the key had a value. `changed` is true. `value`: the number before, zero if there was none.
 * Progress: a write.
 * Errors: as `syncmap_store`; SYNCMAP_KIND if the value is of another kind than the operand; SYNCMAP_INVALID if the operand
 * is no number.
 */
SYNCMAP_API syncmap_result syncmap_fetch_add(syncmap_map* map, syncmap_value key, syncmap_value operand);

/** What an update does to a key. */
enum {
    SYNCMAP_KEEP = 0,   /**< it stays as it is */
    SYNCMAP_ASSIGN = 1, /**< it gets a value */
    SYNCMAP_ERASE = 2   /**< it is absent afterwards */
};

/** One key of an update: its present value, and the change to make. Its values are borrowed until the callback returns. */
typedef struct syncmap_slot {
    syncmap_value key;     /**< the key as the caller gave it */
    syncmap_value current; /**< its value; nil if it is absent */
    syncmap_value desired; /**< the value from `syncmap_slot_assign`; do not write to it */
    uint32_t action;       /**< SYNCMAP_KEEP at first; set by the functions below */
    syncmap_status status; /**< of the last `syncmap_slot_assign` */
    bool found;            /**< the key is present */
} syncmap_slot;

/**
 * Asks for `value` in this slot, and takes it over at once, even if the update fails: bytes are copied, a handle belongs to
 * the library. Of several such calls with one slot the last one counts. If it fails, `value` stays the caller's and the update
 * fails with the same status. Only the callback of an update may call it. Returns the status.
 * Progress: waits for no thread.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY, SYNCMAP_TOO_LARGE.
 */
SYNCMAP_API syncmap_status syncmap_slot_assign(syncmap_slot* slot, syncmap_value value);

/** Asks for no entry in this slot. Otherwise as `syncmap_slot_assign`; fails only with SYNCMAP_INVALID for a null slot. */
SYNCMAP_API syncmap_status syncmap_slot_erase(syncmap_slot* slot);

/** Leaves the key of this slot as it is. As `syncmap_slot_erase`. */
SYNCMAP_API syncmap_status syncmap_slot_keep(syncmap_slot* slot);

/**
 * Decides what an update does to its keys. `first` is the slot of the first key; the others follow it, in the order in which
 * the caller gave the keys. Returns SYNCMAP_OK, or a status with which the call fails and changes nothing.
 */
typedef syncmap_status (*syncmap_update_callback)(void* context, syncmap_slot* first, size_t count);

/**
 * Reads, modifies and writes one key in one step: `callback` runs once, on one slot, and no other thread writes this key
 * meanwhile. Readers see the old value until the callback has returned.
 * Returns: `found`: the key was present. `changed`: it was assigned or erased. `value` is nil. A handle that was given as the
 * key is taken over if the call returns `changed` and the callback asked for SYNCMAP_ASSIGN. A `syncmap_clear` meanwhile is
 * ordered after the call: the map then does not keep an assigned value.
 * Progress: a write. Calls for other keys do not wait for the callback. It may call everything but a write of its own key,
 * which gives SYNCMAP_RECURSIVE there. With the two engines behind a lock it runs inside that lock: every call of the same
 * map gives SYNCMAP_REENTRANT.
 * Errors: as `syncmap_store`; the status with which `callback` or a `syncmap_slot_assign` failed.
 */
SYNCMAP_API syncmap_result syncmap_update(syncmap_map* map, syncmap_value key, syncmap_update_callback callback, void* context);

/**
 * Does the same for `count` keys that differ. All changes that the callback asks for happen in one step, for writers of these
 * keys, for `syncmap_size` and for snapshots. A thread that reads one key after the other may see the new value of one and
 * then the old value of another.
 * Returns: `changed`: a key was assigned or erased. `found` is false, `value` nil. A handle that was given as a key is taken
 * over as by `syncmap_update`, for each slot.
 * Progress: as `syncmap_update`, for all these keys. In whatever orders calls give their keys, no call waits for ever.
 * Errors: as `syncmap_update`; SYNCMAP_INVALID for two equal keys; SYNCMAP_UNSUPPORTED with SYNCMAP_ENGINE_SNAPSHOT.
 */
SYNCMAP_API syncmap_result syncmap_update_many(syncmap_map* map, const syncmap_value* keys, size_t count,
                                               syncmap_update_callback callback, void* context);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SYNCMAP_C_MAP_H */
