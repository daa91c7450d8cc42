// expect: syncmap: update: f returns the new value, an optional of it (empty: erase), or syncmap::keep
#include <string>

#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.update(1, [](const int*) { return std::string("one"); });
}
