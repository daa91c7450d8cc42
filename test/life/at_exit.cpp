// Maps used by the destructors of static objects, made before and after the library's own state and their maps.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#undef SYNCMAP_LEAK_CHECKER_SEES_ALL // two of the maps are never destroyed, and are no leaks
#include <syncmap/map.hpp>

namespace {

using texts = syncmap::map<std::string, std::string>;
using numbers = syncmap::map<int, int>;

int uses = 0;

void use(texts& others, numbers& some) {
    others.store("key", std::string(50, 'x'));
    others.update("sum", [](const std::string* old) { return (old == nullptr ? std::string() : *old) + "+"; });
    some.fetch_add(1, 1);
    others.for_each([](const std::string&, const std::string&) {});
    if (others.load("key") != std::string(50, 'x') || !some.contains(1) || others.size() < 2) std::_Exit(1);
    others.erase("key");
    others.flush();
    ++uses;
}

template <int N>
struct last_use {
    texts* others = nullptr;
    numbers* some = nullptr;
    ~last_use() {
        use(*others, *some);
        std::thread([this] { use(*others, *some); }).join(); // a thread that is new to the library
        std::printf("%d uses when the program ended\n", uses);
    }
};

last_use<1> made_first; // destroyed after the maps below: uses those that are never destroyed
constinit numbers global_numbers;
last_use<2> made_last;

texts& immortal_texts() {
    static texts& map = *new texts;
    return map;
}
numbers& immortal_numbers() {
    static numbers& map = *new numbers;
    return map;
}

// A table that has been replaced often, and one in pages of the system that alone leads to what its values point to.
void make_maps_that_a_leak_checker_might_not_follow() {
    static auto& replaced = *new numbers;
    for (int i = 0; i < 100; ++i) {
        replaced.store(i, i);
        replaced.clear();
    }
    static auto& pointers = *new syncmap::map<int, std::string*>;
    for (int i = 0; i < 50'000; ++i) pointers.store(i, new std::string("pointed to"));
}

} // namespace

int main() {
    make_maps_that_a_leak_checker_might_not_follow();
    use(immortal_texts(), global_numbers); // the library's state is made here
    static last_use<3> made_within;
    made_first.others = &immortal_texts();
    made_first.some = &immortal_numbers();
    made_last.others = made_within.others = &immortal_texts();
    made_last.some = made_within.some = &global_numbers;
    uses = 0;
    std::atexit([] { use(immortal_texts(), immortal_numbers()); });
}
