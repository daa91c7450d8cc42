// Every operation of a map with the arguments that programs pass, for builds that turn warnings into errors. LEVEL chooses
// the types: each level of optimisation sees some, since what a compiler takes for uninitialised hangs on both. 0: all; 4:
// caches.

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if LEVEL == 0 || LEVEL == 4
#include <chrono>
#include <syncmap/cache.hpp>
#include <syncmap/cache/warm_restart.hpp>
#endif
#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/set.hpp>

namespace user {
std::size_t use_all();
}

namespace user {

template <class Map, class K, class Make>
std::size_t writes(Map& map, const K& key, Make make) {
    std::size_t n = 0;
    n += map.store(key, make()) ? 1U : 0U;
    n += map.insert(key, make()) ? 1U : 0U;
    n += map.erase(key) ? 1U : 0U;
    n += map.update(key, [&](const auto* now) { return now == nullptr ? make() : *now; }) == syncmap::update_result::kept ? 1U
                                                                                                                          : 0U;
    return n;
}
template <class Map, class K, class Make>
std::size_t conditions(Map& map, const K& key, Make make) {
    std::size_t n = 0;
    auto expected = make();
    n += map.compare_exchange(key, expected, make()) ? 1U : 0U;
    std::optional maybe(make());
    n += map.compare_exchange(key, maybe, make()) ? 1U : 0U;
    n += map.compare_erase(key, expected) ? 1U : 0U;
    return n;
}
template <class Map, class K, class Make>
std::size_t results(Map& map, const K& key, Make make) {
    std::size_t n = 0;
    n += map.load(key).has_value() ? 1U : 0U;
    n += map.load_or_store(key, make()).loaded ? 1U : 0U;
    n += map.exchange(key, make()).has_value() ? 1U : 0U;
    n += map.load_and_erase(key).has_value() ? 1U : 0U;
    n += map.take(key).has_value() ? 1U : 0U;
    n += map.load_or_compute(key, make).loaded ? 1U : 0U;
    return n;
}
template <class Map, class K>
std::size_t reads(const Map& map, const K& key) {
    std::size_t n = map.contains(key) ? 1U : 0U;
    n += map.visit(key, [](const auto&) {}) ? 1U : 0U;
    n += map.for_each([](const auto&, const auto&) {});
    if (const auto entry = map.pin(key)) n += 1;
    for (const auto& [own, value] : map.snapshot()) n += static_cast<std::size_t>(own == key);
    return n;
}
template <class Map>
std::size_t wholes(Map& map, const typename Map::key_type& key, const typename Map::mapped_type& value) {
    std::size_t n = map.size() + map.approx_size() + (map.empty() ? 1U : 0U);
    map.reserve(100);
    n += map.erase_if([&](const auto& k, const auto&) { return k == key; });
    n += map.update({key}, [&](auto slots) { slots[0].assign(value); }) ? 1U : 0U;
    const std::array<typename Map::key_type, 2> keys{key, key};
    const std::array<typename Map::mapped_type, 2> values{value, value};
    n += map.store_many(keys, values) + map.erase_many(keys) + map.visit_many(keys, [](std::size_t, const auto&) {});
    const auto seen = map.snapshot();
    n += seen.for_each([](const auto&, const auto&) {});
    for (syncmap::walk_position at; !at.at_end();) at = map.for_each_from(at, [](const auto&, const auto&) {});
    n += map.extract(key) ? 1U : 0U;
    Map other(std::move(map));
    map.swap(other);
    n += map.stats().places;
    map.replace(std::move(other));
    map.clear();
    map.shrink_to_fit();
    map.flush();
    return n;
}

struct record {
    std::string name;
    std::vector<int> numbers;
    friend bool operator==(const record&, const record&) = default;
};

template <class Map, class K, class Make>
std::size_t use(Map& map, const K& key, Make make) {
    return writes(map, key, make) + conditions(map, key, make) + results(map, key, make) + reads(map, key);
}

#if LEVEL == 0 || LEVEL == 4
std::size_t use_cache() {
    using cache = syncmap::cache<std::string, std::string>;
    cache pages({.capacity = 1000,
                 .weigh = syncmap::bytes_of,
                 .expire_after_write = std::chrono::minutes(10),
                 .refresh_after_write = std::chrono::minutes(5),
                 .load = [](std::string_view url) { return std::string(url); },
                 .on_removal = [](const std::string&, const std::string&, syncmap::removal) {}});
    std::size_t n = pages.put("a", "b") && pages.put_if_absent("b", "c") && pages.replace("b", "d") ? 1U : 0U;
    n += pages.get("a").has_value() && pages.peek("a").has_value() && pages.contains("a") ? 1U : 0U;
    n += pages.visit("a", [](const std::string&) {}) ? 1U : 0U;
    n += pages.get_or_load("a")->size() + pages.get_or_load("c", [] { return "d"; }).size() + pages.pin_or_load("d")->size();
    n += pages.update("a", [](const std::string*) { return std::string(); }) == syncmap::update_result::kept ? 1U : 0U;
    n += pages.take("a").has_value() && pages.invalidate("b") && pages.refresh("c") ? 1U : 0U;
    n += pages.for_each([](const std::string&, const std::string&) {});
    n += pages.invalidate_if([](const std::string&, const std::string& page) { return page.empty(); });
    n += pages.get_all({"a", "b"}).size() + pages.size() + pages.weight() + pages.capacity();
    n += pages.save("a file") + pages.load("a file");
    pages.set_capacity(10);
    pages.expire_now();
    pages.invalidate_all();
    pages.flush();
    return n + static_cast<std::size_t>(pages.stats().hits);
}
#endif

std::size_t use_all() {
    std::size_t n = 0;
#if LEVEL == 0 || LEVEL == 4
    n += use_cache();
#endif
#if LEVEL == 0 || LEVEL == 1
    syncmap::map<std::string, std::vector<int>> vectors;
    n += use(vectors, "a", [] { return std::vector<int>{1, 2, 3}; });
    syncmap::mutex_map<int, std::unique_ptr<int>> owners;
    n += owners.take(1).has_value() ? 1U : 0U;
    syncmap::set<std::string> names{"a"};
    n += names.insert("a") && names.erase_if([](const std::string& name) { return name == "a"; }) == 1 ? 1U : 0U;
    syncmap::map<int, int> numbers;
    n += use(numbers, 1, [] { return 1; }) + wholes(numbers, 1, 1) + static_cast<std::size_t>(numbers.fetch_add(1, 1));
#endif
#if LEVEL == 0 || LEVEL == 2
    syncmap::map<std::string, std::shared_ptr<int>> shared;
    n += use(shared, "a", [] { return std::make_shared<int>(1); });
    syncmap::map<std::string, int> counts;
    n += writes(counts, "a", [] { return 1; }) + results(counts, "a", [] { return 1; });
    n += static_cast<std::size_t>(counts.fetch_add("a", 1));
#endif
#if LEVEL == 0 || LEVEL == 3
    syncmap::map<std::string, std::string> strings;
    n += use(strings, "a", [] { return std::string("text"); }) + wholes(strings, "a", "text");
#endif
#if LEVEL == 0
    syncmap::map<std::string, record> records;
    n += use(records, "a", [] { return record{"a", {1}}; }) + wholes(records, "a", record{});
    syncmap::map<std::string_view, double> ratios;
    n += use(ratios, "a", [] { return 0.5; });
#endif
    return n;
}

} // namespace user
