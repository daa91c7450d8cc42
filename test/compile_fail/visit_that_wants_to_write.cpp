// expect: syncmap: visit(key, f) calls f(const T&): entries are read only while others may read them
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.visit(1, [](int& value) { ++value; });
}
