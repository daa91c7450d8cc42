#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <syncmap/map.hpp>

int main() {
    syncmap::map<std::string, int> visits; // no mutex beside it, nothing to set up
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) threads.emplace_back([&] { visits.fetch_add("index.html", 1); });
    } // a std::jthread joins here
    std::cout << visits.load("index.html").value_or(0) << " visits of " << visits.size() << " page\n";
}
