// expect: syncmap: this type cannot be a key of this map
#include <string>

#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.store(std::string("one"), 1);
}
