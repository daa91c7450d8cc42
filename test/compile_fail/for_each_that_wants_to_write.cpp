// expect: syncmap: for_each(f) calls f(const Key&, const T&): entries are read only; change them with update
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.for_each([](int, int& value) { ++value; });
}
