/* A bounded cache in C: pages are fetched once, however many threads ask, and at most a thousand are kept. */
#include <stdio.h>

#include <syncmap.h>

static syncmap_result fetch(void* context, syncmap_value url) {
    ++*(int*)context;
    char text[64];
    snprintf(text, sizeof text, "contents of %s", url.as.bytes.data);
    return syncmap_retain(syncmap_string(text)); /* a copy, which the cache takes over */
}

static void show(syncmap_cache* pages, const char* url) {
    static int fetches = 0;
    const syncmap_result page = syncmap_cache_get_or_load(pages, syncmap_string(url), fetch, &fetches);
    if (page.status == SYNCMAP_OK) printf("%s\n", page.value.as.bytes.data);
    syncmap_release(page.value);
    printf("fetches so far: %d\n", fetches);
}

int main(void) {
    const syncmap_cache_options options = syncmap_default_cache_options(1000);
    const syncmap_cache_created made = syncmap_cache_create(&options);
    if (made.status != SYNCMAP_OK) {
        fprintf(stderr, "%s\n", syncmap_message(made.status));
        return 1;
    }
    show(made.cache, "index.html");
    show(made.cache, "index.html");
    syncmap_cache_invalidate(made.cache, syncmap_string("index.html")); /* it has changed */
    show(made.cache, "index.html");

    const syncmap_cache_stats stats = syncmap_cache_stats_of(made.cache);
    syncmap_cache_destroy(made.cache);
    return stats.hits == 1 && stats.loads == 2 ? 0 : 1;
}
