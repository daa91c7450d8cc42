// expect-success
#include <memory>
#include <optional>
#include <string>

#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>

template <template <class, class> class Map>
void right_uses() {
    Map<int, int> numbers{{1, 2}};
    static_cast<void>(numbers.load(1));
    static_cast<void>(numbers.load_or_store(1, 2));
    int expected = 2;
    static_cast<void>(numbers.compare_exchange(1, expected, 3));
    numbers.store(1, 4);
    numbers.erase(1);
    numbers.visit(1, [](const int&) {});
    numbers.update(1, [](const int* current) { return current != nullptr ? *current + 1 : 0; });
    Map<int, std::unique_ptr<int>> owners;
    owners.insert(1, std::make_unique<int>(1));
    Map<std::string, int> words;
    words.store("word", 1);
}

template <class Key, class T>
using flagship = syncmap::map<Key, T>;
template <class Key, class T>
using behind_mutex = syncmap::mutex_map<Key, T>;

int main() {
    right_uses<flagship>();
    right_uses<behind_mutex>();
}
