// expect: syncmap: the value type cannot be made from this argument
#include <syncmap/map.hpp>
#include <syncmap/text.hpp>

int main() {
    syncmap::map<int, syncmap::text> map;
    map.store(1, 1);
}
