// Recipe: a global map, ready before main and in every other global's constructor, asked with a std::string_view.
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <syncmap/map.hpp>

// Initialised by the compiler: no code runs for it at start-up, so no order of initialisation can go wrong.
constinit syncmap::map<std::string, std::string> settings;

const bool early = settings.store("log.level", "info"); // another global, and the map is there already

int main() {
    std::jthread reload([] {
        for (const std::string_view line : {"log.level=debug", "cache.size=64M"}) {
            const auto equals = line.find('=');
            // Parts of a line serve as keys as they are; a std::string is made only for a new entry.
            settings.store(line.substr(0, equals), line.substr(equals + 1));
        }
    });
    reload.join();

    settings.visit("log.level", [](const std::string& level) { std::cout << "log.level is " << level << '\n'; });
    const bool right = early && settings.load("log.level") == "debug" && settings.load("cache.size") == "64M";
    return right && !settings.contains("cache") ? 0 : 1;
}
