// expect: syncmap: exchange returns a copy of the old value
#include <memory>

#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, std::unique_ptr<int>> map;
    static_cast<void>(map.exchange(1, std::make_unique<int>(1)));
}
