// expect: syncmap: update(key, f) calls f(const T* current), null when the key is absent
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.update(1, [](int& value) { return ++value; });
}
