// A request cache: many requests read the same profiles, a thousand of them stay in memory, and each one that is missing is
// fetched once, however many requests ask for it at the same moment.
#include <atomic>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <syncmap/cache.hpp>

int main() {
    syncmap::cache<std::string, std::string> profiles({.capacity = 1'000});
    profiles.put("1", "Alice");
    profiles.put("1", "Alice (admin)");

    std::atomic<int> fetches = 0; // how often the slow source was asked
    std::atomic<int> wrong = 0;
    {
        std::vector<std::jthread> requests;
        for (int request = 0; request < 8; ++request) {
            requests.emplace_back([&] {
                for (int user = 3; user < 8; ++user) {
                    const std::string id = std::to_string(user);
                    const std::string profile = profiles.get_or_load(id, [&](const std::string& key) {
                        ++fetches; // here a real program would ask its database
                        return "guest " + key;
                    });
                    if (profile != "guest " + id) ++wrong;
                }
                if (profiles.get("1") != "Alice (admin)" || profiles.get("9")) ++wrong;
            });
        }
    }
    profiles.for_each([](const std::string& id, const std::string& profile) { std::cout << id << ": " << profile << '\n'; });
    std::cout << "8 threads: 5 guests were fetched " << fetches << " times\n";

    // Far more profiles than the cache may hold, some of them asked for again and again.
    for (int visitor = 0; visitor < 50'000; ++visitor) {
        static_cast<void>(profiles.get_or_load("visitor " + std::to_string(visitor), [] { return std::string("new"); }));
        static_cast<void>(profiles.get_or_load("star " + std::to_string(visitor % 500), [] { return std::string("known"); }));
    }
    const syncmap::cache_stats seen = profiles.stats();
    std::cout << profiles.size() << " of " << profiles.capacity() << " entries, " << 100 * seen.hit_ratio() << " % hits, "
              << seen.loads << " loads\n";
    return fetches == 5 && wrong == 0 && profiles.size() <= profiles.capacity() ? 0 : 1;
}
