// Recipe: many strings, little memory: keys and values as syncmap::text lie in one block with their entry.
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <syncmap/map.hpp>
#include <syncmap/text.hpp>

int main() {
    syncmap::map<syncmap::text, syncmap::text> numbers;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&numbers, thread] {
                for (int i = 0; i < 1'000; ++i) {
                    const std::string name = "subscriber " + std::to_string(thread) + "/" + std::to_string(i);
                    numbers.store(name, "+49 30 " + std::to_string(10'000 * thread + i));
                }
            });
        }
    }
    numbers.store("fire brigade", "112"); // whatever a std::string_view is made from

    std::size_t digits = 0;
    numbers.visit("fire brigade", [&](std::string_view number) { digits = number.size(); }); // in place, no copy
    const std::optional<std::string> copy = numbers.load("fire brigade");                     // a copy, to keep
    numbers.update("fire brigade",
                   [](const syncmap::text* old) { return old == nullptr ? std::string("112") : "0-" + old->str(); });

    std::cout << numbers.size() << " numbers, one of " << digits << " digits: " << copy.value_or("?") << ", from inside "
              << numbers.load("fire brigade").value_or("?") << '\n';
    return numbers.size() == 4'001 && copy == "112" && numbers.load("fire brigade") == "0-112" ? 0 : 1;
}
