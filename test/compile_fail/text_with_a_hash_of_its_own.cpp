// expect: syncmap: keys that are syncmap::text are looked up by views: hash and equality must take std::string_view
#include <cstddef>
#include <string>

#include <syncmap/map.hpp>
#include <syncmap/text.hpp>

struct length_alone {
    std::size_t operator()(const std::string& key) const { return key.size(); }
};

int main() {
    syncmap::map<syncmap::text, int, length_alone> map;
    static_cast<void>(map.size());
}
