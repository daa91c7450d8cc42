// The header beside the C++ headers, and callbacks in C++ that throw.
#include <syncmap.h>

#include <stdexcept>

#include <syncmap/map.hpp>

#include "check.h"

namespace {

void throw_from_visit(void*, syncmap_value) { throw std::runtime_error("visit"); }
bool throw_from_walk(void*, syncmap_value, syncmap_value) { throw 7; }
syncmap_result throw_from_computation(void*, syncmap_value) { throw std::bad_alloc(); }
bool throw_from_condition(void*, syncmap_value, syncmap_value) { throw std::runtime_error("condition"); }
int released = 0;
syncmap_status throw_from_update(void*, syncmap_slot* slots, std::size_t) {
    syncmap_slot_assign(&slots[0], syncmap_handle(&released, 1, [](void*, std::uint64_t) { ++released; }));
    throw std::runtime_error("update");
}
std::uint64_t throw_from_hash(void*, syncmap_value) { throw std::runtime_error("hash"); }

void exceptions_stay_outside(std::uint32_t engine) {
    syncmap_map* const map = make_map(engine);
    CHECK(syncmap_store(map, syncmap_int(1), syncmap_string("text")).changed);
    CHECK(syncmap_visit(map, syncmap_int(1), throw_from_visit, nullptr).status == SYNCMAP_EXCEPTION);
    const syncmap_count shown = syncmap_for_each(map, throw_from_walk, nullptr);
    CHECK(shown.status == SYNCMAP_EXCEPTION && shown.count == 1);
    CHECK(syncmap_load_or_compute(map, syncmap_int(2), throw_from_computation, nullptr).status == SYNCMAP_EXCEPTION);
    CHECK(syncmap_erase_if(map, throw_from_condition, nullptr).status == SYNCMAP_EXCEPTION);
    released = 0; // what was assigned is the library's from the first moment
    CHECK(syncmap_update(map, syncmap_int(2), throw_from_update, nullptr).status == SYNCMAP_EXCEPTION && released == 1);
    const syncmap_value keys[] = {syncmap_int(2), syncmap_int(1)};
    const syncmap_status several = syncmap_update_many(map, keys, 2, throw_from_update, nullptr).status;
    CHECK(several == SYNCMAP_UNSUPPORTED || (several == SYNCMAP_EXCEPTION && released == 2));
    CHECK(holds(map, syncmap_int(1), syncmap_string("text")));
    CHECK(is_absent(map, syncmap_int(2)) && size_of(map) == 1);
    syncmap_destroy(map);

    syncmap_options options = syncmap_default_options();
    options.engine = engine;
    options.hash = throw_from_hash;
    const syncmap_created made = syncmap_create(&options);
    CHECK(syncmap_store(made.map, syncmap_int(1), syncmap_int(1)).status == SYNCMAP_EXCEPTION);
    CHECK(size_of(made.map) == 0);
    syncmap_destroy(made.map);
}

} // namespace

int main() {
    with_each_engine(exceptions_stay_outside);

    // The name of the C++ library is free: the header has no `syncmap` of its own.
    syncmap::map<int, int> other;
    other.store(1, 2);
    return other.load(1) == 2 ? 0 : 1;
}
