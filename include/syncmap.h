/*
 * syncmap.h: the dynamic concurrent map for C, and for every language that can call C.
 *
 * Keys and values are nil, bool, 64-bit integers (signed and unsigned kept apart), doubles, bytes, and handles:
 * pointers of yours with a type number and a function that the library calls when it needs them no longer. Any number
 * of threads may call every function at once, on the same map, without registering; only the destruction of a map must
 * be the last call.
 *
 *     syncmap_map *users = syncmap_create(NULL).map;
 *     syncmap_store(users, syncmap_string("user:1"), syncmap_string("Alice"));
 *     syncmap_result name = syncmap_load(users, syncmap_string("user:1"));
 *     if (name.found) puts(name.value.as.bytes.data);
 *     syncmap_release(name.value);
 *     syncmap_destroy(users);
 *
 * The following holds for every function.
 *
 * Errors      are status codes in the result; `syncmap_message` returns the text. A call that fails has changed nothing
 *             and has taken nothing over. A null map gives SYNCMAP_INVALID, and so does a value of an unknown kind.
 * Arguments   The library reads them only during the call: it copies bytes that it stores. Handles: see
 *             `syncmap_handle`.
 * Results     A value that a call returns belongs to the caller, who passes it to `syncmap_release` when it is no longer
 *             needed; for nil, bool and numbers that does nothing, and may be left out. A value that a callback or a
 *             cursor shows is borrowed: it is valid until the callback returns, or until the next call with the cursor.
 * `found`     the key was there when the call had its effect.
 * `changed`   the call changed the map, and took over the handles that it was given.
 * Progress    is that of the C++ map under it (docs/guarantees.md). Of SYNCMAP_ENGINE_MAP: a *read* takes no lock and
 *             waits for no thread; a *write* locks one bucket for some instructions, and waits for computations of its key.
 * Callbacks   run with no lock held and may call every function, on the same map and key too. For exceptions see
 *             `syncmap_load_or_compute`, `syncmap_update` and `syncmap_erase_if`. They must return: no longjmp, and
 *             no pthread_exit. A C++ exception that leaves one ends the call with SYNCMAP_EXCEPTION. It must not leave a
 *             release callback.
 *
 * The page docs/c-api.md describes the rest: ownership, the layout of the structures, building and linking.
 */
#ifndef SYNCMAP_H
#define SYNCMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define SYNCMAP_API __attribute__((visibility("default")))
#define SYNCMAP_MUST_USE __attribute__((warn_unused_result))
#else
#define SYNCMAP_API
#define SYNCMAP_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- status ---- */

/** How a call ended: one of the codes below, or what a computation of yours returned. */
typedef int32_t syncmap_status;

enum {
    SYNCMAP_OK = 0,
    SYNCMAP_INVALID = 1,     /**< a null map, a value of no kind, bytes without an address, an unknown option */
    SYNCMAP_NO_MEMORY = 2,   /**< memory was refused */
    SYNCMAP_TOO_LARGE = 3,   /**< more entries or bytes than there can be */
    SYNCMAP_REENTRANT = 4,   /**< a callback called the locked map that its own thread is inside of */
    SYNCMAP_RECURSIVE = 5,   /**< a computation wrote its own key, or waiting for another would close a cycle */
    SYNCMAP_UNSUPPORTED = 6, /**< this engine cannot do that */
    SYNCMAP_EXCEPTION = 7,   /**< a C++ exception left a callback */
    SYNCMAP_SYSTEM = 8,      /**< the system refused something else than memory */
    SYNCMAP_KIND = 9,        /**< the value is of another kind than the operation needs */
    SYNCMAP_CALLER = 1000    /**< the first code for your use: computations may fail with this one and higher ones */
};

/**
 * What a status means, in English, without a full stop. Codes from SYNCMAP_CALLER on are "the caller's computation
 * failed". Never null; static, not to be freed. Cannot fail.
 */
SYNCMAP_API const char* syncmap_message(syncmap_status status);

/** The version of the library that the program runs with, such as "0.1.0". Static. Cannot fail. */
SYNCMAP_API const char* syncmap_version(void);

/* ---- values ---- */

/** What a value is. The kind is part of its identity: int 1, unsigned 1 and double 1.0 are three keys. */
enum {
    SYNCMAP_NIL = 0,    /**< no value at all; a value like any other, and a key too */
    SYNCMAP_BOOL = 1,   /**< `as.boolean` */
    SYNCMAP_INT = 2,    /**< `as.integer` */
    SYNCMAP_UINT = 3,   /**< `as.natural` */
    SYNCMAP_DOUBLE = 4, /**< `as.real`; +0 equals -0; NaN equals nothing: an entry of that key is never found again */
    SYNCMAP_BYTES = 5,  /**< `as.bytes`; text or not, zero bytes included */
    SYNCMAP_HANDLE = 6  /**< `as.handle`; equal by pointer and type */
};

/** Called exactly once for a handle that was taken over, in the thread that releases its last reference. */
typedef void (*syncmap_release_callback)(void* pointer, uint64_t type);

/** Memory of the library behind a value. */
typedef struct syncmap_memory syncmap_memory;

/**
 * A key or a value: a plain structure, passed and returned by value. Make it by the functions below, or fill it by hand
 * with `owned` and `memory` zero.
 *
 * In a value that the library returns, `memory` is the memory of bytes and handles. `owned` is 1 if the value holds a
 * reference to that memory, which `syncmap_release` gives back. A zero byte that `size` does not count follows the
 * library's bytes. A value that has `memory` may be stored again, in any map: that shares the memory and copies nothing.
 */
typedef struct syncmap_value {
    uint32_t kind;
    uint32_t owned;
    union {
        bool boolean;
        int64_t integer;
        uint64_t natural;
        double real;
        struct {
            const char* data; /**< may be null if `size` is 0 */
            size_t size;
        } bytes;
        struct {
            void* pointer;
            uint64_t type;                    /**< a number of yours */
            syncmap_release_callback release; /**< may be null; in what the library returns it always is */
        } handle;
    } as;
    syncmap_memory* memory;
} syncmap_value;

/** No value. */
static inline syncmap_value syncmap_nil(void) {
    syncmap_value value;
    memset(&value, 0, sizeof value);
    return value;
}

static inline syncmap_value syncmap_bool(bool boolean) {
    syncmap_value value = syncmap_nil();
    value.kind = SYNCMAP_BOOL;
    value.as.boolean = boolean;
    return value;
}

static inline syncmap_value syncmap_int(int64_t integer) {
    syncmap_value value = syncmap_nil();
    value.kind = SYNCMAP_INT;
    value.as.integer = integer;
    return value;
}

static inline syncmap_value syncmap_uint(uint64_t natural) {
    syncmap_value value = syncmap_nil();
    value.kind = SYNCMAP_UINT;
    value.as.natural = natural;
    return value;
}

static inline syncmap_value syncmap_double(double real) {
    syncmap_value value = syncmap_nil();
    value.kind = SYNCMAP_DOUBLE;
    value.as.real = real;
    return value;
}

/** The `size` bytes at `data`, which belong to the caller. */
static inline syncmap_value syncmap_bytes(const void* data, size_t size) {
    syncmap_value value = syncmap_nil();
    value.kind = SYNCMAP_BYTES;
    value.as.bytes.data = (const char*)data;
    value.as.bytes.size = size;
    return value;
}

/** The bytes of a text, without the zero at its end. A null pointer is the empty text. */
static inline syncmap_value syncmap_string(const char* text) { return syncmap_bytes(text, text == NULL ? 0 : strlen(text)); }

/**
 * A pointer of yours; `type` is a number of yours that says what it points to. Two handles are equal if pointer and
 * type are. For a lookup `release` may be null.
 *
 * A call that returns `changed` has *taken over* the handles that it was given, key and value: the library then calls
 * `release(pointer, type)` exactly once for each, when no entry, no cursor and no retained value has it any more. Any
 * other call leaves them to the caller. A caller that stores one pointer twice, or twice in one call, hands over two
 * references to it. An entry keeps the key with which it was inserted. If a later `syncmap_store` gets an equal handle
 * as the key, the library releases that handle at once.
 *
 * Releasing is late, but not for long. The library releases the handles of a removed entry at the latest at the end of
 * the SYNCMAP_RELEASE_WITHIN-th call of any kind on that map that begins after all calls that were running then have
 * returned. (Calls from within a release callback do not count.) `syncmap_flush` and `syncmap_destroy` release them at
 * once. In SYNCMAP_ENGINE_SNAPSHOT a *key* that was erased still belongs to the map; see that engine.
 *
 * A release callback may call every function of the map. It runs in any thread that uses the map, with no lock held.
 */
static inline syncmap_value syncmap_handle(void* pointer, uint64_t type, syncmap_release_callback release) {
    syncmap_value value = syncmap_nil();
    value.kind = SYNCMAP_HANDLE;
    value.as.handle.pointer = pointer;
    value.as.handle.type = type;
    value.as.handle.release = release;
    return value;
}

/** See `syncmap_handle`. */
#define SYNCMAP_RELEASE_WITHIN 64

/** Returns whether two values are equal, as keys and as expected values. Cannot fail. Progress: waits for no thread. */
SYNCMAP_API bool syncmap_equal(syncmap_value a, syncmap_value b);

/**
 * Gives a value back. Does nothing if `owned` is 0, so you may call it with every value. Call it once for each value
 * that was returned, not once for each copy of the structure. May call a release callback. Cannot fail.
 * Progress: waits for no thread.
 */
SYNCMAP_API void syncmap_release(syncmap_value value);

/** What most functions return. */
typedef struct syncmap_result {
    syncmap_status status;
    bool found;          /**< the key was present */
    bool changed;        /**< the call changed the map, and has taken over the handles that it was given */
    syncmap_value value; /**< nil where the function names no other, and always if the call failed */
} syncmap_result;

/**
 * Returns a value that belongs to the caller, for `syncmap_release`: for a borrowed value of the library a second
 * reference; for the caller's bytes a copy; for the caller's handle a handle that is taken over (`changed` says so), and
 * can be stored several times; for everything else the same value. `found` has no meaning.
 * Progress: waits for no thread.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY, SYNCMAP_TOO_LARGE.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_retain(syncmap_value value);

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
     * with its own secret. Null: the library's own hash, which an attacker who chooses the keys cannot predict.
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

/* ---- the whole map ---- */

/** A number, or a status why there is none. */
typedef struct syncmap_count {
    syncmap_status status;
    size_t count;
} syncmap_count;

/** Gets an entry, which is borrowed; returns false to stop. */
typedef bool (*syncmap_entry_callback)(void* context, syncmap_value key, syncmap_value value);

/**
 * Calls `callback` with every entry. Go: Range. It shows a key that is present from beginning to end exactly once, and no
 * key twice; of keys that are added or erased meanwhile it shows some. The two engines behind a lock show one instant.
 * Returns: how many entries it has shown; after an error too.
 * Progress: a read, which may wait for a writer of the bucket that it copies. The two engines behind a lock first copy
 * references to all entries, and hold no lock while the callback runs.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY, SYNCMAP_EXCEPTION.
 */
SYNCMAP_API syncmap_count syncmap_for_each(syncmap_map* map, syncmap_entry_callback callback, void* context);

/** Gets an entry, which is borrowed; returns true to erase it. */
typedef bool (*syncmap_condition_callback)(void* context, syncmap_value key, syncmap_value value);

/**
 * Erases the entries for which `condition` returns true. An entry that changed after it was shown stays.
 * Returns: how many entries were erased. After an error the count is 0, and what was erased until then stays erased.
 * Progress: walks as `syncmap_for_each`, and erases each entry as `syncmap_erase`. The two engines behind a lock do all of it
 * in one step: `condition` runs inside the lock, and every call of the same map gives SYNCMAP_REENTRANT.
 * Errors: as `syncmap_for_each`; SYNCMAP_REENTRANT.
 */
SYNCMAP_API syncmap_count syncmap_erase_if(syncmap_map* map, syncmap_condition_callback condition, void* context);

/**
 * Returns how many entries there were at one instant of the call: exact, beside any number of writers.
 * Progress: counts again while other threads insert and erase; after a few attempts inserts and erases wait, for about
 * 100 microseconds at a time.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_count syncmap_size(syncmap_map* map);

/**
 * Erases everything in one step. Go: Clear.
 * Progress: no thread waits for it; the caller then takes the old table apart.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY (nothing was erased), SYNCMAP_REENTRANT.
 */
SYNCMAP_API syncmap_status syncmap_clear(syncmap_map* map);

/**
 * Replaces all entries by those of `other`, in one step: each call sees the old entries or the new ones. `other` is empty
 * afterwards, and still to be destroyed. No other thread may use `other` meanwhile.
 * Progress: no call waits for it. The caller prepares the new entries, makes the step, and takes the old table apart: linear
 * in both maps.
 * Errors: SYNCMAP_INVALID (also if the maps are one, or a cursor over a snapshot of `other` is open), SYNCMAP_NO_MEMORY,
 * SYNCMAP_UNSUPPORTED (if one of the two is not of SYNCMAP_ENGINE_MAP). Both maps are as before then.
 */
SYNCMAP_API syncmap_status syncmap_replace(syncmap_map* map, syncmap_map* other);

/**
 * Makes room for `entries` in total. Never shrinks; see `syncmap_shrink`.
 * Progress: waits for writers of single buckets; others go on.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY, SYNCMAP_TOO_LARGE, SYNCMAP_REENTRANT.
 */
SYNCMAP_API syncmap_status syncmap_reserve(syncmap_map* map, size_t entries);

/**
 * Gives memory back now: moves the entries to a table of the size that they need, and does what `syncmap_flush` does.
 * Progress: waits for writers of single buckets; others go on. Linear in the table.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY, SYNCMAP_REENTRANT, SYNCMAP_UNSUPPORTED (SYNCMAP_ENGINE_SNAPSHOT).
 */
SYNCMAP_API syncmap_status syncmap_shrink(syncmap_map* map);

/** What `syncmap_statistics_of` returns: counts from one walk. */
typedef struct syncmap_statistics {
    syncmap_status status;
    uint32_t engine;     /**< SYNCMAP_ENGINE_... */
    size_t entries;      /**< entries */
    size_t handles;      /**< handles among their keys and values */
    size_t key_bytes;    /**< bytes of keys of kind SYNCMAP_BYTES */
    size_t value_bytes;  /**< bytes of values of kind SYNCMAP_BYTES */
    size_t memory_bytes; /**< about how much they all take, without free room in the table and without what handles point to */
} syncmap_statistics;

/**
 * Counts what the map holds. Memory that several values share counts for each of them.
 * Progress: as `syncmap_for_each`; linear in the table.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_statistics syncmap_statistics_of(syncmap_map* map);

/** A figure that an engine does not have. */
#define SYNCMAP_ABSENT UINT64_MAX

/** What `syncmap_stats_of` returns. */
typedef struct syncmap_stats {
    syncmap_status status;
    uint32_t engine; /**< SYNCMAP_ENGINE_... */
    uint64_t entries; /**< entries, counted without waiting for writers */
    uint64_t buckets; /**< buckets of the table */
    uint64_t places; /**< entries that the buckets have places for */
    uint64_t overflow_lines; /**< 64 bytes each, for entries of full buckets, at most; SYNCMAP_ENGINE_MAP alone */
    uint64_t garbage_bytes; /**< of what was erased or replaced and waits to be freed; SYNCMAP_ENGINE_MAP alone */
    uint64_t resizes; /**< how often the table began to grow or to shrink; SYNCMAP_ENGINE_MAP alone */
    uint64_t waits; /**< writers that slept because another had their bucket; SYNCMAP_ENGINE_MAP alone */
} syncmap_stats;

/**
 * Figures of the table and of its work, read one after the other. Unlike `syncmap_statistics_of` it walks over nothing.
 * Progress: waits for a thread that does what `syncmap_flush` does; of the engines behind a lock, for that lock.
 * Errors: SYNCMAP_INVALID, SYNCMAP_REENTRANT.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_stats syncmap_stats_of(syncmap_map* map);

/**
 * Frees now what was erased or replaced before and no thread reads any more, and releases its handles. Without this call that
 * happens later.
 * Progress: waits for a thread that does the same; others go on. Linear in what is freed and in the number of threads.
 * Errors: SYNCMAP_INVALID.
 */
SYNCMAP_API syncmap_status syncmap_flush(syncmap_map* map);

/* ---- cursors ---- */

/** A walk over the entries, step by step. */
typedef struct syncmap_cursor syncmap_cursor;

enum {
    /** All steps together are one `syncmap_for_each`, however the map changes between them. */
    SYNCMAP_CURSOR_WALK = 0,
    /**
     * The entries of the instant at which the cursor is opened, whatever other calls write meanwhile. All engines have it
     * but SYNCMAP_ENGINE_SNAPSHOT, which gives SYNCMAP_UNSUPPORTED.
     */
    SYNCMAP_CURSOR_SNAPSHOT = 1
};

/** What `syncmap_cursor_open` returns. */
typedef struct syncmap_opened {
    syncmap_status status;
    syncmap_cursor* cursor; /**< null if `status` is not SYNCMAP_OK */
} syncmap_opened;

/** What `syncmap_cursor_next` returns. Key and value are borrowed until the next call with the cursor. */
typedef struct syncmap_entry {
    syncmap_status status;
    bool found; /**< there is an entry; false at the end */
    syncmap_value key;
    syncmap_value value;
} syncmap_entry;

/**
 * Opens a walk, before the first entry. Between its steps nothing is locked: you may call every function, open other
 * cursors on the same map, and clear the map, which ends the walk or does not change it. A cursor belongs to no thread;
 * one thread at a time uses it. It must be closed before the map is destroyed.
 *
 * With SYNCMAP_ENGINE_MAP a cursor keeps references to the entries of one bucket. With a cursor over a snapshot the first
 * change of each bucket also copies that bucket, and what is erased or replaced stays until the cursor is closed. With
 * the other engines a cursor takes references to all entries when it is opened: memory and time are linear in the map.
 * Progress: a read. Over a snapshot of SYNCMAP_ENGINE_MAP: waits for writers under way, and makes other writers wait, for
 * 50 milliseconds at most, mostly microseconds; it takes microseconds for any size of the map.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY, SYNCMAP_UNSUPPORTED, SYNCMAP_TOO_LARGE (16 million snapshots during the
 * life of one).
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_opened syncmap_cursor_open(syncmap_map* map, uint32_t mode);

/**
 * Returns the next entry, or `found` false at the end and after it. After an error the same step can be tried again.
 * Progress: as `syncmap_for_each`; with the other engines, waits for no thread.
 * Errors: SYNCMAP_INVALID (a null cursor), SYNCMAP_NO_MEMORY.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_entry syncmap_cursor_next(syncmap_cursor* cursor);

/**
 * Ends a walk, at any place. Null does nothing. Cannot fail. Progress: waits for no thread; over a snapshot, for other threads
 * that take or end one.
 */
SYNCMAP_API void syncmap_cursor_close(syncmap_cursor* cursor);

/* ---- fork ---- */

/**
 * Waits until no thread is in the middle of a write of a map of SYNCMAP_ENGINE_MAP. Threads that begin a write then wait until
 * the fork is over; reads go on. Between this call and the one after the fork, call nothing else of this library.
 *
 *     syncmap_before_fork();
 *     child = fork();
 *     if (child == 0) syncmap_after_fork_in_child(); else syncmap_after_fork_in_parent();
 *
 * Or once for every fork: `pthread_atfork(before, in_parent, in_child)` with functions that call these three. A child of
 * a fork without them may only read maps of SYNCMAP_ENGINE_MAP. A child never uses maps of the other engines.
 *
 * It may be called from callbacks that run with no lock held, and not from a hash.
 * Errors: SYNCMAP_SYSTEM in a sandbox that refuses every way to stop the writers; then no thread waits. SYNCMAP_NO_MEMORY.
 */
SYNCMAP_API syncmap_status syncmap_before_fork(void);

/** Ends the wait of the writers; also after a fork that failed. Cannot fail. */
SYNCMAP_API void syncmap_after_fork_in_parent(void);

/**
 * Makes all maps of SYNCMAP_ENGINE_MAP usable in the child, for its one thread and those that it starts. Drops computations and
 * updates of threads that the child lacks, as if their callbacks had failed. Cannot fail.
 */
SYNCMAP_API void syncmap_after_fork_in_child(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SYNCMAP_H */
