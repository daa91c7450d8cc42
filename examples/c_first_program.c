/* The first program, in C: store a value, load it, erase it. Then the same from many threads at once. */
#include <pthread.h>
#include <stdio.h>

#include <syncmap.h>

/* Every thread has a thousand users of its own. */
struct worker {
    syncmap_map* users;
    int number;
};

static void* work(void* context) {
    const struct worker* const worker = context;
    for (int i = 0; i < 1000; ++i) {
        char key[32];
        snprintf(key, sizeof key, "user:%d", worker->number * 1000 + i);
        syncmap_store(worker->users, syncmap_string(key), syncmap_string("Bob"));
        if (i % 2 == 0) syncmap_erase(worker->users, syncmap_string(key)); /* every second one leaves again */
    }
    return NULL;
}

/* Shows a user, and goes on. */
static bool show(void* context, syncmap_value key, syncmap_value value) {
    (void)context;
    printf("%s: %s\n", key.as.bytes.data, value.as.bytes.data);
    return true;
}

int main(void) {
    const syncmap_created made = syncmap_create(NULL); /* no lock beside it, nothing to set up */
    if (made.status != SYNCMAP_OK) {
        fprintf(stderr, "no map: %s\n", syncmap_message(made.status));
        return 1;
    }
    syncmap_map* const users = made.map;

    /* Texts are copied: the caller's may change or go. */
    syncmap_store(users, syncmap_string("user:1"), syncmap_string("Alice"));

    /* What load returns is the caller's, until it is released. */
    const syncmap_result name = syncmap_load(users, syncmap_string("user:1"));
    if (name.found && name.value.kind == SYNCMAP_BYTES) printf("%s\n", name.value.as.bytes.data);
    syncmap_release(name.value);

    /* LoadOrStore, Range, Delete. */
    syncmap_release(syncmap_load_or_store(users, syncmap_string("user:2"), syncmap_string("Bob")).value);
    syncmap_for_each(users, show, NULL);
    syncmap_erase(users, syncmap_string("user:1"));
    syncmap_clear(users);

    /* Eight threads, and the calls stay the same: no thread registers, none locks. */
    pthread_t thread[8];
    struct worker worker[8];
    for (int i = 0; i < 8; ++i) {
        worker[i].users = users;
        worker[i].number = i;
        if (pthread_create(&thread[i], NULL, work, &worker[i]) != 0) return 1;
    }
    for (int i = 0; i < 8; ++i) pthread_join(thread[i], NULL);

    const size_t stayed = syncmap_size(users).count; /* exact */
    printf("%zu users stayed\n", stayed);
    syncmap_destroy(users);
    return stayed == 4000 ? 0 : 1;
}
