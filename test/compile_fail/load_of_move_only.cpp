// expect: syncmap: load copies the value, and this value type cannot be copied: use visit(key, f)
#include <memory>

#include <syncmap/map.hpp>

int main() {
    syncmap::map<int, std::unique_ptr<int>> map;
    static_cast<void>(map.load(1));
}
