// The first program: store a value, load it, erase it. Then the same from many threads at once.
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <syncmap/map.hpp>

int main() {
    // Ready to use as it stands: no mutex beside it, nothing to set up, no heap while it is empty.
    syncmap::map<std::string, std::string> users;

    // Key and value have types. The compiler checks them, so there is nothing to assert at run time.
    users.store("user:1", "Alice");

    // load returns a copy of the value, or nothing: one call answers "is it there?" and "what is it?".
    if (const auto name = users.load("user:1")) std::cout << *name << '\n';

    users.erase("user:1");

    // Now eight threads, each with a thousand users of its own. The calls stay exactly the same.
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 8; ++thread) {
            threads.emplace_back([&users, thread] {
                for (int i = 0; i < 1000; ++i) {
                    const std::string key = "user:" + std::to_string(thread * 1000 + i);
                    users.store(key, "Bob");
                    const bool there = users.load(key) == "Bob";
                    if (there && i % 2 == 0) users.erase(key); // every second one leaves again
                }
            });
        }
    } // a std::jthread joins where it goes out of scope

    // size() is exact: no counter to keep beside the map, no loop to count by hand.
    std::cout << users.size() << " users stayed\n";
    return users.size() == 4000 ? 0 : 1;
}
