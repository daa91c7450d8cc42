// An object of everything.cpp's program that is compiled for newer processors than the rest. It uses a map of the type that
// the rest uses, so both objects have definitions of the same functions.
#include <syncmap/map.hpp>

int run_on_newer_processor(int key);

int run_on_newer_processor(int key) {
    syncmap::map<int, int> map;
    map.store(key, 1);
    return map.load(key).value_or(0);
}
