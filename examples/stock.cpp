// Recipe: update, the read-modify-write that can do everything: insert, change, erase, or leave alone.
#include <atomic>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <syncmap/map.hpp>

int main() {
    syncmap::map<std::string, int> stock;
    const auto deliver = [&stock](const std::string& item, int pieces) {
        return stock.update(item, [=](const int* present) { return (present ? *present : 0) + pieces; });
    };
    // Takes one piece; the last one takes the entry with it. False when there was none.
    const auto sell = [&stock](const std::string& item) {
        return stock.update(item, [](const int* present) -> syncmap::update_action<int> {
            if (present == nullptr) return syncmap::keep;
            if (*present == 1) return std::nullopt;
            return *present - 1;
        }) != syncmap::update_result::kept;
    };

    const bool inserted = deliver("teapot", 500) == syncmap::update_result::inserted;
    const bool assigned = deliver("teapot", 500) == syncmap::update_result::assigned;
    std::atomic<int> sold = 0;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&] {
                for (int customer = 0; customer < 300; ++customer) sold += sell("teapot") ? 1 : 0;
            });
        }
    }
    std::cout << "1200 customers, 1000 teapots: " << sold << " sold\n"; // never one too many
    return inserted && assigned && sold == 1'000 && stock.empty() ? 0 : 1;
}
