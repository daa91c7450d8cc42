/* What every consumer of the installed C library builds. */
#include <string.h>

#include <syncmap.h>

int main(int argc, char** argv) {
    syncmap_map* const ports = syncmap_create(NULL).map;
    syncmap_store(ports, syncmap_string("http"), syncmap_int(80));
    const syncmap_result http = syncmap_load(ports, syncmap_string("http"));
    const int ok = http.found && http.value.as.integer == 80 && !syncmap_load(ports, syncmap_string("gopher")).found;
    syncmap_destroy(ports);
    /* An argument is the version that the library must have. */
    return ok && (argc < 2 || strcmp(argv[1], syncmap_version()) == 0) ? 0 : 1;
}
