// Recipe: a cache that loads by itself: one key, many keys with one query, and misses of several threads together.
#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>

/// What a database would be asked: the names of users. Users from 1'000 on do not exist.
std::vector<std::pair<int, std::string>> query_names(const std::vector<int>& ids) {
    std::vector<std::pair<int, std::string>> rows;
    for (const int id : ids) {
        if (id < 1'000) rows.emplace_back(id, "user " + std::to_string(id));
    }
    return rows;
}

int main() {
    using namespace std::chrono_literals;
    syncmap::cache<int, std::string> names({
        .capacity = 10'000,
        .load_many = query_names,
        .coalesce = {.window = 1ms, .most = 4}, // misses of four threads become one query
        .load_timeout = 5s,
    });

    {
        std::vector<std::jthread> threads;
        for (int id = 0; id < 4; ++id) threads.emplace_back([&names, id] { static_cast<void>(names.get_or_load(id)); });
    }
    const std::optional<std::string> nobody = names.get_or_load(1'000);

    // One query for those that are absent: 4 to 9.
    std::vector<int> page;
    for (int id = 0; id < 10; ++id) page.push_back(id);
    std::string last;
    for (const auto& name : names.get_all_or_load(page)) last = name.value();

    std::cout << names.size() << " names, the last one is " << last << "; queries: " << names.stats().loads << '\n';
    return names.size() == 10 && last == "user 9" && !nobody ? 0 : 1;
}
