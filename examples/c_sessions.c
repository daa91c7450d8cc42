/* Recipe in C: structures of one's own as values. The map counts the handles to each, and frees it with the last one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <syncmap.h>

enum { type_of_sessions = 1 }; /* any number that tells one's own types apart */

struct session {
    char user[32];
    int requests;
};

static int sessions_alive = 0; /* of this program with one thread; an atomic_int where there are more */

static struct session* make_session(const char* user) {
    struct session* const session = calloc(1, sizeof *session);
    if (session == NULL) exit(1);
    snprintf(session->user, sizeof session->user, "%s", user);
    ++sessions_alive;
    return session;
}

/* Called by the map, once for each session, when no entry, no cursor and no result has it any more. */
static void free_session(void* session, uint64_t type) {
    if (type != type_of_sessions) abort();
    free(session);
    --sessions_alive;
}

/* Logs in: the session that is there already, or a new one. The result is the caller's, to be released. */
static syncmap_value log_in(syncmap_map* sessions, const char* user) {
    struct session* const fresh = make_session(user);
    const syncmap_result result =
        syncmap_load_or_store(sessions, syncmap_string(user), syncmap_handle(fresh, type_of_sessions, free_session));
    if (!result.changed) free_session(fresh, type_of_sessions); /* not stored, so it is still ours */
    if (result.status != SYNCMAP_OK) exit(1);
    return result.value;
}

int main(void) {
    syncmap_map* const sessions = syncmap_create(NULL).map;
    if (sessions == NULL) return 1;

    const syncmap_value first = log_in(sessions, "alice");
    const syncmap_value again = log_in(sessions, "alice");
    syncmap_release(log_in(sessions, "bob"));
    struct session* const alice = first.as.handle.pointer;
    printf("%s has %s session\n", alice->user, again.as.handle.pointer == alice ? "one" : "more than one");
    syncmap_release(again);

    /* A cursor holds no lock between its steps: erasing what it shows is fine. */
    syncmap_cursor* const cursor = syncmap_cursor_open(sessions, SYNCMAP_CURSOR_WALK).cursor;
    for (syncmap_entry entry = syncmap_cursor_next(cursor); entry.found; entry = syncmap_cursor_next(cursor)) {
        syncmap_erase(sessions, entry.key);
    }
    syncmap_cursor_close(cursor);
    syncmap_flush(sessions); /* now, not within the next 64 calls */

    /* Bob's session is gone. Alice's is erased, but we still hold it. */
    printf("%zu entries, %d session alive: %s's\n", syncmap_size(sessions).count, sessions_alive, alice->user);
    const int alive = sessions_alive;
    syncmap_release(first);
    syncmap_destroy(sessions);
    printf("%d alive at the end\n", sessions_alive);
    return alive == 1 && sessions_alive == 0 ? 0 : 1;
}
