// expect: syncmap: syncmap::text is made for the nodes of syncmap::map: use std::string in other maps
#include <syncmap/snapshot_map.hpp>
#include <syncmap/text.hpp>

int main() {
    syncmap::snapshot_map<int, syncmap::text> map;
    static_cast<void>(map.contains(1));
}
