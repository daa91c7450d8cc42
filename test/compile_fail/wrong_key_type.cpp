// expect: syncmap: this type cannot be looked up
#include <string>

#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    static_cast<void>(map.load(std::string("one")));
}
