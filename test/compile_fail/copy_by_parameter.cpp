// expect: a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident
#include <syncmap/locked_map.hpp>

void use(syncmap::mutex_map<int, int>) {}

int main() {
    syncmap::mutex_map<int, int> map;
    use(map);
}
