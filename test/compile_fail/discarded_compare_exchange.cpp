// expect: nodiscard
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    int expected = 1;
    map.compare_exchange(1, expected, 2);
}
