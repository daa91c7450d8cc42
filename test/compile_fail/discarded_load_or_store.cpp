// expect: nodiscard
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.load_or_store(1, 2);
}
