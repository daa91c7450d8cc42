// expect: a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    syncmap::map<int, int> copy = map;
}
