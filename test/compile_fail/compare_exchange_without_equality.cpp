// expect: syncmap: compare_exchange compares values, and this value type has no operator==: use update
#include <syncmap/map.hpp>

struct point {
    int x;
};

int main() {
    syncmap::map<int, point> map;
    point expected{1};
    static_cast<void>(map.compare_exchange(1, expected, point{2}));
}
