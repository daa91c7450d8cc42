// The cursors of syncmap.h: a walk, and references to what it has yet to show.
#include <syncmap.h>

#include "any_engine.hpp"
#include "map.hpp"
#include "status.hpp"

using namespace syncmap::dynamic;

extern "C" {

syncmap_opened syncmap_cursor_open(syncmap_map* map, std::uint32_t mode) {
    return guarded<syncmap_opened>([&](syncmap_opened& result) {
        if (map == nullptr || mode > SYNCMAP_CURSOR_SNAPSHOT) throw failure{SYNCMAP_INVALID};
        call here(*map);
        auto made = std::make_unique<syncmap_cursor>(*map);
        if (mode == SYNCMAP_CURSOR_SNAPSHOT && !here->fix_instant(made->place)) throw failure{SYNCMAP_UNSUPPORTED};
        if (!here->walks_in_steps()) here->advance(made->place);
        result.cursor = made.release();
    });
}

syncmap_entry syncmap_cursor_next(syncmap_cursor* cursor) {
    return guarded<syncmap_entry>([&](syncmap_entry& result) {
        if (cursor == nullptr) throw failure{SYNCMAP_INVALID};
        call here(cursor->map);
        walk& place = cursor->place;
        if (cursor->next != 0) place.entries[cursor->next - 1] = entry(); // it has been shown
        if (cursor->next == place.entries.size()) {
            place.entries.clear();
            cursor->next = 0;
            while (place.entries.empty() && !place.is_complete) here->advance(place);
            if (place.entries.empty()) return;
        }
        const entry& shown = place.entries[cursor->next++];
        result.found = true;
        result.key = shown.first.shown();
        result.value = shown.second.shown();
    });
}

void syncmap_cursor_close(syncmap_cursor* cursor) {
    if (cursor == nullptr) return;
    // What a snapshot has kept may have left the map since: this is the last call to hold it.
    call here(cursor->map);
    if (cursor->place.instant != nullptr) here.everything_departed();
    delete cursor;
}

} // extern "C"
