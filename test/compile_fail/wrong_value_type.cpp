// expect: syncmap: the value type cannot be made from this argument
#include <string>

#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.store(1, std::string("one"));
}
