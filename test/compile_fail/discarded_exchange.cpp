// expect: nodiscard
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.exchange(1, 2);
}
