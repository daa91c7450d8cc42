#include "life/early.hpp"

#include <atomic>
#include <string>

#include <syncmap/map.hpp>
#include <syncmap/snapshot.hpp>

namespace test {
namespace {

std::atomic<std::int64_t>& alive() {
    static std::atomic<std::int64_t> count{0};
    return count;
}

struct counted {
    explicit counted(std::uint64_t n) : number(n) { ++alive(); }
    counted(const counted& other) : number(other.number) { ++alive(); }
    counted& operator=(const counted&) = default;
    ~counted() {
        number = ~std::uint64_t{0};
        --alive();
    }
    std::uint64_t number;
};

syncmap::map<std::string, counted>& early_map() {
    static syncmap::map<std::string, counted> map;
    return map;
}

} // namespace

std::uint64_t use_the_early_map(std::uint64_t rounds) {
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        const std::uint64_t n = i % 64;
        early_map().store(std::to_string(n), counted(i));
        early_map().visit(std::to_string((n * 7) % 64),
                          [&](const counted& value) { wrong += value.number < 1'000'000 ? 0 : 1; });
        if (i % 1000 == 0) wrong += early_map().snapshot().size() <= 64 ? 0 : 1;
    }
    return wrong;
}

bool early_map_is_clean() {
    early_map().flush();
    return alive().load() == static_cast<std::int64_t>(early_map().size());
}

} // namespace test
