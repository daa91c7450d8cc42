// Recipe: counters that appear when they are first counted.
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <syncmap/map.hpp>

int main() {
    syncmap::map<std::string, std::uint64_t> hits;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&hits] {
                for (int request = 0; request < 10'000; ++request) {
                    const std::string_view page = request % 10 == 0 ? "/login" : "/index.html";
                    hits.fetch_add(page, 1); // an absent counter counts as zero, so there is nothing to prepare
                }
            });
        }
    }
    hits.for_each([](const std::string& page, std::uint64_t count) { std::cout << page << ' ' << count << '\n'; });
    return hits.load("/login") == 4'000 && hits.load("/index.html") == 36'000 ? 0 : 1;
}
