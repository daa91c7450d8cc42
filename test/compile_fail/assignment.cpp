// expect: a_map_is_not_assigned_to_since_that_is_no_atomic_step_use_replace_or_swap
#include <syncmap/map.hpp>

syncmap::map<int, int> load();

int main() {
    syncmap::map<int, int> settings = load(); // this is fine
    settings = load();
}
