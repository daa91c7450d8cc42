/* The operations on a whole map, its statistics, and cursors. Included by syncmap.h. */
#ifndef SYNCMAP_C_WHOLE_MAP_H
#define SYNCMAP_C_WHOLE_MAP_H

#include <syncmap/c/map.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the whole map ---- */

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
 * Progress: with SYNCMAP_ENGINE_MAP waits for no thread; with the other engines for their lock.
 * Errors: SYNCMAP_INVALID, SYNCMAP_REENTRANT.
 */
SYNCMAP_API SYNCMAP_MUST_USE syncmap_stats syncmap_stats_of(syncmap_map* map);

/**
 * Frees now what was erased or replaced before and no thread reads any more, and releases its handles. Without this call that
 * happens later.
 * Progress: waits for a thread that does the same, and for threads that take or end a snapshot; others go on. Linear in
 * what is freed and in the number of threads.
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
 * 50 milliseconds at most for each attempt, mostly microseconds; it takes microseconds for any size of the map.
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

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SYNCMAP_C_WHOLE_MAP_H */
