// One program for every compiler of scripts/compilers.sh: it needs nothing but the library, and is small enough for an
// emulator.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>
#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/set.hpp>
#include <syncmap/snapshot_map.hpp>
#if defined(__GXX_RTTI) || defined(__cpp_rtti)
#include <syncmap/any_map.hpp>
#include <syncmap/checked_map.hpp>
#endif

#if defined(WITH_TAGGED_HEAP)
#include "tagged_heap.hpp"
#endif
#if defined(WITH_NEWER_PROCESSOR) // newer_processor.cpp is linked
int run_on_newer_processor(int key);
#endif

namespace {

void check(bool holds, const char* what) {
    if (holds) return;
    std::printf("does not hold: %s\n", what);
    std::exit(1);
}
#define CHECK_THAT(condition) check((condition), #condition)

struct point {
    int x, y;
    bool operator==(const point&) const = default;
    friend auto syncmap_members(const point& p) { return std::tie(p.x, p.y); }
};

/// Threads that write and read keys of their own and of all.
template <class Map, class KeyOf, class Value>
void use(Map& map, KeyOf key_of, const Value& value) {
    constexpr int threads = 3;
    constexpr int keys = 300;
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t) {
        all.emplace_back([&, t] {
            for (int i = 0; i < keys; ++i) {
                map.store(key_of(t * keys + i), value);
                map.update(key_of(-1), [&](const auto*) { return value; });
                if (i % 3 == 0) map.erase(key_of(t * keys + i));
                CHECK_THAT(map.contains(key_of(t * keys + i)) == (i % 3 != 0));
            }
        });
    }
    for (std::thread& each : all) each.join();
    CHECK_THAT(map.size() == threads * keys * 2 / 3 + 1);
    CHECK_THAT(map.load(key_of(1)) == value);
    CHECK_THAT(map.load_or_compute(key_of(-2), [&] { return value; }).value == value);
    auto expected = value;
    CHECK_THAT(map.compare_exchange(key_of(-2), expected, value));
    CHECK_THAT(map.compare_erase(key_of(-2), expected));
    CHECK_THAT(map.for_each([](const auto&, const auto&) {}) == map.size());
    CHECK_THAT(map.erase_if([&](const auto& k, const auto&) { return k == key_of(-1); }) == 1);
}

/// What `syncmap::map` has alone.
template <class Map, class KeyOf, class Value>
void use_flagship(KeyOf key_of, const Value& value) {
    Map map;
    use(map, key_of, value);
    const auto kept = map.pin(key_of(1));
    CHECK_THAT(kept && kept.value() == value);
    const auto seen = map.snapshot();
    map.update({key_of(1), key_of(2)}, [](auto both) {
        both[0].erase();
        both[1].erase();
    });
    CHECK_THAT(!map.contains(key_of(1)) && seen.contains(key_of(1)));
    CHECK_THAT(kept.value() == value);
    std::size_t shown = 0;
    for (const auto& [own, its_value] : seen) shown += its_value == value ? 1U : 0U;
    CHECK_THAT(shown == seen.size());
    CHECK_THAT(map.for_each_parallel(2, [](const auto&, const auto&) {}) == map.size());
    Map first;
    first.store(key_of(7), value);
    Map next(std::move(first));
    CHECK_THAT(next.stats().entries == 1 && *next.extract(key_of(7)) == value);
    next.store(key_of(7), value);
    next.swap(first);
    swap(next, first);
    map.replace(std::move(next));
    CHECK_THAT(map.size() == 1);
    map.clear();
    map.shrink_to_fit();
    CHECK_THAT(map.empty());
}

/// More keys than the cache has room for, put and read by threads.
void use_cache() {
    constexpr std::size_t room = 200;
    syncmap::cache<std::string, std::string> cache({.capacity = room});
    std::vector<std::thread> all;
    for (int t = 0; t < 3; ++t) {
        all.emplace_back([&, t] {
            for (int i = 0; i < 600; ++i) {
                const std::string key = std::to_string(i * 7 % 400 + t);
                cache.put(key, key);
                if (const auto seen = cache.get(key)) CHECK_THAT(*seen == key);
            }
        });
    }
    for (std::thread& each : all) each.join();
    CHECK_THAT(cache.size() <= room);
}

int number(int i) { return i; }
std::string name(int i) { return "key number " + std::to_string(i); }
point place(int i) { return {i, -i}; }

} // namespace

int main() {
    use_flagship<syncmap::map<int, int>>(number, 1);
    use_flagship<syncmap::map<std::string, int>>(name, 1);
    use_flagship<syncmap::map<std::string, std::string>>(name, std::string("a value that is longer than a short string"));
    use_flagship<syncmap::map<point, std::shared_ptr<int>>>(place, std::make_shared<int>(1));
#if defined(WITH_NEWER_PROCESSOR)
    if (__builtin_cpu_supports("avx2")) CHECK_THAT(run_on_newer_processor(1) == 1);
#endif
    syncmap::snapshot_map<std::string, std::string> promoted;
    use(promoted, name, std::string("one"));
    syncmap::shared_mutex_map<std::string, std::string> locked;
    use(locked, name, std::string("one"));
    syncmap::map<syncmap::text, syncmap::text> texts;
    texts.store("a", "b");
    CHECK_THAT(texts.load("a") == "b");
    use_cache();
    syncmap::set<std::string> set{"a", "b"};
    std::string all;
    for (const std::string& key : set.snapshot()) all += key;
    CHECK_THAT(all.size() == 2 && set.erase("a") && !set.contains("a"));
#if defined(__GXX_RTTI) || defined(__cpp_rtti)
    syncmap::any_map any;
    any.store("a", 1);
    CHECK_THAT(any.load("a")->as<int>() == 1);
    syncmap::checked_map<int, int> checked;
    checked.store(1, 1);
    CHECK_THAT(checked.size() == 1);
#endif
}
