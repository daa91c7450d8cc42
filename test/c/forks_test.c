/* Forks while other threads write: with the hooks, the child may do everything with its maps. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_bool stop;
static void* write_all_the_time(void* context) {
    syncmap_map* const map = (syncmap_map*)context;
    for (int64_t i = 0; !atomic_load(&stop); ++i) {
        CHECK(syncmap_store(map, syncmap_int(i % 50), syncmap_string("a text that lies in memory of its own")).changed);
        CHECK(syncmap_erase(map, syncmap_int((i + 25) % 50)).status == SYNCMAP_OK);
    }
    return NULL;
}

/* The same with a cache. */
static void* put_all_the_time(void* context) {
    syncmap_cache* const cache = (syncmap_cache*)context;
    for (int64_t i = 0; !atomic_load(&stop); ++i) {
        CHECK(syncmap_cache_put(cache, syncmap_int(i), syncmap_string("a text that lies in memory of its own")).changed);
    }
    return NULL;
}

static void children_use_a_cache(void) {
    enum { children = 5, capacity = 20 };
    const syncmap_cache_options options = syncmap_default_cache_options(capacity);
    syncmap_cache* const cache = syncmap_cache_create(&options).cache;
    pthread_t writer;
    atomic_store(&stop, false);
    CHECK(pthread_create(&writer, NULL, put_all_the_time, cache) == 0);
    for (int i = 0; i < children; ++i) {
        CHECK(syncmap_before_fork() == SYNCMAP_OK);
        const pid_t child = fork();
        if (child == 0) {
            alarm(20); /* ends a child that hangs */
            syncmap_after_fork_in_child();
            bool right = true;
            for (int64_t k = 0; k < 100; ++k)
                right = syncmap_cache_put(cache, syncmap_int(-k), syncmap_int(k)).changed && right;
            right = syncmap_cache_get(cache, syncmap_int(-99)).found && right;
            right = syncmap_cache_size(cache).count <= capacity && right;
            right = syncmap_cache_invalidate_all(cache) == SYNCMAP_OK && right;
            _exit(right ? 0 : 1);
        }
        syncmap_after_fork_in_parent();
        CHECK(child > 0);
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    atomic_store(&stop, true);
    CHECK(pthread_join(writer, NULL) == 0);
    syncmap_cache_destroy(cache);
}

int main(void) {
    children_use_a_cache();
    enum { threads = 2, children = 10 };
    syncmap_map* const map = make_map(SYNCMAP_ENGINE_MAP);
    pthread_t writers[threads];
    atomic_store(&stop, false);
    for (int i = 0; i < threads; ++i) CHECK(pthread_create(&writers[i], NULL, write_all_the_time, map) == 0);
    for (int i = 0; i < children; ++i) {
        CHECK(syncmap_before_fork() == SYNCMAP_OK);
        const pid_t child = fork();
        if (child == 0) {
            alarm(20); /* ends a child that hangs */
            syncmap_after_fork_in_child();
            bool right = syncmap_store(map, syncmap_string("child"), syncmap_int(i)).changed;
            for (int64_t k = 0; k < 50; ++k) right = syncmap_store(map, syncmap_int(k), syncmap_int(k)).changed && right;
            right = syncmap_size(map).count == 51 && right;
            right = syncmap_clear(map) == SYNCMAP_OK && right;
            _exit(right ? 0 : 1);
        }
        syncmap_after_fork_in_parent();
        CHECK(child > 0);
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < threads; ++i) CHECK(pthread_join(writers[i], NULL) == 0);
    syncmap_destroy(map);
    return 0;
}
