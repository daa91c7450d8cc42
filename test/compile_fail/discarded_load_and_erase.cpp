// expect: nodiscard
#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, int> map;
    map.load_and_erase(1);
}
