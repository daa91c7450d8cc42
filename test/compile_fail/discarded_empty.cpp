// expect: nodiscard
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.empty(); // meant was clear()
}
