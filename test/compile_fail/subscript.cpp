// expect: there is no operator[]
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map[1];
}
