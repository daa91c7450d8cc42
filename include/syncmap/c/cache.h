/*
 * Caches: bounded, with loads that are made once however many threads ask. Included by syncmap.h.
 *
 *     syncmap_cache_options options = syncmap_default_cache_options(10000);
 *     syncmap_cache *pages = syncmap_cache_create(&options).cache;
 *     syncmap_result page = syncmap_cache_get_or_load(pages, syncmap_string("index.html"), fetch, NULL);
 *     if (page.status == SYNCMAP_OK) show(page.value);
 *     syncmap_release(page.value);
 *     syncmap_cache_destroy(pages);
 *
 * Keys, values, handles, errors and threads are as in syncmap.h. `changed` means: the call has stored something, or taken
 * something out, and has taken over the handles that it was given. SYNCMAP_RELEASE_WITHIN holds for the handles of entries that
 * are evicted, too. Handles that are given to a cache may be released by any later put: see `syncmap_handle`.
 *
 * Progress: a *read* takes no lock and waits for no thread. A *write* locks one bucket for some instructions. In a full cache a
 * write of a new key evicts another entry first. No operation but `syncmap_cache_get_or_load` waits for a load.
 */
#ifndef SYNCMAP_C_CACHE_H
#define SYNCMAP_C_CACHE_H

#include <syncmap/c/map.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct syncmap_cache syncmap_cache;

/** Why an entry left a cache. */
typedef uint32_t syncmap_removal;
enum {
    SYNCMAP_REMOVAL_SIZE = 0,        /**< evicted: the cache was full */
    SYNCMAP_REMOVAL_ERASED = 1,      /**< by `syncmap_cache_invalidate` or `syncmap_cache_take`, or its load found nothing */
    SYNCMAP_REMOVAL_REPLACED = 2,    /**< its key has another value now */
    SYNCMAP_REMOVAL_INVALIDATED = 3, /**< by `syncmap_cache_invalidate_all` */
    SYNCMAP_REMOVAL_EXPIRED = 4      /**< its lifetime was over */
};

/**
 * Is told of an entry that has left. `key` and `value` are borrowed. Nothing is locked: it may call every function of the
 * cache.
 */
typedef void (*syncmap_removal_callback)(void* context, syncmap_value key, syncmap_value value, syncmap_removal reason);

/**
 * Options of a new cache: take `syncmap_default_cache_options(capacity)` and change what you need. Later versions may add
 * members at the end; `size` is `sizeof(syncmap_cache_options)` and tells which members there are.
 */
typedef struct syncmap_cache_options {
    size_t size;
    size_t capacity; /**< the most entries that the cache ever has; 0: it stores nothing, and loads are still made once */
    bool without_statistics; /**< whether `syncmap_cache_stats_of` counts nothing */
    uint8_t unused[7];       /**< zero */
    uint64_t expire_after_write; /**< how long an entry lives after it was put or loaded, in nanoseconds; 0: without an end */
    /** How long it is remembered that a load found nothing, in nanoseconds; 0: not at all. See `syncmap_nothing`. */
    uint64_t negative_ttl;
    /** The same of a load that failed: calls get its status meanwhile, without a load. */
    uint64_t error_ttl;
    /**
     * Is called once for each entry that leaves, by the thread that has taken it out, at the end of its call. Null: no such
     * callback. `syncmap_cache_destroy` does not call it. The context must outlive the cache.
     */
    syncmap_removal_callback on_removal;
    void* on_removal_context;
    /**
     * Whether removals of one key are told in the order in which they happened; a thread may then tell what another one has
     * removed, and `syncmap_cache_invalidate_all` removes entries one by one.
     */
    bool removals_in_order;
    uint8_t unused_too[7]; /**< zero */
} syncmap_cache_options;

/** All defaults, with `size` and `capacity` set. */
static inline syncmap_cache_options syncmap_default_cache_options(size_t capacity) {
    syncmap_cache_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.capacity = capacity;
    return options;
}

/** What a load returns that finds nothing. `syncmap_cache_get_or_load` then answers SYNCMAP_OK, and has not found the key. */
static inline syncmap_result syncmap_nothing(void) { return syncmap_failed(SYNCMAP_NOTHING); }

/** What `syncmap_cache_create` returns. */
typedef struct syncmap_cache_created {
    syncmap_status status;
    syncmap_cache* cache; /**< null if `status` is not SYNCMAP_OK */
} syncmap_cache_created;

/**
 * Makes an empty cache. Allocates about nine bytes for each entry of the capacity; the table grows with the entries.
 * Errors: SYNCMAP_INVALID (null options, a `size` that is too small, `unused` that is not zero, or members that this version
 * does not know and that are not zero), SYNCMAP_NO_MEMORY, SYNCMAP_TOO_LARGE (`capacity`).
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_cache_created syncmap_cache_create(const syncmap_cache_options* options);

/**
 * Destroys a cache, and releases the handles that nothing else has. Must be the last call with the cache, as
 * `syncmap_destroy` of a map. Null does nothing. Cannot fail.
 */
SYNCMAP_API void syncmap_cache_destroy(syncmap_cache* cache);

/**
 * Returns the value of `key`. Never loads.
 * Returns: `found`, and if so the value, which the caller releases. `changed` is false.
 * Progress: a read.
 * Errors: SYNCMAP_INVALID; SYNCMAP_NO_MEMORY (the first use of the cache by a thread).
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_cache_get(syncmap_cache* cache, syncmap_value key);

/**
 * Calls `callback` with the value of `key`, without a reference to it. The value stays valid until the callback returns.
 * Returns: `found`: the callback was called. `changed` is false, `value` nil.
 * Progress: a read.
 * Errors: as `syncmap_cache_get`; SYNCMAP_INVALID without a callback; SYNCMAP_EXCEPTION.
 */
SYNCMAP_API syncmap_result syncmap_cache_visit(syncmap_cache* cache, syncmap_value key, syncmap_visit_callback callback,
                                               void* context);

/**
 * Returns whether `key` is present. That is no use of the entry, and neither a hit nor a miss.
 * Returns: `found`. `changed` is false, `value` nil.
 * Progress: a read.
 * Errors: as `syncmap_cache_get`.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_cache_contains(syncmap_cache* cache, syncmap_value key);

/**
 * Sets the value of `key`. Beats every load of the key that began before: what that load brings is not stored.
 * Returns: `changed`: it is stored; false only if the capacity is 0. `found` is false, `value` nil.
 * Progress: a write.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY, SYNCMAP_TOO_LARGE.
 */
SYNCMAP_API syncmap_result syncmap_cache_put(syncmap_cache* cache, syncmap_value key, syncmap_value value);

/**
 * Does the same if `key` is absent.
 * Returns: `changed`: it was absent, and `value` is stored. `found` is false, `value` nil.
 * Progress and errors: as `syncmap_cache_put`.
 */
SYNCMAP_API syncmap_result syncmap_cache_put_if_absent(syncmap_cache* cache, syncmap_value key, syncmap_value value);

/**
 * Returns the value of `key`; if it is absent, `load` makes it. Of all threads that ask at once, one calls its `load`. The
 * others sleep, and share its outcome: the value, that there is nothing, or the status with which it failed. Whether that is
 * remembered say `negative_ttl` and `error_ttl` of the options. Threads do not share SYNCMAP_RECURSIVE: then one of the waiting
 * threads calls its own `load`.
 *
 * `load` returns `syncmap_computed(value)`, `syncmap_nothing()` or `syncmap_failed(status)`. A `syncmap_cache_put`, a
 * `syncmap_cache_invalidate` of the key or a `syncmap_cache_invalidate_all` that takes place after `load` was called keeps its
 * value from being stored, and no later call is given it.
 * Returns: `found`: the key was present, or another thread has loaded it. `changed`: this call's `load` has made the value; a
 * handle that was given as the key is taken over. `value`: the value, which the caller releases. Neither, and nil: there is
 * nothing.
 * Progress: a hit is a read. A miss waits for a thread that loads this key; other keys do not wait. `load` may call every
 * function of the cache. If it asks for its own key, alone or through a cycle of threads and caches, that inner call gives
 * SYNCMAP_RECURSIVE at once. It may put and invalidate its own key.
 * Errors: as `syncmap_cache_put`; the status with which `load` failed; SYNCMAP_RECURSIVE; SYNCMAP_EXCEPTION.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_cache_get_or_load(syncmap_cache* cache, syncmap_value key,
                                                                      syncmap_compute_callback load, void* context);

/**
 * Removes `key` and returns its value. Beats loads of the key as `syncmap_cache_invalidate`.
 * Returns: `found` and `changed`: it was present, and `value` is its value, which the caller releases. Handles are looked up
 * and never taken over.
 * Progress: a write.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY (the first use of the cache by a thread).
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_result syncmap_cache_take(syncmap_cache* cache, syncmap_value key);

/**
 * Removes `key`. Beats every load of the key that began before: what that load brings goes to the calls that asked before, and
 * is not stored.
 * Returns: `found` and `changed`: it was present. `value` is nil. Handles are looked up and never taken over.
 * Progress and errors: as `syncmap_cache_take`.
 */
SYNCMAP_API syncmap_result syncmap_cache_invalidate(syncmap_cache* cache, syncmap_value key);

/**
 * Removes everything in one step. Beats every load that began before. Later puts free what was there, a few entries each, and
 * `syncmap_cache_flush` all of it; for handles SYNCMAP_RELEASE_WITHIN holds.
 * Progress: no thread waits for it. Constant time.
 * Errors: SYNCMAP_INVALID, SYNCMAP_NO_MEMORY (nothing was removed).
 */
SYNCMAP_API syncmap_status syncmap_cache_invalidate_all(syncmap_cache* cache);

/**
 * Returns how many entries there were at one instant of the call: never more than the capacity.
 * Progress and errors: as `syncmap_size`.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_count syncmap_cache_size(syncmap_cache* cache);

/** What `syncmap_cache_stats_of` returns: all zero without statistics. */
typedef struct syncmap_cache_stats {
    syncmap_status status;
    uint32_t unused;       /**< zero */
    uint64_t hits;         /**< of `syncmap_cache_get`, `syncmap_cache_visit` and `syncmap_cache_get_or_load` */
    uint64_t misses;       /**< of the same */
    uint64_t inserts;      /**< entries that came */
    uint64_t evictions;    /**< entries that left for others */
    uint64_t loads;        /**< loads that returned a value */
    uint64_t failed_loads; /**< loads that failed */
    uint64_t erased;       /**< entries that `syncmap_cache_invalidate` and `syncmap_cache_take` removed */
    uint64_t replaced;     /**< values that gave way to new ones of their keys */
    uint64_t invalidated;  /**< entries that `syncmap_cache_invalidate_all` removed, when they are freed */
    uint64_t expired;      /**< entries that were removed, or replaced, after their lifetime */
    uint64_t remembered;   /**< misses that `negative_ttl` and `error_ttl` have answered */
    uint64_t stale_loads;  /**< loaded values that a later write has kept from being stored */
} syncmap_cache_stats;

/**
 * Returns what has happened so far: sums of what the threads have counted. Beside other threads they may lack what these count
 * during the call.
 * Progress: waits for no thread.
 * Errors: SYNCMAP_INVALID.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_cache_stats syncmap_cache_stats_of(syncmap_cache* cache);

/**
 * Frees now what was removed before and no thread reads any more, and releases its handles. Without this call that happens
 * later.
 * Progress and errors: as `syncmap_flush`.
 */
SYNCMAP_API syncmap_status syncmap_cache_flush(syncmap_cache* cache);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SYNCMAP_C_CACHE_H */
