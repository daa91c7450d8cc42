/* Status codes, and the values that maps and caches have as keys and values. Included by syncmap.h. */
#ifndef SYNCMAP_C_VALUES_H
#define SYNCMAP_C_VALUES_H

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
    SYNCMAP_INVALID = 1,     /**< a null map or cache, a value of no kind, bytes without an address, an unknown option */
    SYNCMAP_NO_MEMORY = 2,   /**< memory was refused */
    SYNCMAP_TOO_LARGE = 3,   /**< more entries or bytes than there can be */
    SYNCMAP_REENTRANT = 4,   /**< a callback called the locked map that its own thread is inside of */
    SYNCMAP_RECURSIVE = 5,   /**< a computation wrote, or a load asked for, its own key; or waiting would close a cycle */
    SYNCMAP_UNSUPPORTED = 6, /**< this engine cannot do that */
    SYNCMAP_EXCEPTION = 7,   /**< a C++ exception left a callback */
    SYNCMAP_SYSTEM = 8,      /**< the system refused something else than memory */
    SYNCMAP_KIND = 9,        /**< the value is of another kind than the operation needs */
    SYNCMAP_NOTHING = 10,    /**< a load of a cache found nothing: see `syncmap_nothing` */
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

/** A number, or a status why there is none. */
typedef struct syncmap_count {
    syncmap_status status;
    size_t count;
} syncmap_count;

/**
 * Returns a value that belongs to the caller, for `syncmap_release`: for a borrowed value of the library a second
 * reference; for the caller's bytes a copy; for the caller's handle a handle that is taken over (`changed` says so), and
 * can be stored several times; for everything else the same value. `found` has no meaning.
 * Progress: waits for no thread.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY, SYNCMAP_TOO_LARGE.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_retain(syncmap_value value);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SYNCMAP_C_VALUES_H */
